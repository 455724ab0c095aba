#ifndef HALFOPEN_FATE_HPP
#define HALFOPEN_FATE_HPP

/// \file
/// How a TCP connection ended, in which phase, with what evidence, and whether the
/// request may be sent again. The same words serve the library (seen from inside),
/// a packet trace (seen from outside) and the lab (what was done).
///
///     if (recv(fd, buffer, size, 0) < 0) {
///       const halfopen::fate f = halfopen::diagnose(fd, halfopen::operation::read, errno);
///       log(explain(f));
///       if (f.again == halfopen::retry::safe) ...
///     }
///
/// It works on any TCP descriptor, from any event loop or none. Everything here is a
/// value, every function is thread-safe, and nothing prints, ends the program or
/// changes what the socket does. Nothing throws but what makes a string, for want of memory. From C++17 on;
/// a program may be compiled at another language level than the library. halfopen.h is the same for C.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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
  local_failure,          ///< this host's own: no descriptor, no memory, no such name; errno tells
};

/// What the connection was doing when it ended, seen from the program. A server reads
/// "reply" as "request": the message that the other side sends.
enum class phase : std::uint8_t {
  connecting,       ///< it was not open yet
  idle,             ///< nothing was asked, or all that was asked is answered
  sending,          ///< the kernel had not taken the whole request
  awaiting_reply,   ///< it had, and no byte of the reply was here
  receiving_reply,  ///< a part of the reply was here
};

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
    ending::malformed,       ending::local_failure,
};

/// The enumerator's own name, such as "peer_reset"; "?" for a value out of range.
[[nodiscard]] std::string_view to_string(ending e) noexcept;
[[nodiscard]] std::string_view to_string(phase p) noexcept;
[[nodiscard]] std::string_view to_string(retry r) noexcept;

/// The ending of that name; nothing if there is none.
[[nodiscard]] std::optional<ending> parse_ending(std::string_view name) noexcept;

/// The call that failed.
enum class operation : std::uint8_t { connect, accept, read, write };
[[nodiscard]] std::string_view to_string(operation o) noexcept;

/// Who sent an ICMP error about the connection, and which (RFC 792, RFC 4443).
struct icmp_report {
  std::array<std::uint8_t, 16> router{};  ///< network order; the first four bytes if not v6
  bool v6 = false;
  std::uint8_t type = 0;  ///< as in the ICMP header
  std::uint8_t code = 0;

  /// "10.0.0.254"; "?" if the kernel did not say.
  [[nodiscard]] std::string router_text() const;
#ifdef __cpp_impl_three_way_comparison
  friend bool operator==(const icmp_report&, const icmp_report&) = default;
#endif
};

/// What the kernel knew of the connection when it ended (TCP_INFO in tcp(7), and the
/// error queue, IP_RECVERR in ip(7)).
struct evidence {
  /// Since the peer's last segment of any kind (tcpi_last_ack_recv, tcpi_last_data_recv)
  /// but an RST: so the silence before that.
  std::optional<std::chrono::milliseconds> last_heard{};
  std::chrono::microseconds round_trip{};  ///< smoothed (tcpi_rtt); 0 if it was never measured
  std::uint32_t unacknowledged = 0;        ///< bytes sent and not acknowledged (SIOCOUTQ in tcp(7))
  std::uint32_t unsent = 0;                ///< bytes written and not yet sent (tcpi_notsent_bytes)
  std::uint32_t retransmissions = 0;       ///< in all the connection's life (tcpi_total_retrans)
  bool still_open = false;                 ///< the kernel has not given the connection up
  std::optional<icmp_report> icmp{};       ///< only while connecting, see report_icmp() in liveness.hpp
};

/// Evidence, and as small as a pointer or two: a fate lies in every coroutine frame of a program,
/// for a connection that may be idle all its life, and seldom has any. Copies share it; there
/// always is one, if only with nothing in it.
class kept_evidence {
 public:
  kept_evidence() noexcept = default;
  /// Without memory for it nothing is kept.
  kept_evidence(const evidence& e) noexcept;  // NOLINT(*-explicit-*)

  [[nodiscard]] const evidence& operator*() const noexcept;
  [[nodiscard]] const evidence* operator->() const noexcept { return &**this; }

 private:
  std::shared_ptr<const evidence> kept_;
};

/// How a connection ended, as far as the program's own host can know.
struct fate {
  ending how = ending::completed;
  /// The other ending that the same evidence fits: the errno of a reset does not tell
  /// peer_reset from peer_rebooted. `how` is then the likelier one.
  std::optional<ending> or_else{};
  phase when = phase::idle;
  retry again = retry::unknown;
  operation during = operation::read;
  int error = 0;  ///< errno; 0 for end-of-file and for what is no system call's failure
  kept_evidence seen{};
  /// What is not an errno, in a few words that live for ever: "end-of-file", "a NUL
  /// byte in a text line", "no such name". Empty if the errno says all.
  std::string_view detail{};

  /// The evidence allows that this was the ending.
  [[nodiscard]] bool could_be(ending e) const noexcept { return how == e || or_else == e; }
};

/// What became of a connection on which `during` failed with `error`; 0 means the
/// end-of-file that read found where bytes were owed, and for accept that the socket
/// `fd`, just accepted, is to be looked at. Asks the kernel for evidence, which costs some
/// system calls and never fails: what is not there is left out. Takes one entry off the
/// socket's error queue, and its pending error (SO_ERROR) stays as it is.
///
/// `fd` may be -1 (a socket that was never made). Without a phase the operation decides:
/// connect is connecting, write is sending, read is awaiting_reply.
///
/// `again` is safe if the connection never opened or the kernel never took a byte;
/// who knows where a request begins can say it more exactly (see stream.hpp).
[[nodiscard]] fate diagnose(int fd, operation during, int error, std::optional<phase> when = {}) noexcept;

/// The ending that an errno of this operation speaks of, without asking the kernel.
/// local_failure for one that speaks of this host.
[[nodiscard]] ending ending_of(operation during, int error) noexcept;

/// "peer_reset or peer_rebooted while awaiting_reply: read: ECONNRESET (Connection reset
/// by peer); retry: unknown": one line for a log, the same words everywhere.
[[nodiscard]] std::string to_string(const fate& f);

/// One plain sentence for a person: what happened, what it rests on, what may be done.
[[nodiscard]] std::string explain(const fate& f);

/// What a word means, who causes it, and what a program should do, as far as there is something to say
/// of these. The texts live for ever.
struct explanation {
  std::string_view name;   ///< "peer_reset"
  std::string_view means;  ///< plain sentences each; the first of these stands for itself in a list
  std::string_view causes;
  std::string_view advice;
};
[[nodiscard]] explanation explain(ending e) noexcept;
[[nodiscard]] explanation explain(phase p) noexcept;
[[nodiscard]] explanation explain(retry r) noexcept;

/// The endings of which an errno may speak, likeliest first, and its number. The name is
/// "ECONNRESET" (case does not matter) or "104". Nothing if it is no errno of this system.
struct errno_meaning {
  int error = 0;
  std::array<std::optional<ending>, 3> endings{};
};
[[nodiscard]] std::optional<errno_meaning> parse_errno(std::string_view name) noexcept;

}  // namespace halfopen

#endif
