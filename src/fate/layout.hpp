#ifndef HALFOPEN_SRC_FATE_LAYOUT_HPP
#define HALFOPEN_SRC_FATE_LAYOUT_HPP

/// How large the types of fate.hpp and liveness.hpp are, and where some members lie: for the test that a
/// library and a program compiled at different language levels mean the same. static: a copy a source, each
/// compiled at the level of that source.

#include <array>
#include <cstddef>

#include "halfopen/fate.hpp"
#include "halfopen/liveness.hpp"

namespace halfopen {

static constexpr std::array layout_here{
    sizeof(evidence),      offsetof(evidence, icmp),
    sizeof(icmp_report),   offsetof(icmp_report, code),
    sizeof(kept_evidence), sizeof(fate),
    sizeof(explanation),   sizeof(errno_meaning),
    sizeof(liveness),      offsetof(liveness, user_timeout),
    sizeof(kernel_timers), offsetof(kernel_timers, keepalive_probes),
    sizeof(hang),          offsetof(hang, connecting),
    sizeof(result<void>),  sizeof(result<liveness>),
    sizeof(result<hang>),
};

/// As the library's level has it: layout.cpp.
using layout = std::array<std::size_t, layout_here.size()>;
[[nodiscard]] layout layout_in_library() noexcept;

}  // namespace halfopen

#endif
