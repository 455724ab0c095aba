#ifndef HALFOPEN_SRC_CLI_WITHIN_HPP
#define HALFOPEN_SRC_CLI_WITHIN_HPP

#include <CLI/CLI.hpp>
#include <cmath>
#include <string>

namespace halfopen::cli {

/// A number from `least` to `most`. CLI::Range lets "nan" through, which is neither below nor above.
inline CLI::Validator within(double least, double most) {
  return CLI::Validator(
      [least, most](const std::string& text) {
        double value = 0;
        const bool good =
            CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value >= least && value <= most;
        return good ? std::string()
                    : "'" + text + "' is no number from " + CLI::detail::to_string(least) + " to " +
                          CLI::detail::to_string(most);
      },
      "");
}

}  // namespace halfopen::cli

#endif
