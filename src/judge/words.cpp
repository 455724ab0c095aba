#include "judge/words.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <cstring>

namespace halfopen::judge {

int deadly_signal(const lab::exit_status& end) noexcept {
  if (end.signal != 0) return end.signal;
  constexpr int unmistakable[]{SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGPIPE, SIGSYS};
  for (const int s : unmistakable)
    if (end.code == 128 + s) return s;
  return 0;
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(number);
}

std::string in_words(milliseconds d) {
  const auto ms = d.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 120'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  const auto s = (ms + 500) / 1000;
  if (s < 7200) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
}

}  // namespace halfopen::judge
