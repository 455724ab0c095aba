#ifndef HALFOPEN_SRC_CLI_USAGE_ERROR_HPP
#define HALFOPEN_SRC_CLI_USAGE_ERROR_HPP

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

#include "cli/verbs.hpp"

namespace halfopen::cli {

/// What the command line got wrong, in words for its user.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Says it, in the name of the verb; gives the exit code.
inline int refuse(std::string_view verb, const usage_error& e) {
  fmt::print(stderr, "halfopen {}: {}\n", verb, e.what());
  return bad_arguments;
}

/// The action's exit code, or that of a usage error, told in the name of the verb.
template <typename Action>
int with_usage_told(std::string_view verb, Action action) {
  try {
    return action();
  } catch (const usage_error& e) {
    return refuse(verb, e);
  }
}

}  // namespace halfopen::cli

#endif
