// The outside of calls_preload.cpp: a piece of memory that the server opens by its
// path under /proc. An inherited descriptor would do too, but count as the server's.

#include "bench/call_counter.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace halfopen::bench {

call_counter::call_counter() : memory_(::memfd_create("calls", MFD_CLOEXEC)) {
  if (!memory_ || ::ftruncate(memory_.get(), sizeof(call_counts)) != 0)
    throw std::system_error(errno, std::generic_category(), "memfd_create");
  void* memory = ::mmap(nullptr, sizeof(call_counts), PROT_READ, MAP_SHARED, memory_.get(), 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  counts_ = static_cast<call_counts*>(memory);
}

call_counter::~call_counter() {
  ::munmap(counts_, sizeof(call_counts));
}

std::vector<std::string> call_counter::environment() const {
  return {fmt::format("{}=/proc/{}/fd/{}", counts_variable, ::getpid(), memory_.get()),
          "LD_PRELOAD=" HALFOPEN_BENCH_FOLDER "/libbench_calls.so"};
}

call_counts call_counter::counts() const {
  call_counts copy;
  for (std::size_t i = 0; i < copy.count.size(); ++i)
    copy.count[i] = __atomic_load_n(&counts_->count[i], __ATOMIC_RELAXED);
  return copy;
}

call_rate calls_between(const call_counts& before, const call_counts& after, double requests) {
  std::vector<std::pair<double, std::string_view>> kinds;
  call_rate rate;
  for (std::size_t i = 0; i < counted_calls.size(); ++i) {
    const double each = static_cast<double>(after.count[i] - before.count[i]) / requests;
    rate.all += each;
    if (each >= 0.005) kinds.emplace_back(each, counted_calls[i]);
  }
  std::ranges::sort(kinds, std::greater<>{});
  for (const auto& [each, name] : kinds)
    rate.kinds += fmt::format("{}{} {:.2f}", rate.kinds.empty() ? "" : ", ", name, each);
  return rate;
}

}  // namespace halfopen::bench
