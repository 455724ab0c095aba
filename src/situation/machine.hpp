#ifndef HALFOPEN_SRC_SITUATION_MACHINE_HPP
#define HALFOPEN_SRC_SITUATION_MACHINE_HPP

/// The machines whose programs can play in this one's lab: the one that it runs on, and those that
/// scripts/build-arch builds the pair for (docs/architectures.md).

#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace halfopen::situation {

/// A machine, and what runs the pair's program for it here.
struct machine {
  std::string name;                  ///< "s390x"
  std::vector<std::string> program;  ///< the words before "serve" and "call"; empty: it cannot play
  std::string lacks;                 ///< what to do about that; empty if it can

  [[nodiscard]] bool can_play() const noexcept { return !program.empty(); }
};

/// The names of all, this machine's own first.
[[nodiscard]] std::vector<std::string> machine_names();

/// Looks for what that machine needs here, and tries it. Its program is looked for in
/// libexec/halfopen: that of the installation, or of the build folder.
[[nodiscard]] machine find_machine(const std::string& name);

/// What a program prints; the error says why it could not be run, or how it ended instead.
[[nodiscard]] std::expected<std::string, std::string> output_of(const std::vector<std::string>& command);

/// The lines that a machine's `bytes` verb prints (pair::bytes_here), by their first words.
[[nodiscard]] std::map<std::string, std::string> bytes_by_format(const std::string& printed);

}  // namespace halfopen::situation

#endif
