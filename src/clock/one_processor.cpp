// A guest's kernel and its programs hand over to each other at each system call and page fault, and
// never run side by side. On two processors each handing over wakes up the other one, which in a virtual
// machine is an interrupt and an exit: a stop by ptrace(2) was measured at 46 us there, and at 6 us with
// both on one processor (docs/virtual-clock.md). The kernel's scheduler spreads them all the same, as it
// does not know that the one that wakes goes to sleep at once.
//
// So a guest is kept on one processor, and moved when it has to share it. To leave that to a scheduling
// class or to a cgroup needs rights that a user does not have.

#include "clock/one_processor.hpp"

#include <unistd.h>

#include <fstream>
#include <string>

namespace halfopen::clock {
namespace {

using std::chrono::nanoseconds;

/// The n-th of the allowed ones, counted around.
cpu_set_t alone(const cpu_set_t& allowed, int count, int n) {
  cpu_set_t set;
  CPU_ZERO(&set);
  int seen = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || seen++ != n % count) continue;
    CPU_SET(cpu, &set);
    break;
  }
  return set;
}

/// What it waited since it began (Documentation/scheduler/sched-stats.rst). Nothing: it is not counted here.
std::optional<nanoseconds> waited_by(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/schedstat");
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  if (!(file >> ran >> waited)) return std::nullopt;
  return nanoseconds(waited);
}

/// Programs that run side by side begin with different ones.
int next_turn() {
  static int turn = static_cast<int>(::getpid());
  return turn++;
}

}  // namespace

bool is_crowded(nanoseconds waited, nanoseconds of) noexcept {
  return waited * 5 > of;
}

one_processor::one_processor() {
  CPU_ZERO(&allowed_);
  if (::sched_getaffinity(0, sizeof allowed_, &allowed_) < 0) return;
  count_ = CPU_COUNT(&allowed_);
  if (count_ > 1) here_ = next_turn() % count_;
}

void one_processor::enter() const noexcept {
  if (count_ < 2) return;
  const cpu_set_t here = alone(allowed_, count_, here_);
  ::sched_setaffinity(0, sizeof here, &here);
}

void one_processor::look(pid_t guest, time_point now) {
  constexpr auto every = std::chrono::milliseconds(250);
  if (count_ < 2 || now - looked_ < every) return;
  const auto waited = waited_by(guest);
  if (waited && waited_ && is_crowded(*waited - *waited_, now - looked_)) move(guest);
  waited_ = waited;
  looked_ = now;
}

void one_processor::move(pid_t guest) {
  here_ = (here_ + 1) % count_;
  const cpu_set_t here = alone(allowed_, count_, here_);
  // First the one that starts the others, so that none is missed.
  ::sched_setaffinity(guest, sizeof here, &here);
  const std::string self = std::to_string(guest);
  std::ifstream children("/proc/" + self + "/task/" + self + "/children");
  for (pid_t child = 0; children >> child;) ::sched_setaffinity(child, sizeof here, &here);
}

}  // namespace halfopen::clock
