#include "lab/waiting_for_processor.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

TEST(run_delays, count_from_the_first_look) {
  run_delays d;
  EXPECT_EQ(d.so_far(), 0ns);
  d.look(std::array{run_delay{1, 1, 500ns}});
  EXPECT_EQ(d.so_far(), 0ns);
  d.look(std::array{run_delay{1, 1, 530ns}});
  EXPECT_EQ(d.so_far(), 30ns);
  d.look(std::array{run_delay{1, 1, 530ns}});
  EXPECT_EQ(d.so_far(), 30ns);
}

TEST(run_delays, of_a_process_are_its_slowest_threads) {
  run_delays d;
  d.look(std::array{run_delay{1, 1, 100ns}, run_delay{1, 2, 100ns}});
  d.look(std::array{run_delay{1, 1, 110ns}, run_delay{1, 2, 150ns}});
  EXPECT_EQ(d.so_far(), 50ns);
  d.look(std::array{run_delay{1, 1, 130ns}, run_delay{1, 2, 151ns}});  // now the other one
  EXPECT_EQ(d.so_far(), 70ns);
}

TEST(run_delays, of_processes_are_added_up) {
  run_delays d;
  d.look(std::array{run_delay{1, 1, 100ns}, run_delay{2, 2, 100ns}});
  d.look(std::array{run_delay{1, 1, 110ns}, run_delay{2, 2, 150ns}});
  EXPECT_EQ(d.so_far(), 60ns);
}

TEST(run_delays, of_a_new_thread_count_whole) {
  run_delays d;
  d.look({});
  d.look(std::array{run_delay{1, 1, 10ns}});
  EXPECT_EQ(d.so_far(), 10ns);
  d.look(std::array{run_delay{1, 1, 12ns}, run_delay{1, 2, 40ns}});
  EXPECT_EQ(d.so_far(), 50ns);
}

TEST(run_delays, of_a_thread_that_is_gone_stay) {
  run_delays d;
  d.look(std::array{run_delay{1, 1, 0ns}});
  d.look(std::array{run_delay{1, 1, 10ns}});
  d.look({});
  d.look({});
  EXPECT_EQ(d.so_far(), 10ns);
}

TEST(run_delays, of_a_number_used_again_are_another_threads) {
  run_delays d;
  d.look(std::array{run_delay{1, 1, 1000ns}});
  d.look(std::array{run_delay{1, 1, 10ns}});
  EXPECT_EQ(d.so_far(), 10ns);
}

class waits_for_processor : public testing::Test {
 protected:
  experiment lab;
  host& server = lab.at("server");

  void SetUp() override {
    if (::access("/proc/self/schedstat", F_OK) < 0) GTEST_SKIP() << "this kernel does not count it";
  }
};

/// While it lives, this process and those that it starts share one processor.
class one_processor {
 public:
  one_processor() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i)
      if (CPU_ISSET(i, &before_)) CPU_SET(i, &one);
    ::sched_setaffinity(0, sizeof one, &one);
  }
  ~one_processor() { ::sched_setaffinity(0, sizeof before_, &before_); }
  one_processor(const one_processor&) = delete;
  one_processor& operator=(const one_processor&) = delete;

 private:
  cpu_set_t before_;
};

TEST_F(waits_for_processor, programs_that_want_it_at_once_wait_for_it) {
  const one_processor for_all;
  waiting_for_processor w({&server});
  EXPECT_EQ(w.so_far(), 0ns);
  for (int i = 0; i < 3; ++i) server.start({{"sh", "-c", "(while :; do :; done) & wait"}, {}, {}});
  EXPECT_TRUE(lab.until([&] { return w.look(), w.so_far() > 200ms; }));  // daemons count too
  const auto until_now = w.so_far();
  crash(server);
  w.look();
  const auto then = w.so_far();
  EXPECT_GE(then, until_now);
  reboot(server);
  server.start({{"sh", "-c", "(while :; do :; done) & while :; do :; done"}, {}, {}});
  EXPECT_TRUE(lab.until([&] { return w.look(), w.so_far() > then + 100ms; }));
}

TEST_F(waits_for_processor, those_of_other_hosts_do_not_count) {
  const one_processor for_all;
  for (int i = 0; i < 2; ++i) server.start({{"sh", "-c", "while :; do :; done"}, {}, {}});
  waiting_for_processor all({&server});
  waiting_for_processor none({&lab.at("client")});
  ASSERT_TRUE(lab.until([&] { return none.look(), all.look(), all.so_far() > 200ms; }));
  EXPECT_LT(none.so_far(), all.so_far());  // the lab's own wait is in both
}

}  // namespace
}  // namespace halfopen::lab
