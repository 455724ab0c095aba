#ifndef HALFOPEN_SRC_AUDIT_TRACEPOINTS_HPP
#define HALFOPEN_SRC_AUDIT_TRACEPOINTS_HPP

#include <cstddef>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "audit/ending.hpp"

struct halfopen_socket_record;

namespace halfopen::audit {

/// What the kernel tells of each TCP connection of the machine, in whatever network namespace, by a BPF
/// program at its tracepoints (src/audit/tracepoints.bpf.c). Needs CAP_BPF and CAP_PERFMON (or root),
/// Linux 5.12 and the kernel's BTF; the program is gone with this object, and with its process. Not
/// thread-safe.
class tracepoints {
 public:
  /// The error is a sentence: why not, and what would allow it.
  [[nodiscard]] static std::expected<tracepoints, std::string> open();
  tracepoints(tracepoints&&) noexcept;
  tracepoints& operator=(tracepoints&&) noexcept;
  ~tracepoints();

  /// To be polled for reading.
  [[nodiscard]] int descriptor() const noexcept;

  /// All that has come. Of one connection there may be several, of which the last has all that the others
  /// had.
  void drain(const std::function<void(traced&&)>& take);

  /// How often the ring was full, or the machine was short of memory.
  [[nodiscard]] std::uint64_t losses() const;
  /// Segments that this machine has sent again, since this began.
  [[nodiscard]] std::uint64_t segments_repeated() const;

 private:
  struct inside;
  explicit tracepoints(std::unique_ptr<inside> i) noexcept;
  std::unique_ptr<inside> inside_;
};

/// By the number in the kernel's `enum sk_rst_reason`, which differ between kernels.
using reset_reasons = std::map<int, std::string>;

/// What a record of the ring says; nothing if it has another size. `tick`: the kernel's.
[[nodiscard]] std::optional<traced> traced_of(const void* record, std::size_t size,
                                              const reset_reasons& reasons, std::chrono::microseconds tick);

}  // namespace halfopen::audit

#endif
