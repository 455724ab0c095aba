#include "clock/one_processor.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using halfopen::clock::is_crowded;
using halfopen::clock::one_processor;

TEST(OneProcessor, IsCrowdedFromAFifthOfTheTimeOn) {
  EXPECT_FALSE(is_crowded(0s, 1s));
  EXPECT_FALSE(is_crowded(200ms, 1s));
  EXPECT_TRUE(is_crowded(201ms, 1s));
}

/// Which processors a process has that entered one, as a bit set of the first 64.
std::uint64_t processors_after(const one_processor& place) {
  int ends[2];
  if (::pipe(ends) < 0) return 0;
  const pid_t child = ::fork();
  if (child == 0) {
    place.enter();
    cpu_set_t set;
    CPU_ZERO(&set);
    ::sched_getaffinity(0, sizeof set, &set);
    std::uint64_t bits = 0;
    for (int cpu = 0; cpu < 64; ++cpu)
      if (CPU_ISSET(cpu, &set)) bits |= std::uint64_t{1} << cpu;
    ::_exit(::write(ends[1], &bits, sizeof bits) == sizeof bits ? 0 : 1);
  }
  ::waitpid(child, nullptr, 0);
  std::uint64_t bits = 0;
  if (::read(ends[0], &bits, sizeof bits) != sizeof bits) bits = 0;
  ::close(ends[0]);
  ::close(ends[1]);
  return bits;
}

TEST(OneProcessor, IsOneAndTheNextTimeAnotherOne) {
  if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "this machine has one processor";
  const auto first = processors_after(one_processor());
  const auto second = processors_after(one_processor());
  EXPECT_EQ(__builtin_popcountll(first), 1);
  EXPECT_EQ(__builtin_popcountll(second), 1);
  EXPECT_NE(first, second);
}

}  // namespace
