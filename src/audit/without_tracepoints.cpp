// In place of tracepoints.cpp where libbpf or clang was missing at build time.

#include "audit/tracepoints.hpp"

namespace halfopen::audit {

struct tracepoints::inside {};

tracepoints::tracepoints(std::unique_ptr<inside> i) noexcept : inside_{std::move(i)} {}
tracepoints::tracepoints(tracepoints&&) noexcept = default;
tracepoints& tracepoints::operator=(tracepoints&&) noexcept = default;
tracepoints::~tracepoints() = default;

std::expected<tracepoints, std::string> tracepoints::open() {
  return std::unexpected(
      "this program was built without it: build it where libbpf-dev and clang are installed");
}
int tracepoints::descriptor() const noexcept {
  return -1;
}
void tracepoints::drain(const std::function<void(traced&&)>& /*take*/) {}
std::uint64_t tracepoints::losses() const {
  return 0;
}
std::uint64_t tracepoints::segments_repeated() const {
  return 0;
}

}  // namespace halfopen::audit
