#ifndef HALFOPEN_SRC_CLI_VERSION_HPP
#define HALFOPEN_SRC_CLI_VERSION_HPP

namespace halfopen::cli {

/// "halfopen 0.1.0 (201a80287f)": by semantic versioning, and the commit, if it was built in a repository.
[[nodiscard]] const char* version_in_words() noexcept;

}  // namespace halfopen::cli

#endif
