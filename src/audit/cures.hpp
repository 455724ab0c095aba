#ifndef HALFOPEN_SRC_AUDIT_CURES_HPP
#define HALFOPEN_SRC_AUDIT_CURES_HPP

#include <string>
#include <vector>

#include "halfopen/audit.hpp"

namespace halfopen::audit {

/// What to change about a group, so that a dead peer is noticed within that time and what is broken already
/// does not come again; whole sentences, none if nothing is wrong.
[[nodiscard]] std::vector<std::string> cures_of(const group& g, milliseconds within);

}  // namespace halfopen::audit

#endif
