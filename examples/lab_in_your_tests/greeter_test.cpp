#include <gtest/gtest.h>
#include <halfopen/lab/enter.hpp>
#include <halfopen/lab/experiment.hpp>
#include <halfopen/lab/fault.hpp>
#include <halfopen/trace/story.hpp>

using namespace std::chrono_literals;
namespace lab = halfopen::lab;
namespace trace = halfopen::trace;

class greeter : public testing::Test {
 protected:
  lab::experiment world;  // two hosts, "client" and "server", and a cable
  lab::host& client = world.at("client");
  lab::host& server = world.at("server");

  lab::process& serve(std::optional<lab::accept_flavour> like = {}) {
    lab::process& started = server.start({{GREETER, "serve", "80"}, {}, like});
    EXPECT_TRUE(world.until_listening(server, 80));
    return started;
  }
  lab::process& call() { return client.start({{GREETER, "call", "server", "80", "Ada"}, {}, {}}); }
};

TEST_F(greeter, greets) {
  serve();
  lab::process& c = call();
  ASSERT_TRUE(world.until_ended(c));
  EXPECT_EQ(c.ended()->code, 0);
  EXPECT_EQ(c.output(), "hello Ada\n");
}

TEST_F(greeter, does_not_take_a_killed_server_for_an_answer) {
  lab::process& s = serve();
  lab::process& c = call();
  ASSERT_TRUE(world.before(lab::from(client) && lab::payload()));  // the name is on the wire
  lab::kill(s);
  ASSERT_TRUE(world.until_ended(c));
  EXPECT_EQ(c.ended()->code, 1);
  EXPECT_EQ(c.output(), "");
}

TEST_F(greeter, notices_a_dead_host_within_three_seconds) {
  serve();
  lab::process& c = call();
  ASSERT_TRUE(world.before(lab::from(server) && lab::payload()));  // the greeting is on the wire
  lab::crash(server);                                              // and is lost with its host
  EXPECT_TRUE(world.until_ended(c, 3s));
  EXPECT_EQ(c.ended()->code, 1);

  const trace::story told = trace::tell(*world.traffic().connections().front());
  EXPECT_EQ(told.what.of(trace::side::responder).fin, std::nullopt) << "a dead host says no goodbye";
}

TEST_F(greeter, survives_a_connection_that_is_aborted_before_accept) {
  lab::process& s = serve(lab::accept_flavour::posix);  // ECONNABORTED, as POSIX says
  lab::abort_before_accept(client, s, 80);
  lab::process& next = call();
  ASSERT_TRUE(world.until_ended(next));
  EXPECT_EQ(next.output(), "hello Ada\n");
}

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return lab::enter([] { return RUN_ALL_TESTS(); });  // works as root and as an ordinary user
}
