#ifndef HALFOPEN_FATE_HPP
#define HALFOPEN_FATE_HPP

/// The vocabulary: how a TCP connection ended, in which phase, and whether the
/// request may be sent again. The same words serve the library (seen from
/// inside), a packet trace (seen from outside) and the lab (what was done).
///
/// Everything here is a value; every function is thread-safe, allocates
/// nothing and never throws.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace halfopen {

/// How a connection ended.
enum class ending : std::uint8_t {
  completed,              ///< both sides said all they had to say
  refused,                ///< RST in answer to the SYN (RFC 9293 section 3.5.2): ECONNREFUSED
  aborted_before_accept,  ///< RST after the handshake, before accept(2) returned
  peer_closed,            ///< FIN where more bytes were owed: end-of-file in mid-message
  peer_reset,             ///< RST on an established connection: ECONNRESET
  broken_pipe,            ///< we wrote after the peer's RST: EPIPE, or death by SIGPIPE
  peer_vanished,          ///< no answer to repeated segments or probes: ETIMEDOUT
  host_unreachable,       ///< ICMP host unreachable from a router: EHOSTUNREACH
  net_unreachable,        ///< ICMP network unreachable from a router: ENETUNREACH
  peer_rebooted,          ///< RST from a host without memory of the connection: ECONNRESET
  deadline_passed,        ///< our own time limit; the peer's fate is still unknown
  shut_down,              ///< our own side was told to stop
  malformed,              ///< the bytes are not in the agreed format
};

/// What the connection was doing when it ended, seen from the program.
enum class phase : std::uint8_t { connecting, idle, sending, awaiting_reply, receiving_reply };

/// Whether sending the request again can do harm.
enum class retry : std::uint8_t {
  safe,       ///< no byte of the request reached the kernel, or the connection never opened
  unknown,    ///< the peer may have acted on the request
  pointless,  ///< it was answered, or the bytes were malformed
};

/// All endings, in the order of the enumeration.
inline constexpr std::array all_endings{
    ending::completed,       ending::refused,       ending::aborted_before_accept, ending::peer_closed,
    ending::peer_reset,      ending::broken_pipe,   ending::peer_vanished,         ending::host_unreachable,
    ending::net_unreachable, ending::peer_rebooted, ending::deadline_passed,       ending::shut_down,
    ending::malformed,
};

/// The enumerator's own name, such as "peer_reset"; "?" for a value out of range.
[[nodiscard]] std::string_view to_string(ending e) noexcept;
[[nodiscard]] std::string_view to_string(phase p) noexcept;
[[nodiscard]] std::string_view to_string(retry r) noexcept;

/// The ending of that name; nothing if there is none.
[[nodiscard]] std::optional<ending> parse_ending(std::string_view name) noexcept;

}  // namespace halfopen

#endif
