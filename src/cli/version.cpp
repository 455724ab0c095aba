#include "cli/version.hpp"

#include "commit.hpp"

namespace halfopen::cli {

const char* version_in_words() noexcept {
  constexpr bool known = sizeof HALFOPEN_COMMIT > 1;
  return known ? "halfopen " HALFOPEN_VERSION " (" HALFOPEN_COMMIT ")" : "halfopen " HALFOPEN_VERSION;
}

}  // namespace halfopen::cli
