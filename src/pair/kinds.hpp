#ifndef HALFOPEN_PAIR_KINDS_HPP
#define HALFOPEN_PAIR_KINDS_HPP

/// The four programs behind serve() and call(); the options were checked.

#include "pair/pair.hpp"

namespace halfopen::pair {

[[nodiscard]] int serve_naively(const serve_options& options);
[[nodiscard]] int serve_robustly(const serve_options& options);
[[nodiscard]] int call_naively(const call_options& options);
[[nodiscard]] int call_robustly(const call_options& options);

}  // namespace halfopen::pair

#endif
