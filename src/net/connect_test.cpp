#include "halfopen/connect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>

#include "net/resolve.hpp"
#include "net/test_peer.hpp"

namespace halfopen::net {
namespace {

using namespace test;
using namespace std::chrono_literals;
using asio::ip::tcp;
using std::chrono::steady_clock;
using testing::ElementsAre;

/// Listens, but its queue is full: the kernel drops every SYN, as a dead host would.
class dead_address {
 public:
  [[nodiscard]] tcp::endpoint name() const { return name_of(listening_.get()); }
  /// From the next SYN on, which comes again after a second.
  void refuse() { listening_.reset(); }

 private:
  unique_fd listening_ = listen_here(0);
  unique_fd queued_ = connect_to(name_of(listening_.get()));
};

tcp::endpoint refusing() {
  const unique_fd closed_at_once = listen_here();
  return name_of(closed_at_once.get());
}

std::vector<std::pair<tcp::endpoint, ending>> summary(const std::vector<attempt>& failed) {
  std::vector<std::pair<tcp::endpoint, ending>> all;
  for (const attempt& a : failed) all.emplace_back(a.to, a.why.how);
  return all;
}

struct connecting : testing::Test {
  asio::io_context context{1};
  unique_fd listening = listen_here();
  tcp::endpoint alive = name_of(listening.get());
  std::vector<attempt> failed;
  steady_clock::time_point start = steady_clock::now();

  auto connect_to_all(std::vector<tcp::endpoint> all, deadline limit = ample,
                      std::chrono::milliseconds head_start = 60ms) {
    start = steady_clock::now();
    return play(context, connect(std::move(all), limit,
                                 {.connection = {}, .head_start = head_start, .failed = &failed}));
  }
  auto connect_by_name(const std::string& host, const std::string& service, deadline limit = ample) {
    return play(context, connect(host, service, limit));
  }
  [[nodiscard]] auto took() const { return steady_clock::now() - start; }
};

TEST_F(connecting, to_an_address_that_answers) {
  auto s = connect_to_all({alive});
  ASSERT_TRUE(s);
  EXPECT_EQ(s->peer(), alive);
  EXPECT_EQ(s->where(), phase::idle);
  const unique_fd there = accept_from(listening.get());
  ASSERT_TRUE(play(context, s->write("hello\n", ample)));
  EXPECT_EQ(receive(there.get(), 6).bytes, "hello\n");
  EXPECT_TRUE(failed.empty());
}

TEST_F(connecting, to_nobody_is_refused_and_safe) {
  const auto nobody = refusing();
  const auto s = connect_to_all({nobody});
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().how, ending::refused);
  EXPECT_EQ(s.error().when, phase::connecting);
  EXPECT_EQ(s.error().again, retry::safe);
  EXPECT_EQ(summary(failed), (std::vector{std::pair{nobody, ending::refused}}));
}

TEST_F(connecting, to_no_address_at_all_fails) {
  const auto s = connect_to_all({});
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().how, ending::local_failure);
}

TEST_F(connecting, the_next_address_is_tried_at_once_after_a_refusal) {
  const auto nobody = refusing();
  const auto s = connect_to_all({nobody, nobody, alive}, deadline::never(), 1h);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->peer(), alive);
  EXPECT_EQ(failed.size(), 2U);
}

TEST_F(connecting, the_next_address_is_tried_at_once_after_a_refusal_that_took_its_time) {
  dead_address dead;
  const tcp::endpoint refuses_late = dead.name();
  asio::steady_timer later(context, moment);
  later.async_wait([&](asio::error_code) { dead.refuse(); });
  const auto s = connect_to_all({refuses_late, alive}, deadline::never(), 1h);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->peer(), alive);
  EXPECT_EQ(summary(failed), (std::vector{std::pair{refuses_late, ending::refused}}));
}

TEST_F(connecting, a_dead_first_address_costs_the_head_start_only) {
  const dead_address dead;
  const auto s = connect_to_all({dead.name(), alive}, deadline::never(), 80ms);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->peer(), alive);
  EXPECT_GE(took(), 80ms);
  EXPECT_TRUE(failed.empty()) << "it has not failed";
}

TEST_F(connecting, the_second_address_is_left_alone_if_the_first_answers_in_its_head_start) {
  const unique_fd other = listen_here();
  ASSERT_TRUE(connect_to_all({alive, name_of(other.get())}, deadline::never(), 1h));
  pollfd watched{other.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, 20), 0);
}

TEST_F(connecting, the_deadline_is_one_for_all) {
  const dead_address dead;
  const dead_address also_dead;
  const auto s = connect_to_all({dead.name(), also_dead.name()}, 120ms, 50ms);
  ASSERT_FALSE(s);
  EXPECT_GE(took(), 120ms);
  EXPECT_EQ(s.error().how, ending::deadline_passed);
  EXPECT_EQ(s.error().again, retry::safe);
  EXPECT_EQ(summary(failed), (std::vector{std::pair{dead.name(), ending::deadline_passed},
                                          std::pair{also_dead.name(), ending::deadline_passed}}));
}

TEST_F(connecting, a_deadline_within_the_first_head_start) {
  const dead_address dead;
  const auto s = connect_to_all({dead.name(), alive}, 40ms, 1h);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().how, ending::deadline_passed);
  EXPECT_EQ(failed.size(), 2U);
}

TEST_F(connecting, by_name_and_by_number) {
  const std::string port = std::to_string(alive.port());
  EXPECT_TRUE(connect_by_name("127.0.0.1", port));
  EXPECT_TRUE(connect_by_name("localhost", port)) << "::1 refuses, 127.0.0.1 answers";
}

TEST_F(connecting, to_a_v6_number) {
  const unique_fd six = listen_here(16, "::1");
  const auto s = connect_by_name("::1", std::to_string(name_of(six.get()).port()));
  ASSERT_TRUE(s);
  EXPECT_TRUE(s->peer().address().is_v6());
}

TEST_F(connecting, to_a_name_or_service_that_is_not_there) {
  const auto no_name = connect_by_name("no-such-name.invalid", "7", ample);
  ASSERT_FALSE(no_name);
  EXPECT_TRUE(no_name.error().how == ending::local_failure || no_name.error().how == ending::deadline_passed);
  EXPECT_EQ(no_name.error().again, retry::safe);
  const auto no_service = connect_by_name("127.0.0.1", "no-such-service");
  ASSERT_FALSE(no_service);
  EXPECT_EQ(no_service.error().how, ending::local_failure);
}

TEST_F(connecting, cancellation_leaves_nothing_behind) {
  using namespace asio::experimental::awaitable_operators;
  const dead_address dead;
  static_cast<void>(connect_to_all({alive}));
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    asio::steady_timer timer(context, 15ms);
    const auto first = play(context, connect({dead.name(), dead.name()}, deadline::never(),
                                             {.connection = {}, .head_start = 5ms, .failed = &failed}) ||
                                         timer.async_wait(asio::use_awaitable));
    EXPECT_EQ(first.index(), 1U);
    context.restart();
    context.run_for(100ms);
    EXPECT_TRUE(context.stopped()) << "somebody still waits";
    EXPECT_EQ(open_descriptors(), before);
  }
}

TEST_F(connecting, no_descriptor_is_left_however_it_ends) {
  const dead_address dead;
  const auto nobody = refusing();
  static_cast<void>(connect_to_all({alive}));
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(connect_to_all({dead.name(), nobody, alive}, ample, 5ms));
    EXPECT_FALSE(connect_to_all({dead.name(), nobody}, 10ms, 2ms));
    context.restart();
    context.run_for(100ms);
    EXPECT_TRUE(context.stopped());
    EXPECT_EQ(open_descriptors(), before);
  }
}

TEST_F(connecting, an_io_context_destroyed_meanwhile_takes_all_with_it) {
  const dead_address dead;
  const std::size_t before = open_descriptors();
  {
    asio::io_context own{1};
    asio::co_spawn(own, connect({dead.name(), dead.name()}, 1h, {.connection = {}, .head_start = 5ms}),
                   [](const std::exception_ptr&, const auto&) {});
    own.run_for(20ms);
    EXPECT_GT(open_descriptors(), before);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(addresses, of_two_families_take_turns) {
  const tcp::endpoint six(asio::ip::make_address("::1"), 1);
  const tcp::endpoint four(asio::ip::make_address("127.0.0.1"), 1);
  EXPECT_THAT(by_turns({six, six, six, four}), ElementsAre(six, four, six, six));
  EXPECT_THAT(by_turns({four, six}), ElementsAre(four, six));
  EXPECT_THAT(by_turns({}), ElementsAre());
}

}  // namespace
}  // namespace halfopen::net
