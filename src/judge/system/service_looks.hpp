#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_SERVICE_LOOKS_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_SERVICE_LOOKS_HPP

/// \file
/// What can be seen of a service from outside: what its processes hold, on what they wait, and which
/// connections they make.

#include <optional>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/host.hpp"
#include "halfopen/trace/connection.hpp"
#include "judge/decide/outage.hpp"
#include "judge/system/judged_link.hpp"

namespace halfopen::judge {

/// Of all processes of the host now (proc(5)).
[[nodiscard]] possessions possessions_of(const lab::host& service);

/// The sockets of a host's programs that are connected, or being connected, to where the dependency was at
/// first.
[[nodiscard]] std::vector<lab::socket_view> sockets_to_dependency(const lab::host& of, const judged_link& on);

/// The service's connections to the dependency on which it waits: for an answer to something that it said
/// since then, or for a handshake that it began since then; if there are none, those on which it said
/// something and something came back; else all that are open. Nothing if one of them could not be looked
/// at.
[[nodiscard]] std::optional<waits_seen> waits_since(trace::time_point since, const judged_link& on);

/// When it began to connect to that address, from the fault on.
[[nodiscard]] std::vector<milliseconds> attempts_since(trace::time_point fault, const judged_link& on);

/// Its connections to one of these addresses that were open at the fault, or came later; of very many the
/// first and the last.
[[nodiscard]] std::vector<dependency_connection> connections_since(trace::time_point fault,
                                                                   const judged_link& on,
                                                                   const trace::ip_address& also_to);

}  // namespace halfopen::judge

#endif
