#ifndef HALFOPEN_PAIR_ENDINGS_HPP
#define HALFOPEN_PAIR_ENDINGS_HPP

/// From an errno to the word for how the connection ended.

#include <optional>
#include <string_view>

#include "halfopen/fate.hpp"

namespace halfopen::pair {

/// Nothing for an errno that speaks of this host, such as EMFILE or EADDRNOTAVAIL.
[[nodiscard]] std::optional<ending> ending_of(int error) noexcept;

/// The ending's word; "failed" for nothing.
[[nodiscard]] std::string_view word(std::optional<ending> e) noexcept;

}  // namespace halfopen::pair

#endif
