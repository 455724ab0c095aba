#ifndef HALFOPEN_SRC_JUDGE_WATCH_HPP
#define HALFOPEN_SRC_JUDGE_WATCH_HPP

/// \file
/// What programs do after a fault, looked at: the observations of which judge/decide makes a verdict.

#include <optional>
#include <span>
#include <vector>

#include "judge/decide/client.hpp"
#include "judge/decide/server.hpp"
#include "judge/stage.hpp"

namespace halfopen::judge {

/// Waits for the client's end, for as long as the pair's limit says. The server's part goes on answering
/// meanwhile.
[[nodiscard]] client_seen watch_client(stage& s, const lab::process& c, server_part* peer);

/// Lets another client ask, from a host of its own. Nothing is said of a server that has ended before.
[[nodiscard]] other_client watch_other_client(stage& s, const lab::process& server);

/// The server's sockets whose far end is one of these, but for the kernel's own (TIME_WAIT), and those
/// whose connection was reset and that the program has not closed.
[[nodiscard]] std::vector<lab::socket_view> held(const lab::host& server,
                                                 std::span<const trace::endpoint> gone);

/// Of sockets that the server has still when the limit has passed. Under the virtual clock they are watched
/// on, to the end of the kernel's own timers if they cost nothing.
[[nodiscard]] held_sockets watch_held(stage& s, std::span<const trace::endpoint> gone,
                                      const std::vector<lab::socket_view>& left);

}  // namespace halfopen::judge

#endif
