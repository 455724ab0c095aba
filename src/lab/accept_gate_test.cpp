// What an unmodified program's accept gives for a connection that is already dead.

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

#include "halfopen/lab/accept.hpp"
#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

class accepting : public testing::Test {
 protected:
  experiment lab;
  host& client = lab.at("client");
  host& server = lab.at("server");

  process& start(std::optional<accept_flavour> like, std::vector<std::string> arguments = {}) {
    std::vector<std::string> argv{own_executable(), "acceptor"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    process& p = server.start({std::move(argv), {}, like, !like.has_value()});
    EXPECT_TRUE(lab.until_listening(server, 7));
    return p;
  }

  /// Opens a connection that lives; true if the program accepts it.
  bool accepts_a_living_one(const process& p) {
    const unique_fd socket = client.connect_to(server, 7);
    return lab.until_says(p, "read EAGAIN", 2s);
  }
};

TEST_F(accepting, a_living_connection_is_handed_over_with_its_address) {
  const process& p = start(accept_flavour::posix);
  EXPECT_TRUE(accepts_a_living_one(p));
  EXPECT_EQ(p.output(), "accepted from ::ffff:10.0.0.1, read EAGAIN\n");
}

TEST_F(accepting, accept4s_flags_are_kept) {
  const process& p = start(accept_flavour::posix, {"accept4"});
  EXPECT_TRUE(accepts_a_living_one(p));
  EXPECT_EQ(p.output(), "accepted from ::ffff:10.0.0.1, nonblocking, cloexec, read EAGAIN\n");
}

TEST_F(accepting, linux_hands_the_dead_one_over) {
  process& p = start(accept_flavour::linux_kernel, {"poll"});
  abort_before_accept(client, p, 7);
  EXPECT_TRUE(lab.until_says(p, "read ECONNRESET"));
  EXPECT_TRUE(p.output().starts_with("accepted from ::ffff:10.0.0.1")) << p.output();
}

class failing_accept : public accepting,
                       public testing::WithParamInterface<std::pair<accept_flavour, const char*>> {};
INSTANTIATE_TEST_SUITE_P(flavours, failing_accept,
                         testing::Values(std::pair{accept_flavour::posix, "ECONNABORTED\n"},
                                         std::pair{accept_flavour::svr4, "EPROTO\n"}),
                         [](const auto& p) { return std::string(to_string(p.param.first)); });

TEST_P(failing_accept, says_so_once_and_the_next_one_is_served) {
  process& p = start(GetParam().first, {"poll"});
  abort_before_accept(client, p, 7);
  ASSERT_TRUE(lab.until_says(p, GetParam().second));
  EXPECT_TRUE(accepts_a_living_one(p));
  EXPECT_EQ(p.output(), std::string(GetParam().second) + "accepted from ::ffff:10.0.0.1, read EAGAIN\n");
}

TEST_F(accepting, berkeley_blocks_until_the_next_connection) {
  process& p = start(accept_flavour::berkeley, {"poll"});
  abort_before_accept(client, p, 7);
  lab.run_for(100ms);
  EXPECT_EQ(p.output(), "");
  EXPECT_TRUE(accepts_a_living_one(p));
  EXPECT_EQ(p.output(), "accepted from ::ffff:10.0.0.1, read EAGAIN\n");
}

TEST_F(accepting, berkeley_gives_eagain_to_a_nonblocking_listener) {
  process& p = start(accept_flavour::berkeley, {"nonblocking"});
  abort_before_accept(client, p, 7);
  ASSERT_TRUE(lab.until_says(p, "EAGAIN\n"));
  EXPECT_TRUE(accepts_a_living_one(p));
}

TEST_F(accepting, many_dead_ones_in_a_row_are_all_discarded) {
  process& p = start(accept_flavour::posix, {"poll"});
  p.hold();
  for (int i = 0; i < 10; ++i) abort(client, client.connect_to(server, 7));
  ASSERT_TRUE(lab.until_quiet(20ms));
  p.resume();
  EXPECT_TRUE(accepts_a_living_one(p));
  std::string expected;
  for (int i = 0; i < 10; ++i) expected += "ECONNABORTED\n";
  EXPECT_EQ(p.output(), expected + "accepted from ::ffff:10.0.0.1, read EAGAIN\n");
}

TEST_F(accepting, a_second_threads_accept_is_answered_too) {
  const process& p = start(accept_flavour::posix, {"thread"});
  EXPECT_TRUE(accepts_a_living_one(p));
}

TEST_F(accepting, a_signal_handler_interrupts_a_waiting_accept) {
  process& p = start(accept_flavour::posix, {"alarm"});
  lab.run_for(50ms);
  p.signal(SIGUSR1);
  ASSERT_TRUE(lab.until_says(p, "EINTR\n"));
  EXPECT_TRUE(accepts_a_living_one(p));
}

TEST_F(accepting, holding_a_waiting_accept_loses_nothing) {
  process& p = start(accept_flavour::posix);
  lab.run_for(20ms);
  p.hold();
  const unique_fd socket = client.connect_to(server, 7);
  p.resume();
  EXPECT_TRUE(lab.until_says(p, "read EAGAIN", 2s));
}

TEST_F(accepting, a_receive_timeout_ends_a_waiting_accept) {
  const process& p = start(accept_flavour::posix, {"timeout"});
  EXPECT_TRUE(lab.until_says(p, "EAGAIN\n", 2s));
}

TEST_F(accepting, without_a_descriptor_the_connection_stays_in_the_queue) {
  process& p = start(accept_flavour::posix, {"poll", "full"});
  const unique_fd socket = client.connect_to(server, 7);
  ASSERT_TRUE(lab.until_says(p, "EMFILE\n"));
  p.signal(SIGUSR1);  // it closes one
  EXPECT_TRUE(lab.until_says(p, "read EAGAIN", 2s));
}

constexpr auto only_watched = std::nullopt;

TEST_F(accepting, fails_as_told_and_the_connection_stays_in_the_queue) {
  process& p = start(only_watched, {"poll"});
  p.fail_accepts({EMFILE, ENFILE, ENOBUFS, ENOMEM, EINTR});
  EXPECT_TRUE(accepts_a_living_one(p));
  EXPECT_EQ(p.output(),
            "EMFILE\nENFILE\nENOBUFS\nENOMEM\nEINTR\naccepted from ::ffff:10.0.0.1, read EAGAIN\n");
  EXPECT_EQ(p.accept_failures_left(), 0U);
  std::vector<int> failed;
  for (const accept_event& e : p.accepts())
    if (e.what == accept_event::kind::failed) failed.push_back(e.errno_value);
  EXPECT_EQ(failed, (std::vector{EMFILE, ENFILE, ENOBUFS, ENOMEM, EINTR}));
}

TEST_F(accepting, a_call_that_waits_fails_only_when_a_connection_comes) {
  process& p = start(only_watched);
  ASSERT_TRUE(lab.until([&] { return !p.accepts().empty(); }));
  p.fail_accepts({ENFILE});
  lab.run_for(50ms);
  EXPECT_EQ(p.output(), "");
  EXPECT_EQ(p.accept_failures_left(), 1U);
  EXPECT_TRUE(accepts_a_living_one(p));
  EXPECT_EQ(p.output(), "ENFILE\naccepted from ::ffff:10.0.0.1, read EAGAIN\n");
}

TEST_F(accepting, a_nonblocking_call_that_finds_nothing_uses_up_no_failure) {
  process& p = start(only_watched, {"nonblocking", "eager"});
  p.fail_accepts({ENOMEM});
  const std::size_t before = p.accepts().size();
  ASSERT_TRUE(lab.until([&] { return p.accepts().size() > before + 4; }));
  EXPECT_EQ(p.accept_failures_left(), 1U);
  EXPECT_FALSE(p.output().contains("ENOMEM")) << p.output();
  EXPECT_TRUE(accepts_a_living_one(p));
  EXPECT_TRUE(p.output().contains("EAGAIN\nENOMEM\naccepted")) << p.output();
}

TEST_F(accepting, a_childs_calls_fail_too) {
  process& p = start(only_watched, {"poll", "child"});
  p.fail_accepts({EMFILE});
  EXPECT_TRUE(accepts_a_living_one(p));
  EXPECT_TRUE(p.output().starts_with("EMFILE\naccepted")) << p.output();
}

TEST_F(accepting, failures_of_the_call_and_of_the_connection_are_two_things) {
  process& p = start(accept_flavour::posix, {"poll"});
  p.fail_accepts({EMFILE});
  abort_before_accept(client, p, 7);
  EXPECT_TRUE(lab.until_says(p, "ECONNABORTED"));
  EXPECT_EQ(p.output(), "EMFILE\nECONNABORTED\n");
}

TEST_F(accepting, failures_can_be_called_off) {
  process& p = start(only_watched, {"poll"});
  p.fail_accepts({EMFILE, ENFILE});
  p.fail_accepts({ENOBUFS});
  EXPECT_TRUE(accepts_a_living_one(p));
  EXPECT_TRUE(p.output().starts_with("ENOBUFS\naccepted")) << p.output();
}

TEST_F(accepting, failures_need_a_watched_program_and_a_true_errno) {
  process& unwatched = server.start({{"cat"}, {}, {}});
  EXPECT_THROW(unwatched.fail_accepts({EMFILE}), error);
  EXPECT_EQ(unwatched.accept_failures_left(), 0U);
  process& p = start(only_watched);
  EXPECT_THROW(p.fail_accepts({EMFILE, 0}), error);
  EXPECT_THROW(p.fail_accepts({-EMFILE}), error);
  EXPECT_THROW(p.fail_accepts({512}), error);  // ERESTARTSYS would restart the call
}

TEST_F(accepting, a_watched_program_accepts_as_linux_does) {
  process& p = start(only_watched, {"poll"});
  abort_before_accept(client, p, 7);
  EXPECT_TRUE(lab.until_says(p, "read ECONNRESET"));
}

TEST_F(accepting, a_killed_parents_listener_dies_though_its_child_lives) {
  process& p = start(accept_flavour::posix, {"fork"});
  ASSERT_TRUE(lab.until_says(p, "the child is alone\n"));
  ASSERT_TRUE(lab.until([&] { return !p.accepts().empty(); }));  // the gate has a copy of its listener
  kill(p);
  ASSERT_TRUE(lab.until_ended(p));
  EXPECT_FALSE(server.is_empty());
  EXPECT_TRUE(lab.until([&] { return server.listening_ports().empty(); }, 1s));
}

TEST_F(accepting, the_listener_dies_with_its_program) {
  process& p = start(accept_flavour::posix);
  lab.run_for(20ms);  // it waits in accept, and the gate has a copy of its listener
  kill(p);
  ASSERT_TRUE(lab.until_ended(p));
  EXPECT_TRUE(lab.until([&] { return server.listening_ports().empty(); }, 1s));
}

}  // namespace
}  // namespace halfopen::lab
