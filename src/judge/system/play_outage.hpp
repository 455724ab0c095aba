#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_PLAY_OUTAGE_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_PLAY_OUTAGE_HPP

#include <filesystem>

#include "judge/case.hpp"
#include "judge/result.hpp"
#include "judge/system/steady.hpp"
#include "judge/system/system.hpp"

namespace halfopen::judge {

/// Starts the system, loses the dependency of the case's link as the case says, and looks at the service
/// until it serves again, or for as long as it is worth. Throws no_verdict or lab::error if that cannot be
/// done. `capture`: where its packets are kept; empty: nowhere.
[[nodiscard]] case_result play_outage(const judge_case& c, const system& what, const steady_state& usual,
                                      const std::filesystem::path& capture);

}  // namespace halfopen::judge

#endif
