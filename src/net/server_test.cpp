// Each server is a process of its own: signals, handed over sockets and the end of
// run() are what is tested.

#include "halfopen/server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <asio/steady_timer.hpp>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "fate/emulation.hpp"
#include "net/service_manager.hpp"
#include "net/test_peer.hpp"
#include "net/worker.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using asio::ip::tcp;
using std::chrono::steady_clock;

/// Answers each line with itself. Some lines ask for something else.
asio::awaitable<fate> serve(stream& s) {
  for (;;) {
    const auto next = co_await s.next_message(1h);
    if (!next) co_return next.error();
    const auto line = co_await s.read_line(100, 1h);
    if (!line) co_return line.error();
    if (*line == "throw") throw std::runtime_error("on purpose");
    if (*line == "throw an int") throw 1;
    if (*line == "close") {
      co_await s.close(1h);
      co_return fate{};
    }
    if (*line == "half") {
      static_cast<void>(co_await s.write("half a re", ample));
      asio::steady_timer timer(s.get_executor(), 1h);
      co_await timer.async_wait(asio::use_awaitable);
    }
    const std::string reply = std::string(*line) + "\n";
    const auto sent = co_await s.write(reply, ample);
    if (!sent) co_return sent.error();
  }
}

class server_process {
 public:
  explicit server_process(server_options options = {}, const std::function<void()>& before = {})
      : process_([&] { return run(std::move(options), before); }) {
    ends_.there.reset();
    const std::string said = receive(ends_.here.get(), 6).bytes;
    if (!said.empty()) port_ = static_cast<std::uint16_t>(std::stoi(said));
  }

  [[nodiscard]] unique_fd call() const {
    return connect_to(tcp::endpoint(asio::ip::address_v4::loopback(), port_));
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void signal(int number) const { process_.signal(number); }
  /// 10 * served + cut off, or 255 if run() failed.
  [[nodiscard]] int outcome() { return process_.wait(); }

 private:
  int run(server_options options, const std::function<void()>& before) {
    if (before) before();
    server s(std::move(options), serve);
    if (!s.open()) return 254;
    std::string port = std::to_string(s.local().port());
    send_all(ends_.there.get(), port.insert(0, 6 - port.size(), ' '));
    ends_.here.reset();
    ends_.there.reset();
    const auto done = s.run();
    return done ? static_cast<int>(10 * done->served + done->cut_off) : 255;
  }

  ends ends_ = connection();
  child process_;
  std::uint16_t port_ = 0;
};

bool echoes(const unique_fd& c, const std::string& line = "hello\n") {
  return send_all(c.get(), line) && receive(c.get(), line.size()).bytes == line;
}

TEST(server, serves_until_it_is_told_to_stop) {
  for (const int number : {SIGTERM, SIGINT}) {
    server_process server({.grace = 1h, .linger = 1h});
    const unique_fd one = server.call();
    const unique_fd two = server.call();
    EXPECT_TRUE(echoes(one) && echoes(two) && echoes(one));
    server.signal(number);
    EXPECT_TRUE(receive(one.get()).ended) << "an idle connection is closed";
    EXPECT_TRUE(receive(two.get()).ended);
    EXPECT_FALSE(server.call());
    finish(one);
    finish(two);
    EXPECT_EQ(server.outcome(), 20);
  }
}

TEST(server, finishes_what_is_under_way_and_serves_who_waits) {
  server_process server;
  unique_fd half = server.call();
  ASSERT_TRUE(echoes(half));
  send_all(half.get(), "hel");
  std::this_thread::sleep_for(moment);
  server.signal(SIGSTOP);
  std::vector<unique_fd> queued;
  for (int i = 0; i < 20; ++i) {
    queued.push_back(server.call());
    send_all(queued.back().get(), "queued\n");
  }
  server.signal(SIGTERM);
  server.signal(SIGCONT);
  for (unique_fd& c : queued) {
    const received got = receive(c.get());
    EXPECT_EQ(got.bytes, "queued\n");
    EXPECT_TRUE(got.ended);
    c.reset();
  }
  send_all(half.get(), "lo\n");
  EXPECT_EQ(receive(half.get()).bytes, "hello\n");
  half.reset();
  EXPECT_EQ(server.outcome(), 210);
}

TEST(server, cuts_off_with_an_rst_what_the_grace_is_too_short_for) {
  server_process server({.grace = 150ms});
  const unique_fd stuck = server.call();
  send_all(stuck.get(), "half\n");
  EXPECT_EQ(receive(stuck.get(), 9).bytes, "half a re");
  const auto start = steady_clock::now();
  server.signal(SIGTERM);
  const received end = receive(stuck.get());
  EXPECT_EQ(end.error, ECONNRESET) << "a FIN would say that the reply was whole";
  EXPECT_EQ(server.outcome(), 11);
  EXPECT_GE(steady_clock::now() - start, 100ms);
}

TEST(server, the_process_itself_has_a_moment_of_the_grace) {
  EXPECT_EQ(usable_grace(300ms), 270ms);
  EXPECT_EQ(usable_grace(5s), 4900ms);
}

TEST(server, a_handler_that_throws_costs_its_connection_only) {
  server_process server;
  for (const char* line : {"throw\n", "throw an int\n"}) {
    const unique_fd thrown = server.call();
    send_all(thrown.get(), line);
    EXPECT_TRUE(receive(thrown.get()).ended);
  }
  unique_fd other = server.call();
  EXPECT_TRUE(echoes(other));
  server.signal(SIGTERM);
  EXPECT_TRUE(receive(other.get()).ended);
  other.reset();
  EXPECT_EQ(server.outcome(), 30);
}

TEST(server, a_handler_may_close_its_connection_itself_whenever_the_end_comes) {
  server_process server({.grace = 200ms});
  const unique_fd closed = server.call();
  send_all(closed.get(), "close\n");
  EXPECT_TRUE(receive(closed.get()).ended);
  server.signal(SIGTERM);
  EXPECT_LE(server.outcome(), 11) << "and no death by a signal";
}

TEST(server, two_threads_share_the_port) {
  if (emulation::by == "qemu-i386") GTEST_SKIP() << emulation::no_threads_after_fork;
  server_process server({.threads = 2});
  std::vector<unique_fd> callers;
  for (int i = 0; i < 20; ++i) callers.push_back(server.call());
  for (const unique_fd& c : callers) EXPECT_TRUE(echoes(c));
  server.signal(SIGTERM);
  for (unique_fd& c : callers) {
    EXPECT_TRUE(receive(c.get()).ended);
    c.reset();
  }
  EXPECT_EQ(server.outcome(), 200);
}

/// A build for another machine has no libsystemd (cmake/another_machine.cmake).
constexpr const char* no_libsystemd = "this build has no libsystemd, and takes no socket from systemd";
bool has_libsystemd() {
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  const bool has = sockets_handed_over().has_value();
  ::unsetenv("LISTEN_PID");
  return has;
}

/// As systemd does: the listener is descriptor 3, and the environment says so.
void hand_over(const unique_fd& listening) {
  ::dup2(listening.get(), 3);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
}

TEST(server, takes_the_socket_that_systemd_hands_over_and_leaves_the_queue_to_the_next) {
  if (!has_libsystemd()) GTEST_SKIP() << no_libsystemd;
  const unique_fd listening = listen_here();
  const auto name = name_of(listening.get());

  server_process first({}, [&] { hand_over(listening); });
  EXPECT_EQ(first.port(), name.port());
  unique_fd served = connect_to(name);
  EXPECT_TRUE(echoes(served));
  first.signal(SIGTERM);
  EXPECT_TRUE(receive(served.get()).ended);
  served.reset();
  EXPECT_EQ(first.outcome(), 10);

  const unique_fd meanwhile = connect_to(name);
  send_all(meanwhile.get(), "late\n");
  server_process second({.threads = 2}, [&] { hand_over(listening); });
  EXPECT_EQ(receive(meanwhile.get(), 5).bytes, "late\n");
}

TEST(server, takes_one_socket_from_systemd_and_no_more) {
  child process([] {
    ::setenv("LISTEN_FDS", "2", 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    for (const int fd : {3, 4}) ::dup2(listen_here().release(), fd);
    server s({}, serve);
    const auto opened = s.open();
    return !opened && opened.error().how == ending::local_failure ? 0 : 1;
  });
  EXPECT_EQ(process.wait(), 0);
}

TEST(server, refuses_a_socket_from_systemd_that_it_cannot_take) {
  if (has_libsystemd()) GTEST_SKIP() << "this build has libsystemd, and takes it";
  child process([] {
    hand_over(listen_here());
    server s({}, serve);
    const auto opened = s.open();
    return !opened && opened.error().how == ending::local_failure ? 0 : 1;
  });
  EXPECT_EQ(process.wait(), 0);
}

TEST(server, tells_systemd_when_it_serves_and_when_it_stops) {
  if (!has_libsystemd()) GTEST_SKIP() << no_libsystemd;
  const unique_fd told(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const timeval soon{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(told.get(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  socklen_t size = sizeof(sa_family_t);  // the kernel chooses an abstract name
  ASSERT_EQ(::bind(told.get(), reinterpret_cast<const sockaddr*>(&name), size), 0);
  size = sizeof name;
  ASSERT_EQ(::getsockname(told.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
  const std::string path = "@" + std::string(name.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);

  server_process server({}, [&] { ::setenv("NOTIFY_SOCKET", path.c_str(), 1); });
  EXPECT_EQ(receive(told.get(), 7).bytes, "READY=1");
  server.signal(SIGTERM);
  EXPECT_EQ(receive(told.get(), 10).bytes, "STOPPING=1");
}

TEST(server, a_listener_that_fails_ends_run_and_the_connections_are_finished) {
  if (!has_libsystemd()) GTEST_SKIP() << no_libsystemd;
  const unique_fd listening = listen_here();
  server_process server({}, [&] { hand_over(listening); });
  unique_fd served = connect_to(name_of(listening.get()));
  ASSERT_TRUE(echoes(served));
  ::shutdown(listening.get(), SHUT_RD);
  const received end = receive(served.get());
  EXPECT_TRUE(end.ended) << "errno " << end.error;
  served.reset();
  EXPECT_EQ(server.outcome(), 255);
}

TEST(server, a_limit_is_one_for_all_threads) {
  server s(
      {.threads = 2, .heed_signals = false, .listening = {.limits = std::make_shared<connection_limits>(3)}},
      serve);
  ASSERT_TRUE(s.open());
  std::jthread runs([&] { static_cast<void>(s.run()); });
  std::vector<unique_fd> callers;
  for (int i = 0; i < 12; ++i) callers.push_back(connect_to(s.local()));
  for (const unique_fd& c : callers) send_all(c.get(), "hello\n");
  std::this_thread::sleep_for(2 * moment);
  int answered = 0;
  for (const unique_fd& c : callers) {
    char byte = 0;
    answered += ::recv(c.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1 ? 1 : 0;
  }
  EXPECT_EQ(answered, 3);
  // Whoever is served leaves, and so all are served in the end.
  int served = 0;
  for (const auto end = steady_clock::now() + patience; served < 12 && steady_clock::now() < end;)
    for (unique_fd& c : callers) {
      char byte = 0;
      if (!c || ::recv(c.get(), &byte, 1, MSG_DONTWAIT) != 1) continue;
      ++served;
      c.reset();
    }
  EXPECT_EQ(served, 12);
  s.stop();
}

TEST(server, threads_serve_side_by_side_until_a_stop_from_another) {
  std::atomic<std::size_t> ended = 0;
  server s({.threads = 3,
            .heed_signals = false,
            .ended =
                [&](const tcp::endpoint&, const fate& how) {
                  ended += how.how == ending::completed || how.how == ending::shut_down ? 1U : 0U;
                }},
           serve);
  ASSERT_TRUE(s.open());
  std::atomic<std::size_t> answered = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < 3; ++i)
    clients.emplace_back([&] {
      for (int n = 0; n < 20; ++n) {
        const unique_fd c = connect_to(s.local());
        if (echoes(c) && echoes(c)) ++answered;
      }
    });
  const std::jthread later([&] {
    const unique_fd stays = connect_to(s.local());
    if (echoes(stays)) ++answered;
    for (std::jthread& c : clients) c.join();
    s.stop();
    static_cast<void>(receive(stays.get()));
  });
  const auto done = s.run();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->served, 61U);
  EXPECT_EQ(done->cut_off, 0U);
  EXPECT_EQ(answered, 61U);
  EXPECT_EQ(ended, 61U);
}

asio::awaitable<fate> say_nothing(stream& s) {
  const auto next = co_await s.next_message(1h);
  co_return next ? fate{} : next.error();
}

TEST(server, signals_are_as_they_were_after_run) {
  child process([] {
    struct sigaction mine{};
    mine.sa_handler = SIG_IGN;
    ::sigaction(SIGTERM, &mine, nullptr);
    server s({.ready = [] { ::raise(SIGTERM); }}, say_nothing);
    if (!s.open() || !s.run()) return 1;
    struct sigaction term{};
    struct sigaction interrupt{};
    ::sigaction(SIGTERM, nullptr, &term);
    ::sigaction(SIGINT, nullptr, &interrupt);
    return term.sa_handler == SIG_IGN && interrupt.sa_handler == SIG_DFL ? 0 : 2;
  });
  EXPECT_EQ(process.wait(), 0);
}

TEST(server, stop_comes_from_any_thread_and_each_end_is_told) {
  std::vector<fate> told;
  std::atomic<std::size_t> begun = 0;
  std::atomic<std::size_t> over = 0;
  server s({.heed_signals = false,
            .ended =
                [&](const tcp::endpoint&, const fate& how) {
                  told.push_back(how);
                  ++over;
                }},
           [&](stream& c) {
             ++begun;
             return say_nothing(c);
           });
  const auto wait_for = [](const std::atomic<std::size_t>& count, std::size_t what) {
    for (const auto end = steady_clock::now() + patience; count < what && steady_clock::now() < end;)
      std::this_thread::sleep_for(1ms);
  };
  ASSERT_TRUE(s.open());
  unique_fd leaves = connect_to(s.local());
  finish(leaves);
  unique_fd resets = connect_to(s.local());
  const unique_fd stays = connect_to(s.local());
  const std::jthread later([&] {
    wait_for(begun, 3);
    wait_for(over, 1);
    reset(resets);
    wait_for(over, 2);
    s.stop();
    static_cast<void>(receive(stays.get()));
    finish(stays);
  });
  const auto done = s.run();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->served, 3U);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].how, ending::completed);
  EXPECT_TRUE(told[1].could_be(ending::peer_reset));
  EXPECT_EQ(told[2].how, ending::shut_down);
  const server::counts now = s.count();
  EXPECT_EQ(now.open, 0U);
  EXPECT_EQ(now.served, 3U);
  EXPECT_EQ(now.cut_off, 0U);
  EXPECT_EQ(now.ended.of(ending::completed, phase::idle), 1U);
  EXPECT_EQ(now.ended.of(ending::shut_down, phase::idle), 1U);
  EXPECT_EQ(now.ended.total(), 3U);
}

TEST(server, who_is_open_turned_away_and_cut_off_is_counted_and_read_from_another_thread) {
  std::atomic<int> told = 0;
  server s({.grace = 100ms,
            .heed_signals = false,
            .listening = {.limits = std::make_shared<connection_limits>(0, 1),
                          .tell = [&](const accept_event&) { ++told; }}},
           serve);
  ASSERT_TRUE(s.open());
  std::jthread runs([&] { static_cast<void>(s.run()); });
  const unique_fd stuck = connect_to(s.local());
  send_all(stuck.get(), "half\n");
  EXPECT_EQ(receive(stuck.get(), 9).bytes, "half a re");
  EXPECT_TRUE(receive(connect_to(s.local()).get()).ended) << "one connection an address";
  EXPECT_EQ(s.count().open, 1U);
  EXPECT_EQ(s.count().served, 1U);
  EXPECT_EQ(s.count().turned_away, 1U);
  EXPECT_EQ(told, 1);
  s.stop();
  runs.join();
  EXPECT_EQ(s.count().cut_off, 1U);
  EXPECT_EQ(s.count().open, 0U);
  EXPECT_EQ(s.count().ended.total(), 0U);
}

TEST(server, one_stopped_before_it_runs_serves_who_waits_and_ends) {
  server s({.heed_signals = false}, serve);
  ASSERT_TRUE(s.open());
  const unique_fd waits = connect_to(s.local());
  send_all(waits.get(), "hello\n");
  finish(waits);
  s.stop();
  const auto done = s.run();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->served, 1U);
  EXPECT_EQ(receive(waits.get()).bytes, "hello\n");
}

TEST(server, one_in_the_queue_that_says_nothing_does_not_keep_it) {
  server s({.heed_signals = false}, serve);
  ASSERT_TRUE(s.open());
  const unique_fd silent = connect_to(s.local());
  finish(silent);
  const unique_fd stays = connect_to(s.local());
  const std::jthread leaves([&] {
    static_cast<void>(receive(stays.get()));
    finish(stays);
  });
  s.stop();
  const auto done = s.run();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->served, 2U);
  EXPECT_EQ(done->cut_off, 0U);
}

TEST(server, one_with_a_socket_from_systemd_leaves_who_waits_to_the_next) {
  if (!has_libsystemd()) GTEST_SKIP() << no_libsystemd;
  const unique_fd listening = listen_here();
  const unique_fd waits = connect_to(name_of(listening.get()));
  child process([&] {
    hand_over(listening);
    server s({.heed_signals = false}, serve);
    if (!s.open()) return 254;
    s.stop();
    const auto done = s.run();
    return done ? static_cast<int>(done->served) : 255;
  });
  EXPECT_EQ(process.wait(), 0);
  EXPECT_TRUE(accept_from(listening.get()));
}

TEST(server, a_port_that_is_taken_is_told_by_open) {
  const unique_fd taken = listen_here();
  server s({.service = std::to_string(name_of(taken.get()).port())}, serve);
  const auto opened = s.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error, EADDRINUSE);
}

TEST(server, leaves_no_descriptor_behind) {
  const std::size_t before = open_descriptors();
  {
    server s({.threads = 3, .heed_signals = false}, serve);
    ASSERT_TRUE(s.open());
    s.stop();
    ASSERT_TRUE(s.run());
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace halfopen::net
