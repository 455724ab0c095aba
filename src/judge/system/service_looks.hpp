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

/// The socket to that address on which it would wait longest; nothing if there is none.
[[nodiscard]] std::optional<waiting_socket> longest_wait(const lab::host& service,
                                                         const trace::ip_address& to);

/// When it began to connect to that address, from the fault on.
[[nodiscard]] std::vector<milliseconds> attempts_since(trace::time_point fault, const judged_link& on);

/// Its connections to one of these addresses that were open at the fault, or came later; of very many the
/// first and the last.
[[nodiscard]] std::vector<dependency_connection> connections_since(trace::time_point fault,
                                                                   const judged_link& on,
                                                                   const trace::ip_address& also_to);

}  // namespace halfopen::judge

#endif
