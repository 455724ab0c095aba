#ifndef HALFOPEN_SRC_PLAY_CHECK_HPP
#define HALFOPEN_SRC_PLAY_CHECK_HPP

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>

namespace halfopen::play {

/// One line of a sheet.
struct check {
  std::string what;  ///< "RST without ACK from the server"
  bool holds = false;
  bool is_proof = false;                  ///< of the fault, by packets; else an expectation of the program
  std::optional<std::uint64_t> packet{};  ///< that shows it
};

/// "RST without ACK from the server (packet 12)"
[[nodiscard]] std::string in_words(const check& c);

/// The index of the first proof that does not hold; nothing if all do, or there are none.
[[nodiscard]] std::optional<std::size_t> first_unproved(std::span<const check> checks) noexcept;
/// All expectations hold.
[[nodiscard]] bool all_as_expected(std::span<const check> checks) noexcept;

/// `what` and `packet` stand beside each other: whoever wants the number need not look for it in words.
void to_json(nlohmann::json& j, const check& c);
void from_json(const nlohmann::json& j, check& c);

}  // namespace halfopen::play

#endif
