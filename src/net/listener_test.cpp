#include "halfopen/listener.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <iostream>
#include <thread>

#include "fate/emulation.hpp"
#include "net/test_peer.hpp"

namespace {

/// What accept4() is to fail with next: the errors that no test can have from the kernel.
std::deque<int>& errors_to_come() {
  static std::deque<int> errors;
  return errors;
}

/// How often accept4() was called: often, by one that spins.
std::atomic<int>& accepts() {
  static std::atomic<int> count = 0;
  return count;
}

}  // namespace

/// In place of the C library's.
extern "C" int accept4(int fd, sockaddr* peer, socklen_t* size, int flags) {
  ++accepts();
  if (!errors_to_come().empty()) {
    errno = errors_to_come().front();
    errors_to_come().pop_front();
    return -1;
  }
  return static_cast<int>(::syscall(SYS_accept4, fd, peer, size, flags));
}

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using kind = accept_event::kind;

/// False after that time, in which the context has done what there was to do.
asio::awaitable<bool> idle_for(asio::io_context& context, std::chrono::milliseconds time) {
  asio::steady_timer timer(context, time);
  co_await timer.async_wait(asio::use_awaitable);
  co_return false;
}

struct listening : testing::Test {
  asio::io_context context{1};
  std::vector<accept_event> told;
  std::optional<listener> door;

  void open(listen_options options = {}, const std::string& host = "127.0.0.1") {
    options.tell = [this](const accept_event& e) { told.push_back(e); };
    auto opened = listener::open(context.get_executor(), host, "0", options);
    ASSERT_TRUE(opened) << to_string(opened.error());
    door.emplace(std::move(*opened));
  }
  auto accept(deadline limit = ample) { return play(context, door->accept(limit)); }
  /// A slow machine, or one that is emulated, takes longer than a moment.
  void accept_none_until_told() {
    for (int i = 0; i < 200 && told.empty(); ++i) EXPECT_FALSE(accept(10ms));
  }
  [[nodiscard]] unique_fd caller() const { return connect_to(door->local()); }
  [[nodiscard]] auto count(kind what) const { return std::ranges::count(told, what, &accept_event::what); }
};

TEST_F(listening, hands_over_who_calls) {
  for (const char* host : {"127.0.0.1", "::1", "localhost"}) {
    open({}, host);
    const unique_fd there = caller();
    auto s = accept();
    ASSERT_TRUE(s) << host;
    EXPECT_EQ(s->peer(), name_of(there.get()));
    send_all(there.get(), "hello\n");
    EXPECT_EQ(play(context, s->read_line(10, ample)).value(), "hello");
  }
  EXPECT_TRUE(told.empty());
}

TEST_F(listening, a_request_that_came_with_the_connection_is_read) {
  open();
  for (const bool fin : {true, false}) {
    unique_fd there = caller();
    send_all(there.get(), "now\n");
    if (fin) finish(there);
    auto s = accept();
    ASSERT_TRUE(s);
    EXPECT_EQ(play(context, s->read_line(10, ample)).value_or("lost"), "now");
    const auto next = play(context, s->read_line(10, 50ms));
    EXPECT_EQ(next.error().how, fin ? ending::peer_closed : ending::deadline_passed);
  }
}

TEST_F(listening, the_deadline_passes_and_the_next_call_is_taken) {
  open();
  const auto start = steady_clock::now();
  auto none = accept(40ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::deadline_passed);
  EXPECT_GE(steady_clock::now() - start, 40ms);
  const unique_fd there = caller();
  EXPECT_TRUE(accept());
}

TEST_F(listening, a_thousand_resets_in_the_queue_do_not_hide_the_one_that_lives) {
  if (emulation::hides_tcp_info()) GTEST_SKIP() << emulation::no_tcp_info;
  open();
  for (int i = 0; i < 1000; ++i) {
    unique_fd gone = caller();
    ASSERT_TRUE(gone);
    reset(gone);
  }
  const unique_fd alive = caller();
  const std::size_t before = open_descriptors();
  auto s = accept();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->peer(), name_of(alive.get()));
  EXPECT_EQ(count(kind::aborted), 1000);
  EXPECT_EQ(told.front().why.how, ending::aborted_before_accept);
  EXPECT_EQ(open_descriptors(), before + 1);
}

TEST_F(listening, at_the_limit_others_wait_until_one_goes) {
  const auto limits = std::make_shared<connection_limits>(2);
  open({.limits = limits});
  const unique_fd callers[] = {caller(), caller(), caller()};
  auto first = accept();
  auto second = accept();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(limits->open(), 2U);
  asio::steady_timer later(context, 30ms);
  later.async_wait([&](asio::error_code) { *first = stream(); });
  EXPECT_TRUE(accept());
  EXPECT_EQ(count(kind::at_the_limit), 1);
}

TEST_F(listening, the_deadline_counts_at_the_limit_too) {
  const auto limits = std::make_shared<connection_limits>(1);
  open({.limits = limits});
  const unique_fd callers[] = {caller(), caller()};
  auto first = accept();
  ASSERT_TRUE(first);
  for (int i = 0; i < 3; ++i) {
    auto none = accept(30ms);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().how, ending::deadline_passed);
  }
  *first = stream();
  EXPECT_TRUE(accept());
}

TEST_F(listening, that_the_limit_is_reached_is_told_once_however_often_accept_is_called) {
  open({.limits = std::make_shared<connection_limits>(1)});
  const unique_fd there = caller();
  const auto first = accept();
  accept_none_until_told();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(accept(2ms));
  EXPECT_EQ(count(kind::at_the_limit), 1);
}

TEST_F(listening, one_that_is_idle_takes_no_place_from_another) {
  const auto limits = std::make_shared<connection_limits>(1);
  open({.limits = limits});
  listener idle = std::move(*door);
  asio::co_spawn(context, idle.accept(deadline::never()), asio::detached);
  EXPECT_FALSE(play(context, idle_for(context, 10ms)));
  EXPECT_EQ(limits->open(), 0U);
  open({.limits = limits});
  const unique_fd there = caller();
  EXPECT_TRUE(accept());
  EXPECT_EQ(count(kind::at_the_limit), 0);
}

TEST_F(listening, an_idle_one_with_a_limit_sleeps) {
  open({.limits = std::make_shared<connection_limits>(1)});
  accepts() = 0;
  EXPECT_FALSE(accept(200ms));
  EXPECT_LE(accepts(), 2);
}

TEST_F(listening, one_that_died_in_the_queue_takes_no_place) {
  const auto limits = std::make_shared<connection_limits>(1, 1);
  open({.limits = limits});
  unique_fd gone = caller();
  reset(gone);
  accept_none_until_told();
  EXPECT_EQ(count(kind::aborted), 1);
  EXPECT_EQ(limits->open(), 0U);
  const unique_fd there = caller();
  EXPECT_TRUE(accept());
}

TEST_F(listening, one_address_gets_no_more_than_its_share) {
  const auto limits = std::make_shared<connection_limits>(0, 2);
  open({.limits = limits});
  const unique_fd greedy[] = {caller(), caller(), caller()};
  const unique_fd other = connect_to(door->local(), 2);
  std::vector<stream> taken;
  for (int i = 0; i < 3; ++i) {
    auto s = accept();
    ASSERT_TRUE(s);
    taken.push_back(std::move(*s));
  }
  EXPECT_EQ(taken[2].peer().address().to_string(), "127.0.0.2");
  ASSERT_EQ(count(kind::turned_away), 1);
  EXPECT_EQ(told.front().peer, name_of(greedy[2].get()));
  EXPECT_TRUE(receive(greedy[2].get()).ended);
  taken.clear();
  EXPECT_EQ(limits->open(), 0U);
  const unique_fd again = caller();
  EXPECT_TRUE(accept());
}

TEST_F(listening, stop_ends_a_wait_and_leaves_the_queue_alone) {
  open();
  asio::steady_timer later(context, 20ms);
  later.async_wait([&](asio::error_code) { door->stop(); });
  EXPECT_EQ(accept(deadline::never()).error().how, ending::shut_down);
  const unique_fd queued[] = {caller(), caller()};
  unique_fd gone = caller();
  reset(gone);
  EXPECT_EQ(accept().error().how, ending::shut_down);
  send_all(queued[1].get(), "still here\n");
  auto waiting = door->take_waiting();
  ASSERT_EQ(waiting.size(), 2U);
  EXPECT_EQ(play(context, waiting[1].read_line(20, ample)).value(), "still here");
  EXPECT_EQ(count(kind::aborted), 1);
  EXPECT_TRUE(door->take_waiting().empty());
}

TEST_F(listening, stop_ends_a_wait_for_room) {
  open({.limits = std::make_shared<connection_limits>(1)});
  const unique_fd there = caller();
  const auto first = accept();
  asio::steady_timer later(context, 20ms);
  later.async_wait([&](asio::error_code) { door->stop(); });
  EXPECT_EQ(accept(deadline::never()).error().how, ending::shut_down);
}

TEST_F(listening, asio_cancellation_ends_this_accept_and_not_the_next) {
  open();
  const auto none = play_and_cancel(context, door->accept(deadline::never()), 10ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::shut_down);
  const unique_fd there = caller();
  EXPECT_TRUE(accept());
}

TEST_F(listening, asio_cancellation_ends_a_wait_for_room_and_not_the_next) {
  open({.limits = std::make_shared<connection_limits>(1)});
  const unique_fd callers[] = {caller(), caller()};
  auto first = accept();
  const auto none = play_and_cancel(context, door->accept(deadline::never()), 10ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().how, ending::shut_down);
  *first = stream();
  EXPECT_TRUE(accept());
}

TEST_F(listening, one_that_was_in_the_queue_before_the_options_has_them) {
  unique_fd fd = listen_here();
  const unique_fd there = connect_to(name_of(fd.get()));
  listen_options options;
  options.connection.notice_within = 5s;
  auto adopted = listener::adopt(context.get_executor(), std::move(fd), options);
  ASSERT_TRUE(adopted);
  auto s = play(context, adopted->accept(ample));
  ASSERT_TRUE(s);
  int on = 0;
  socklen_t size = sizeof on;
  ASSERT_EQ(::getsockopt(s->native_handle(), SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
  EXPECT_EQ(on, 1);
}

TEST_F(listening, adopts_a_listener_and_nothing_else) {
  const auto adopt = [&](unique_fd fd) { return listener::adopt(context.get_executor(), std::move(fd)); };
  unique_fd fd = listen_here();
  const auto name = name_of(fd.get());
  ::fcntl(fd.get(), F_SETFD, 0);  // as systemd leaves it
  auto adopted = adopt(std::move(fd));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->local(), name);
  EXPECT_NE(::fcntl(adopted->native_handle(), F_GETFD) & FD_CLOEXEC, 0);
  const unique_fd there = connect_to(name);
  EXPECT_TRUE(play(context, adopted->accept(ample)));
  EXPECT_EQ(adopt(connection().here).error().how, ending::local_failure);
  EXPECT_EQ(adopt(unique_fd(::open("/dev/null", O_RDONLY))).error().error, ENOTSOCK);
  EXPECT_EQ(adopt(unique_fd()).error().error, EBADF);
}

TEST_F(listening, a_port_that_is_taken_is_a_local_failure) {
  open();
  const std::string port = std::to_string(door->local().port());
  const auto second = listener::open(context.get_executor(), "127.0.0.1", port);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().how, ending::local_failure);
  EXPECT_EQ(second.error().error, EADDRINUSE);
  EXPECT_FALSE(listener::open(context.get_executor(), "no-such-name.invalid", "7"));
}

TEST_F(listening, a_descriptor_that_listens_no_more_is_the_end) {
  open();
  ::shutdown(door->native_handle(), SHUT_RD);
  EXPECT_EQ(accept().error().how, ending::local_failure);
}

// accept(2), Errors and Error handling; EPROTO is what System V says for ECONNABORTED.
TEST_F(listening, an_error_of_one_connection_is_not_the_end) {
  open();
  for (const int error : {ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
                          EOPNOTSUPP, ENETUNREACH, ETIMEDOUT}) {
    told.clear();
    errors_to_come() = {error};
    const unique_fd there = caller();
    ASSERT_TRUE(accept()) << ::strerror(error);
    ASSERT_EQ(count(kind::aborted), 1) << ::strerror(error);
    EXPECT_EQ(told.front().why.error, error);
  }
}

TEST_F(listening, an_interrupted_accept_is_no_event) {
  open();
  errors_to_come() = {EINTR, EINTR};
  const unique_fd there = caller();
  EXPECT_TRUE(accept());
  EXPECT_TRUE(told.empty());
}

TEST_F(listening, an_error_that_stays_does_not_make_it_spin) {
  open({.pause = 50ms});
  errors_to_come().assign(100'000, EPROTO);
  EXPECT_EQ(accept(150ms).error().how, ending::deadline_passed);
  EXPECT_LT(count(kind::aborted), 5000);
  errors_to_come().clear();
  const unique_fd there = caller();
  EXPECT_TRUE(accept());
}

TEST_F(listening, want_of_memory_or_of_files_on_the_system_makes_it_pause) {
  for (const int error : {ENFILE, ENOBUFS, ENOMEM}) {
    told.clear();
    open({.pause = 30ms});
    errors_to_come() = {error, error};
    const unique_fd there = caller();
    const auto start = steady_clock::now();
    EXPECT_TRUE(accept()) << ::strerror(error);
    EXPECT_GE(steady_clock::now() - start, 60ms);
    ASSERT_EQ(told.size(), 2U) << "each once";
    EXPECT_EQ(told[0].what, kind::out_of_room);
    EXPECT_EQ(told[0].why.error, error);
    EXPECT_EQ(told[1].what, kind::recovered);
  }
}

TEST_F(listening, stop_ends_a_pause) {
  open({.pause = 1h});
  errors_to_come() = {ENFILE};
  const unique_fd there = caller();
  asio::steady_timer later(context, 10ms);
  later.async_wait([&](asio::error_code) { door->stop(); });
  EXPECT_EQ(accept(deadline::never()).error().how, ending::shut_down);
}

int expect(bool right, const char* what) {
  if (!right) std::cerr << "in the child: not so: " << what << std::endl;
  return right ? 0 : 1;
}

// In a process of its own, since its descriptors run out.
int without_descriptors() {
  asio::io_context context{1};
  std::vector<accept_event> told;
  const auto count = [&](kind what) { return std::ranges::count(told, what, &accept_event::what); };
  auto door = listener::open(context.get_executor(), "127.0.0.1", "0",
                             {.pause = 20ms, .tell = [&](const accept_event& e) { told.push_back(e); }});
  if (!door) return 1;
  unique_fd callers[] = {connect_to(door->local()), connect_to(door->local()), connect_to(door->local())};
  std::vector<unique_fd> filling;
  rlimit few{64, 64};
  ::getrlimit(RLIMIT_NOFILE, &few);
  few.rlim_cur = 64;
  ::setrlimit(RLIMIT_NOFILE, &few);
  for (int fd = 0; (fd = ::dup(0)) >= 0;) filling.emplace_back(fd);

  accepts() = 0;
  const auto none = play(context, door->accept(300ms));
  int wrong = expect(!none && none.error().how == ending::deadline_passed, "it does not end the listener");
  wrong +=
      expect(accepts() < 50, "it does not spin: two accepts each 20 ms of 300 ms, and those turned away");
  wrong += expect(count(kind::out_of_room) == 1, "told once");
  wrong += expect(told.front().why.error == EMFILE, "why");
  wrong += expect(count(kind::turned_away) == 3, "all who wait are told");
  for (const unique_fd& c : callers) wrong += expect(receive(c.get()).ended, "with a FIN");

  filling.resize(filling.size() / 2);
  const unique_fd later = connect_to(door->local());
  const auto s = play(context, door->accept(ample));
  wrong += expect(s && s->peer() == name_of(later.get()), "it recovers");
  wrong += expect(count(kind::recovered) == 1 && told.back().what == kind::recovered, "and says so");
  return wrong;
}

TEST(listener_without_descriptors, turns_away_and_recovers_and_does_not_spin) {
  child process(without_descriptors);
  EXPECT_EQ(process.wait(), 0);
}

}  // namespace
}  // namespace halfopen::net
