#ifndef HALFOPEN_SRC_TRACE_COPIES_HPP
#define HALFOPEN_SRC_TRACE_COPIES_HPP

/// Packets that a capture holds twice. Private to this folder.

#include <array>
#include <cstdint>
#include <memory>

#include "halfopen/trace/packet.hpp"

namespace halfopen::trace {

/// What is compared of two packets with the same content.
struct twin {
  time_point when{};
  std::uint16_t ip_id = 0;
  std::uint8_t ttl = 0;
  /// Neither payload nor SYN, FIN or RST: a TCP may say the same twice in a row.
  bool repeatable = false;
};

/// Whether `later` is no new packet but the earlier one, seen a second time. `proven`: the
/// capture is known to hold copies, since some were found that can be nothing else.
[[nodiscard]] bool is_copy(const twin& earlier, const twin& later, bool proven) noexcept;

/// Remembers the last few thousand packets of a capture by their content.
class copy_finder {
 public:
  /// `hash` is that of the four-tuple, the same for both directions.
  [[nodiscard]] bool holds_already(const packet& p, std::uint64_t hash) noexcept;

 private:
  static constexpr std::size_t room = 4096;  // stays in the processor's second cache
  struct entry {
    std::uint64_t content = 0;
    twin what{};
  };
  std::unique_ptr<std::array<entry, room>> entries_ = std::make_unique<std::array<entry, room>>();
  std::uint64_t proven_ = 0;
};

}  // namespace halfopen::trace

#endif
