#ifndef HALFOPEN_SRC_AUDIT_ENDING_HPP
#define HALFOPEN_SRC_AUDIT_ENDING_HPP

#include <optional>
#include <string>

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

enum class reset : std::uint8_t { not_known, neither, received, sent };
[[nodiscard]] std::string_view to_string(reset r) noexcept;

/// How a connection ended, as far as what was read of it tells.
struct death {
  std::optional<ending> how;      ///< nothing: not known, or fate.hpp has no word for it
  std::optional<ending> or_else;  ///< as in `fate`: the other ending that the same evidence fits
  closer by = closer::unknown;
  reset rst = reset::not_known;
  std::string
      reason;  ///< of a reset that was sent: the kernel's word, such as "TCP_ABORT_ON_CLOSE" (Linux 6.10)
  milliseconds silence{};      ///< since the peer was last heard; 0 if it never was
  bool opened = false;         ///< its handshake was done at some time
  bool aborted = false;        ///< it was open, and ended without the FINs of both
  std::uint32_t repeated = 0;  ///< firings of the retransmission timer that nobody answered
  std::optional<std::uint32_t> segments_repeated;  ///< in all, while it was watched
};

/// What the kernel's tracepoints told of one connection (audit/tracepoints.hpp).
struct traced {
  std::uint64_t cookie = 0;
  std::uint64_t network = 0;  ///< inode
  pid_t pid = 0;              ///< one that uses it; 0: not known
  std::string name;           ///< of that process; empty: not known
  trace::endpoint local, remote;
  side opened_by = side::unknown;
  socket_state left{};  ///< the state from which it went to CLOSE
  int error = 0;        ///< of the socket, at that moment: an errno
  closer first_fin = closer::unknown;
  bool reset_received = false;   ///< an RST came, or data came when its program had closed it already
  bool reset_sent = false;       ///< of its own accord
  bool reset_in_answer = false;  ///< after it was closed, to what came then
  std::string reason;            ///< as in `death`
  std::uint32_t segments_repeated = 0;
  std::optional<milliseconds> silence;
};

/// All that there will be to say of it is said, though a program may hold its descriptor for long.
[[nodiscard]] bool is_final(const traced& t) noexcept;

/// `last`: what the kernel said when it destroyed the socket. `before`: what was seen of it earlier, and what
/// would have ended it then.
[[nodiscard]] death end_of(const tcp_socket& last, const tcp_socket* before, const risk& would);

/// The same by what the tracepoints told, which is more.
[[nodiscard]] death end_of(const traced& t);

}  // namespace halfopen::audit

#endif
