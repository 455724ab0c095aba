#ifndef HALFOPEN_SRC_SITUATION_CATALOGUE_HPP
#define HALFOPEN_SRC_SITUATION_CATALOGUE_HPP

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halfopen::situation {

class scene;

/// One way in which a situation can happen.
struct variant {
  std::string_view name;  ///< "fin-first"
  std::string_view done;  ///< what is done, in a sentence
  void (*play)(scene&);   ///< makes it happen, checks, and says what was seen
};

/// One of the seven situations; each is one file in this folder.
struct situation {
  std::string_view name;   ///< "exit"
  std::string_view title;  ///< "the server process terminates"
  std::span<const variant> variants;
};

extern const situation abort_situation, exit_situation, sigpipe_situation, crash_situation, reboot_situation,
    shutdown_situation, format_situation;

/// All seven, in their order.
[[nodiscard]] std::span<const situation* const> all_situations() noexcept;

/// "2. the server process terminates (exit)"
[[nodiscard]] std::string heading_of(const situation& s);

enum class pair_kind : std::uint8_t { naive, robust };

/// A variant and the situation it belongs to.
struct choice {
  const situation* of = nullptr;
  const halfopen::situation::variant* variant = nullptr;
  /// The programs of the pair in place of this one: the words before "serve" and "call".
  std::vector<std::string> client_program{}, server_program{};
  std::optional<pair_kind> pair{};  ///< only this pair plays it
};

/// "exit", "exit/fin-first" or "crash/idle*" to variants; nothing if none fits.
[[nodiscard]] std::vector<choice> find(std::string_view pattern);

}  // namespace halfopen::situation

#endif
