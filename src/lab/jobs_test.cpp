#include "lab/jobs.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <vector>

#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::lab {
namespace {

using namespace std::chrono_literals;

class jobs : public testing::Test {
 protected:
  job_options options;
  std::vector<job_end> ends;

  jobs() {
    options.ended = [this](job_end e) { ends.push_back(std::move(e)); };
  }
  /// Runs them, and sorts what they gave by their number.
  void run(std::size_t count, const std::function<std::string(std::size_t)>& body) {
    options.count = count;
    EXPECT_TRUE(run_jobs(options, body));
    std::ranges::sort(ends, {}, &job_end::index);
    ASSERT_EQ(ends.size(), count);
  }
};

/// Works until this process has had a processor for that long.
void burn(std::chrono::milliseconds d) {
  while (std::clock() < d.count() * CLOCKS_PER_SEC / 1000) {
  }
}

TEST_F(jobs, give_their_results) {
  run(3, [](std::size_t i) { return "job " + std::to_string(i); });
  EXPECT_EQ(ends[2].text, "job 2");
  EXPECT_EQ(ends[2].problem, "");
}

TEST_F(jobs, cost_processor_time_with_what_they_started) {
  run(4, [](std::size_t i) -> std::string {
    if (i == 0) burn(60ms);
    if (i == 1) {
      const pid_t child = ::fork();
      if (child == 0) {
        burn(60ms);
        ::_exit(0);
      }
      ::waitpid(child, nullptr, 0);
    }
    if (i == 2) ::usleep(60'000);
    if (i == 3) {
      burn(60ms);
      ::raise(SIGKILL);
    }
    return "done";
  });
  EXPECT_GE(ends[0].processor, 50ms);
  EXPECT_GE(ends[1].processor, 50ms);
  EXPECT_LT(ends[2].processor, ends[0].processor);
  EXPECT_GE(ends[3].processor, 50ms);
  EXPECT_EQ(ends[3].text, "");
  EXPECT_TRUE(ends[3].problem.contains("signal 9")) << ends[3].problem;
}

TEST_F(jobs, that_may_not_start_wait_for_the_others) {
  std::vector<std::size_t> asked;
  options.may_start = [&](std::size_t under_way) {
    asked.push_back(under_way);
    return under_way < 2;
  };
  std::size_t under_way = 0;
  std::size_t most = 0;
  options.started = [&](std::size_t) { most = std::max(most, ++under_way); };
  options.ended = [&, keep = options.ended](job_end e) {
    --under_way;
    keep(std::move(e));
  };
  run(6, [](std::size_t) {
    ::usleep(30'000);
    return "done";
  });
  EXPECT_EQ(most, 2U);
  EXPECT_EQ(std::ranges::max(asked), 2U);
  EXPECT_EQ(std::ranges::min(asked), 1U);  // the first one needs nobody's leave
}

TEST_F(jobs, run_one_by_one_where_none_may_start) {
  options.may_start = [](std::size_t) { return false; };
  std::vector<std::size_t> order;
  options.ended = [&, keep = options.ended](job_end e) {
    order.push_back(e.index);
    keep(std::move(e));
  };
  run(4, [](std::size_t) { return "done"; });
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST_F(jobs, are_asked_for_again_while_none_ends) {
  int ends_of_pipe[2];
  ASSERT_EQ(::pipe(ends_of_pipe), 0);
  const unique_fd read_end(ends_of_pipe[0]);
  const unique_fd write_end(ends_of_pipe[1]);
  int asked = 0;
  options.limit = 30s;
  options.may_start = [&](std::size_t) { return ++asked > 5; };
  run(2, [&](std::size_t i) -> std::string {
    char byte = 'x';  // the first job ends when the second one says so
    if (i == 0) return ::read(read_end.get(), &byte, 1) == 1 ? "read" : "not read";
    return ::write(write_end.get(), &byte, 1) == 1 ? "written" : "not written";
  });
  EXPECT_EQ(ends[0].text, "read");
  EXPECT_EQ(ends[1].text, "written");
  EXPECT_EQ(asked, 6);
}

}  // namespace
}  // namespace halfopen::lab
