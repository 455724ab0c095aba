#ifndef HALFOPEN_AUDIT_HPP
#define HALFOPEN_AUDIT_HPP

/// \file
/// Which of this machine's TCP connections would hang if their peers vanished now, for how long, and
/// which are broken already; without a packet, and without stopping a process.
///
///     const auto seen = halfopen::audit::look({});
///     for (const auto& s : seen->sockets)
///       if (!halfopen::audit::risk_of(s, *seen).idle) log("never noticed while idle");
///
/// Two halves. look() reads: sock_diag(7) in each network namespace, /proc, and the options of each
/// socket by a copy of its descriptor (pidfd_getfd(2)) that is closed at once. Everything else is a pure
/// function of what was read. What could not be read is std::nullopt, or timer::unknown; nothing is guessed.
///
/// look() changes the calling thread's network namespace meanwhile, and back; call it from one thread
/// at a time. The pure functions are thread-safe. Nothing throws but for want of memory.

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/liveness.hpp"
#include "halfopen/trace/address.hpp"

namespace halfopen::audit {

using std::chrono::milliseconds;

/// Values of include/net/tcp_states.h.
enum class socket_state : std::uint8_t {
  established = 1,
  syn_sent,
  syn_recv,
  fin_wait1,
  fin_wait2,
  time_wait,
  close,
  close_wait,
  last_ack,
  listen,
  closing,
  new_syn_recv,
};
/// "established", "syn_sent", ... as here; "?" for a value out of range.
[[nodiscard]] std::string_view to_string(socket_state s) noexcept;

/// Which timer of the kernel's runs on a socket (idiag_timer, include/uapi/linux/inet_diag.h).
enum class timer : std::uint8_t { none, retransmission, keepalive, time_wait, zero_window, unknown };

/// Who sent the SYN.
enum class side : std::uint8_t { unknown, this_host, peer };
[[nodiscard]] std::string_view to_string(side s) noexcept;

/// What the kernel counts for a connection (TCP_INFO, tcp(7)).
struct tcp_figures {
  milliseconds rto{};  ///< the retransmission timer's length now
  std::chrono::microseconds round_trip{};
  std::uint8_t retransmits = 0;          ///< unanswered firings of the retransmission timer in a row
  std::uint8_t probes = 0;               ///< unanswered keepalive or zero-window probes in a row
  std::uint8_t backoff = 0;              ///< doublings of the timer
  std::uint32_t in_flight = 0;           ///< segments sent and not acknowledged
  std::uint32_t not_sent = 0;            ///< bytes written and never sent
  milliseconds since_sent{};             ///< since data was last sent
  milliseconds since_received{};         ///< since data last came
  milliseconds since_ack{};              ///< since an acknowledgement last came
  milliseconds window_closed{};          ///< in all, for how long the peer's window kept data back
  std::optional<bool> window_is_closed;  ///< the peer's window is 0 (Linux 5.4)
  std::uint64_t bytes_acked = 0;         ///< with the SYN, if this side sent it
  std::uint64_t bytes_sent = 0;          ///< repetitions included
  std::uint64_t bytes_repeated = 0;
  std::uint64_t bytes_received = 0;

  /// Its handshake was done at some time; before that nothing was heard.
  [[nodiscard]] bool was_open() const noexcept {
    return bytes_acked > 0 || bytes_received > 0 || round_trip.count() > 0;
  }
  /// Since the peer was last heard at all.
  [[nodiscard]] milliseconds silent() const noexcept { return std::min(since_ack, since_received); }
  /// Since data last went either way.
  [[nodiscard]] milliseconds idle() const noexcept { return std::min(since_sent, since_received); }
};

/// The options that decide when a dead peer is noticed, as the socket has them.
struct socket_options {
  liveness live;                        ///< without keepalive its three figures are not read
  std::optional<int> syn_retries;       ///< TCP_SYNCNT, of a socket that connects
  std::optional<milliseconds> rto_max;  ///< TCP_RTO_MAX_MS (Linux 6.15), if the socket says
};

/// Stands for "none" where a number of something is kept.
inline constexpr std::uint32_t none = UINT32_MAX;

/// One TCP socket.
struct tcp_socket {
  trace::endpoint local, remote;
  socket_state state = socket_state::established;
  timer running = timer::none;
  side opened_by = side::unknown;
  milliseconds gone_for{};    ///< of a closed one: seen so twice, so far apart
  bool error_waits = false;   ///< of a closed one: the program has not looked at its error (poll(2), POLLERR)
  std::uint32_t network = 0;  ///< index in snapshot::networks
  std::uint32_t process =
      none;             ///< index in snapshot::processes; none: in nobody's descriptors that were seen
  int descriptor = -1;  ///< of that process
  uid_t user = 0;
  std::uint64_t inode = 0;          ///< 0: no program has it: it is orphaned, or waits to be accepted
  std::uint64_t cookie = 0;         ///< the kernel's name for it, never given twice
  milliseconds timer_left{};        ///< until `running` fires
  std::uint32_t receive_queue = 0;  ///< bytes not read; of a listener: connections that wait to be accepted
  std::uint32_t send_queue = 0;     ///< bytes not acknowledged; of a listener: its backlog
  std::optional<std::uint32_t> dropped;  ///< of a listener: connections that it lost since it was made
  std::optional<tcp_figures> figures;
  std::optional<socket_options> options;

  /// Of a connection: no other host is at its far end, so it cannot vanish alone.
  [[nodiscard]] bool stays_on_host() const noexcept;
};

struct process {
  pid_t pid = 0;
  std::string
      name;  ///< comm (proc(5)), up to 15 bytes that anybody may have chosen; empty if it has no socket
  uid_t user = 0;
  std::uint64_t network = 0;  ///< inode of its network namespace
  std::string container;      ///< from its control group; empty if it shows none, or the caller's own
};

struct network {
  std::uint64_t inode = 0;
  std::string path;                         ///< by which it can be entered; empty: it is the caller's own
  std::optional<milliseconds> fin_timeout;  ///< net.ipv4.tcp_fin_timeout
  std::string name;                         ///< of a named one (/run/netns), else empty
  std::optional<kernel_timers> timers;      ///< its sysctls
  std::optional<std::uint64_t> listen_overflows;  ///< ListenOverflows, since it was made
  bool listed =
      false;  ///< the kernel gave all its sockets; else only those in descriptors that may be copied
};

/// Why something of a process was not seen.
enum class obstacle : std::uint8_t {
  descriptors,    ///< /proc/PID/fd may not be read
  options,        ///< pidfd_getfd(2) is not allowed: who may trace it may (ptrace(2), PTRACE_MODE_ATTACH)
  other_network,  ///< its network namespace may not be entered (setns(2))
};
struct hidden {
  pid_t pid = 0;
  std::string name;
  obstacle what{};
  bool connections = false;  ///< it may have some that are in no table here
};

struct snapshot {
  std::vector<network> networks;
  std::vector<process> processes;  ///< those that were looked at
  std::vector<tcp_socket> sockets;
  std::vector<hidden> not_seen;
  std::chrono::microseconds tick{4000};  ///< of the kernel: its timers count in these
};

/// Whose sockets. All that is given must hold.
struct scope {
  std::vector<pid_t> pids;           ///< none: of all processes of this user, as root of the machine
  std::vector<std::string> names;    ///< comm; beside pids, either will do
  std::vector<std::uint16_t> ports;  ///< at either end
  std::string container;             ///< beginning of an id, or a name, as control groups show it
  std::string network;  ///< a name in /run/netns, a PID or a path; "all": also namespaces without a process
};

/// Looks once. The error is a sentence that says what to do.
[[nodiscard]] std::expected<snapshot, std::string> look(const scope& whose);

// ---- what follows from it ------------------------------------------------------

/// Which rule ends the wait.
enum class rule : std::uint8_t {
  nothing,                     ///< no timer runs: for ever
  keepalive,                   ///< SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT
  keepalive_and_user_timeout,  ///< the same, where TCP_USER_TIMEOUT stands for the count
  user_timeout,                ///< TCP_USER_TIMEOUT
  retries2,                    ///< net.ipv4.tcp_retries2
  syn_retries,                 ///< TCP_SYNCNT, net.ipv4.tcp_syn_retries
  not_known,                   ///< the options or the settings could not be read
};
[[nodiscard]] std::string_view to_string(rule r) noexcept;

/// When a vanished peer is noticed: not before `least`, and not after `most`, which has the kernel's own
/// inexactness in it. Without a length it is never, or not known: the rule tells.
struct notice {
  rule by = rule::not_known;
  std::optional<milliseconds> least, most;

  [[nodiscard]] bool known() const noexcept { return by != rule::not_known; }
  friend bool operator==(const notice&, const notice&) = default;
};

/// If the peer vanished.
struct risk {
  notice idle;        ///< from its last segment on, with nothing in flight
  notice in_flight;   ///< from a write on
  notice connecting;  ///< from the first SYN on; only of a socket that connects
  notice now;         ///< from this moment on, with what is in flight now

  /// The longer of idle and in_flight, or connecting.
  [[nodiscard]] const notice& worst(const tcp_socket& of) const noexcept;
};
[[nodiscard]] risk risk_of(const tcp_socket& s, const snapshot& in);

/// What is wrong already.
enum class wrong : std::uint8_t {
  gone_not_closed,     ///< a descriptor whose connection is over: reset, given up, or closed by both
  retransmitting,      ///< data goes unacknowledged
  probes_unanswered,   ///< keepalive's
  connect_unanswered,  ///< SYNs
  zero_window,         ///< the peer takes no data, and has not for long
  close_wait,          ///< the peer has closed long ago, this program has not
  orphan,              ///< closed by its program, and the peer does not close: FIN_WAIT2, or its data are not
                       ///< acknowledged
  not_accepting,       ///< a connection has waited for long to be accepted
  accept_queue_full,   ///< further connections are dropped now
  accept_queue_overflowed,  ///< connections were dropped, at some time since it listens
  pool_partly_dead,         ///< some connections to that peer are broken, others of the same process are not
};
inline constexpr std::size_t wrongs = 11;
/// "close_wait" and so on, as here.
[[nodiscard]] std::string_view to_string(wrong w) noexcept;

/// What counts as long.
struct patience {
  milliseconds close_wait{60'000};  ///< nothing came and nothing went for so long
  milliseconds zero_window{10'000};
  milliseconds not_accepted{5'000};
  milliseconds orphan{10'000};
  /// All of them so long.
  [[nodiscard]] static patience of(milliseconds all) noexcept { return {all, all, all, all}; }
};

/// One thing that is wrong with one socket.
struct fault {
  wrong what{};
  milliseconds lasted{};  ///< at least: silence, closed window, waiting; 0 if that is not known
  std::uint32_t count =
      0;        ///< retransmissions, probes, bytes not read, connections that wait or were dropped
  notice ends;  ///< when the kernel itself ends it, from now on
};

/// Of one socket alone. `waiting`: of a listener, those that it has not accepted.
[[nodiscard]] std::vector<fault> faults_of(const tcp_socket& s, const snapshot& in, const patience& p,
                                           std::span<const tcp_socket* const> waiting = {});

/// Sockets of one process to (or from) one place that are alike: with the same risk and the same faults.
struct group {
  std::uint32_t process = none;
  std::uint32_t network = 0;
  side opened_by = side::unknown;
  socket_state state{};
  trace::endpoint local;               ///< port 0: several
  trace::endpoint remote;              ///< port 0: several
  bool one_peer = true;                ///< else `remote` is one of several hosts
  bool same_host = false;              ///< as tcp_socket::stays_on_host()
  std::vector<std::uint32_t> sockets;  ///< indices in snapshot::sockets
  risk at_risk;                        ///< the worst of them; `now` too
  std::vector<fault> faults;           ///< each kind once, the worst
  milliseconds idle_least{}, idle_most{};
  std::uint64_t bytes_in_flight = 0;  ///< of all
};

/// Every socket in scope, in groups, the worst first: what is broken, then what is never noticed, then by
/// its length. Sockets that wait to be accepted count to their listener.
[[nodiscard]] std::vector<group> groups_of(const snapshot& s, const patience& p = {});

/// Whether all would notice within that time.
enum class within : std::uint8_t {
  yes,
  no,         ///< one would not
  not_known,  ///< none is known not to, and of some it could not be read
};
/// Connections between programs of this host do not count, nor orphans. Where connections may be hidden, what
/// is not `no` is `not_known`.
[[nodiscard]] within all_notice_within(const snapshot& s, milliseconds limit);
/// Of one: nothing if it does not count.
[[nodiscard]] std::optional<within> notices_within(const tcp_socket& s, const risk& r, milliseconds limit);

}  // namespace halfopen::audit

#endif
