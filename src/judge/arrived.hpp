#ifndef HALFOPEN_SRC_JUDGE_ARRIVED_HPP
#define HALFOPEN_SRC_JUDGE_ARRIVED_HPP

#include "halfopen/trace/connection.hpp"

namespace halfopen::judge {

/// All that a side ever says has arrived, or never will. Its FIN alone does not tell: it is on the cable
/// before the other side has acknowledged what it follows. Pure; thread-safe.
[[nodiscard]] constexpr bool has_arrived(const trace::flow& said) noexcept {
  return said.rst.has_value() || (said.fin.has_value() && said.acked >= said.bytes);
}

}  // namespace halfopen::judge

#endif
