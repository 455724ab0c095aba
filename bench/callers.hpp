#ifndef HALFOPEN_BENCH_CALLERS_HPP
#define HALFOPEN_BENCH_CALLERS_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "halfopen/wire/sum.hpp"

namespace halfopen::bench {

/// A client as bench/run restart uses it, one in each of several threads: blocking,
/// and free to send a request again, since a sum may be asked for twice.
class caller {
 public:
  caller() = default;
  virtual ~caller() = default;
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;

  /// Whether the right sum came back. It gives up within ten seconds or so.
  [[nodiscard]] virtual bool call(wire::sum_request request) = 0;

  /// How many requests were sent more than once, so far.
  [[nodiscard]] virtual std::uint64_t sent_again() const = 0;
};

struct caller_kind {
  std::string_view name;
  /// `number` differs between the callers that are made.
  std::function<std::unique_ptr<caller>(std::uint16_t port, unsigned number)> make;
};

[[nodiscard]] std::vector<caller_kind> caller_kinds();

/// The library's client.
[[nodiscard]] std::unique_ptr<caller> make_library_caller(std::uint16_t port);

}  // namespace halfopen::bench

#endif
