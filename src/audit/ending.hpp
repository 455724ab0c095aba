#ifndef HALFOPEN_SRC_AUDIT_ENDING_HPP
#define HALFOPEN_SRC_AUDIT_ENDING_HPP

#include <optional>

#include "halfopen/audit.hpp"
#include "halfopen/fate.hpp"

namespace halfopen::audit {

/// Who ended a connection.
enum class closer : std::uint8_t {
  unknown,
  this_host,
  peer,
  timer,  ///< the kernel, since nobody answered
};
[[nodiscard]] std::string_view to_string(closer c) noexcept;

/// How a connection ended, as far as what was read of it tells.
struct death {
  std::optional<ending> how;  ///< nothing: not known
  closer by = closer::unknown;
  milliseconds silence{};      ///< since the peer was last heard; 0 if it never was
  bool opened = false;         ///< its handshake was done at some time
  bool aborted = false;        ///< it was open, and ended without the FINs of both
  std::uint32_t repeated = 0;  ///< firings of the retransmission timer that nobody answered
};

/// `last`: what the kernel said when it destroyed the socket. `before`: what was seen of it earlier, and what
/// would have ended it then.
[[nodiscard]] death end_of(const tcp_socket& last, const tcp_socket* before, const risk& would);

}  // namespace halfopen::audit

#endif
