#ifndef HALFOPEN_HALFOPEN_H
#define HALFOPEN_HALFOPEN_H

/// \file
/// halfopen for C, and for every language that can call C: how a TCP connection ended, whether the request
/// may be sent again, and how soon a dead peer is noticed. It is fate.hpp and liveness.hpp, without C++, in
/// the shared library libhalfopen.so.1 (cc program.c -lhalfopen, or pkg-config halfopen).
///
///     halfopen_set_liveness(fd, 10000);             // after connect or accept: a dead peer within 10 s
///     ...
///     if (recv(fd, buffer, size, 0) < 0) {
///       struct halfopen_fate f = HALFOPEN_FATE_INIT;
///       char line[256];
///       halfopen_diagnose(&f, fd, HALFOPEN_READ, errno, HALFOPEN_BY_OPERATION);
///       halfopen_to_string(&f, line, sizeof line);
///       puts(line);                                 // "peer_reset or peer_rebooted while awaiting_reply:
///       ..." if (f.again == HALFOPEN_SAFE) ...
///     }
///
/// It works on any TCP descriptor of Linux, blocking or not, from any event loop or none. Every function is
/// thread-safe; none prints, ends the program, changes errno, or keeps anything of the caller's. Texts that
/// are returned live for ever and are in English.
///
/// Errors: an int function returns 0 or an errno value: EINVAL for an argument that is none (NULL, a
/// structure that is too small, a number that is no enumerator), ENOMEM, and what else it names.
///
/// What stays as it is, for as long as the library's name ends in .so.1: each function and its meaning, each
/// enumerator's value, each member's place. New enumerators and functions may come. New members may come at
/// the end of a structure; hence its first member, `size`, which the caller sets to the structure's size as
/// it was compiled (the INIT macros do): the library touches no more than that, and what it does not know is
/// set to 0.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// clang-format off
/// How a connection ended (RFC 9293; errno(3)). halfopen_describe() has more of each.
enum halfopen_ending {
  HALFOPEN_NO_ENDING = -1,
  HALFOPEN_COMPLETED = 0,              ///< both sides said all they had to say
  HALFOPEN_REFUSED = 1,                ///< RST in answer to the SYN: ECONNREFUSED
  HALFOPEN_ABORTED_BEFORE_ACCEPT = 2,  ///< RST after the handshake, before accept(2) returned
  HALFOPEN_PEER_CLOSED = 3,            ///< FIN where more bytes were owed: end-of-file in mid-message
  HALFOPEN_PEER_RESET = 4,             ///< RST on an established connection: ECONNRESET
  HALFOPEN_BROKEN_PIPE = 5,            ///< written after the peer's RST: EPIPE
  HALFOPEN_PEER_VANISHED = 6,          ///< no answer to repeated segments or probes: ETIMEDOUT
  HALFOPEN_HOST_UNREACHABLE = 7,       ///< ICMP host unreachable from a router: EHOSTUNREACH
  HALFOPEN_NET_UNREACHABLE = 8,        ///< ICMP network unreachable from a router: ENETUNREACH
  HALFOPEN_PEER_REBOOTED = 9,          ///< RST from a host without memory of the connection: ECONNRESET
  HALFOPEN_DEADLINE_PASSED = 10,       ///< a time limit of the program's own; the peer's fate is unknown
  HALFOPEN_SHUT_DOWN = 11,             ///< the program was told to stop
  HALFOPEN_MALFORMED = 12,             ///< the bytes are not in the agreed format
  HALFOPEN_LOCAL_FAILURE = 13          ///< this host's own: no descriptor, no memory; errno tells
};

/// What the connection was doing when it ended, seen from the program. A server reads "reply" as "request".
enum halfopen_phase {
  HALFOPEN_BY_OPERATION = -1,     ///< for halfopen_diagnose(): the operation decides
  HALFOPEN_CONNECTING = 0,        ///< it was not open yet
  HALFOPEN_IDLE = 1,              ///< nothing was asked, or all that was asked is answered
  HALFOPEN_SENDING = 2,           ///< the kernel had not taken the whole request
  HALFOPEN_AWAITING_REPLY = 3,    ///< it had, and no byte of the reply was here
  HALFOPEN_RECEIVING_REPLY = 4    ///< a part of the reply was here
};

/// Whether sending the request again can do harm.
enum halfopen_retry {
  HALFOPEN_SAFE = 0,       ///< no byte of the request reached the kernel, or the connection never opened
  HALFOPEN_UNKNOWN = 1,    ///< the peer may have acted on the request
  HALFOPEN_POINTLESS = 2   ///< it was answered, or the bytes were malformed
};

/// The call that failed.
enum halfopen_operation {
  HALFOPEN_CONNECT = 0,
  HALFOPEN_ACCEPT = 1,
  HALFOPEN_READ = 2,
  HALFOPEN_WRITE = 3
};
// clang-format on

/// Where a length of time is not known.
#define HALFOPEN_NOT_KNOWN (-1)
/// Where a wait has no end.
#define HALFOPEN_FOR_EVER (-1)

/// How a connection ended, as far as the program's own host can know. Who knows more may change members: a
/// deadline of the program's own is `how = HALFOPEN_DEADLINE_PASSED`, an end-of-file where nothing was owed
/// HALFOPEN_COMPLETED.
struct halfopen_fate {
  uint32_t size;    ///< sizeof(struct halfopen_fate)
  int32_t how;      ///< enum halfopen_ending
  int32_t or_else;  ///< the other ending that the same evidence fits, or HALFOPEN_NO_ENDING
  int32_t when;     ///< enum halfopen_phase
  int32_t again;    ///< enum halfopen_retry
  int32_t during;   ///< enum halfopen_operation
  int32_t error;    ///< errno; 0 for end-of-file
  /// The rest is what the kernel knew (TCP_INFO, SIOCOUTQ, IP_RECVERR: tcp(7), ip(7)): not closed yet.
  uint32_t still_open;
  const char* detail;        ///< what is not an errno, such as "end-of-file"; "" if the errno says all
  int64_t last_heard_ms;     ///< since the peer's last segment but an RST, or HALFOPEN_NOT_KNOWN
  int64_t round_trip_us;     ///< smoothed; 0 if it was never measured
  uint32_t unacknowledged;   ///< bytes sent and not acknowledged
  uint32_t unsent;           ///< bytes written and not yet sent
  uint32_t retransmissions;  ///< in all the connection's life
  uint8_t icmp_version;      ///< 4 or 6: an ICMP error came while connecting, over that IP; 0: none
  uint8_t icmp_type;         ///< as in the ICMP header (RFC 792, RFC 4443)
  uint8_t icmp_code;
  uint8_t reserved;         ///< 0
  uint8_t icmp_router[16];  ///< who sent it, in network order: 4 bytes or 16; all 0: the kernel did not say
};
// clang-format off
#define HALFOPEN_FATE_INIT \
  { sizeof(struct halfopen_fate), 0, HALFOPEN_NO_ENDING, 0, 0, 0, 0, 0, "", HALFOPEN_NOT_KNOWN, 0, 0, 0, 0, 0, 0, \
    0, 0, {0} }
// clang-format on

/// What became of a connection on which `during` failed with `error`. 0 means the end-of-file that read
/// found where bytes were owed, and for accept that the socket `fd`, just accepted, is to be looked at.
/// `when` is an enum halfopen_phase; with HALFOPEN_BY_OPERATION connect is connecting, write is sending, read
/// is awaiting_reply. `fd` may be -1, a socket that was never made. Asks the kernel for evidence, which costs
/// some system calls; what is not there is left out. Takes one entry off the socket's error queue; its
/// pending error (SO_ERROR) stays. Call it before close(2).
///
/// Returns 0, or EINVAL.
int halfopen_diagnose(struct halfopen_fate* into, int fd, int during, int error, int when);

/// The ending that an errno of this operation speaks of, without asking the kernel: an enum halfopen_ending.
/// HALFOPEN_LOCAL_FAILURE for one that speaks of this host, HALFOPEN_NO_ENDING for no operation.
int halfopen_ending_of(int during, int error);

/// One line for a log, without a line feed: "peer_reset or peer_rebooted while awaiting_reply: read:
/// ECONNRESET (Connection reset by peer); retry: unknown". As snprintf(3): at most `size` bytes are written,
/// the last one a NUL; returns the length of the whole text without NUL, so that more than size - 1 says that
/// it was cut. `buffer` may be NULL if `size` is 0. Returns 0, with an empty text, if `f` is NULL or too
/// small or there is no memory.
size_t halfopen_to_string(const struct halfopen_fate* f, char* buffer, size_t size);

/// One plain sentence for a person, in the same manner: what happened, what it rests on, what may be done.
size_t halfopen_explain(const struct halfopen_fate* f, char* buffer, size_t size);

/// "peer_reset", "awaiting_reply", "unknown", "read": the enumerator's own name; "?" for a value out of
/// range.
const char* halfopen_ending_name(int ending);
const char* halfopen_phase_name(int phase);
const char* halfopen_retry_name(int retry);
const char* halfopen_operation_name(int operation);

/// The ending of that name; HALFOPEN_NO_ENDING if there is none.
int halfopen_ending_by_name(const char* name);

/// What a word means. Texts are plain sentences, "" if there is nothing to say.
struct halfopen_meaning {
  uint32_t size;  ///< sizeof(struct halfopen_meaning)
  int32_t error;  ///< of an errno, its number; 0 for other words
  int32_t
      endings[4];  ///< of an errno, those of which it may speak, likeliest first; HALFOPEN_NO_ENDING fills up
  const char* name;    ///< "peer_reset", "ECONNRESET"
  const char* means;   ///< of an errno, what strerrordesc_np(3) says
  const char* causes;  ///< who makes it happen
  const char* advice;  ///< what a program should do
};
// clang-format off
#define HALFOPEN_MEANING_INIT \
  { sizeof(struct halfopen_meaning), 0, {HALFOPEN_NO_ENDING, HALFOPEN_NO_ENDING, HALFOPEN_NO_ENDING, \
    HALFOPEN_NO_ENDING}, "", "", "", "" }
// clang-format on

/// What an ending ("peer_reset"), a phase ("idle"), a retry ("safe") or an errno ("ECONNRESET", "104") means:
/// the table from which `halfopen explain` prints. Returns 0, EINVAL, or ENOENT if it is none of these words.
int halfopen_describe(struct halfopen_meaning* into, const char* word);

/// The socket options that decide when a dead peer is noticed (tcp(7), socket(7)).
struct halfopen_liveness {
  uint32_t size;            ///< sizeof(struct halfopen_liveness)
  int32_t keepalive;        ///< SO_KEEPALIVE: 0 or 1
  int64_t idle_s;           ///< TCP_KEEPIDLE: seconds of silence before the first probe
  int64_t interval_s;       ///< TCP_KEEPINTVL: seconds from probe to probe
  int64_t probes;           ///< TCP_KEEPCNT
  int64_t user_timeout_ms;  ///< TCP_USER_TIMEOUT, milliseconds; 0: tcp_retries2 decides
};
/// Linux's own defaults.
#define HALFOPEN_LIVENESS_INIT {sizeof(struct halfopen_liveness), 0, 7200, 75, 9, 0}

/// The options with which a dead peer is noticed after so many milliseconds, idle or with data in flight.
/// Less than 2000 is taken for 2000, more than 32767000 for that. liveness.hpp says how exact it is.
int halfopen_noticed_within(struct halfopen_liveness* into, int64_t within_ms);

/// Sets these options on a connected TCP socket: noticed_within() in one call. Returns 0, EINVAL, or the
/// errno of setsockopt(2): ENOPROTOOPT where the kernel has no such option, EBADF or ENOTSOCK where `fd` is
/// no socket; options before the one that failed are set. On a socket that is still connecting, the user
/// timeout would cut the SYN's retransmission short too.
int halfopen_set_liveness(int fd, int64_t within_ms);
int halfopen_set_options(int fd, const struct halfopen_liveness* options);

/// What a socket has set. Returns 0, EINVAL, or the errno of getsockopt(2).
int halfopen_liveness_of(struct halfopen_liveness* into, int fd);

/// ICMP errors about an open connection are told at once instead of at the end (IP_RECVERR, IPV6_RECVERR);
/// RFC 1122 section 4.2.3.9 asks that they do not end it. Before connect, over IPv6, so that the router is
/// known. Returns 0, or the errno of setsockopt(2).
int halfopen_report_icmp(int fd, int at_once);

/// The kernel's own settings (Documentation/networking/ip-sysctl.rst).
struct halfopen_kernel_timers {
  uint32_t size;                 ///< sizeof(struct halfopen_kernel_timers)
  int32_t retries2;              ///< tcp_retries2
  int32_t syn_retries;           ///< tcp_syn_retries
  int32_t syn_linear_timeouts;   ///< tcp_syn_linear_timeouts; 0 before Linux 6.5
  int64_t rto_min_ms;            ///< tcp_rto_min_us (6.11), in milliseconds
  int64_t rto_max_ms;            ///< tcp_rto_max_ms (6.15)
  int64_t keepalive_time_s;      ///< tcp_keepalive_time
  int64_t keepalive_interval_s;  ///< tcp_keepalive_intvl
  int64_t keepalive_probes;      ///< tcp_keepalive_probes
};
/// Linux's own defaults.
#define HALFOPEN_KERNEL_TIMERS_INIT \
  {sizeof(struct halfopen_kernel_timers), 15, 6, 4, 200, 120000, 7200, 75, 9}

/// Those of the calling thread's network namespace. A setting that this kernel does not have, or that cannot
/// be read, keeps its old fixed value. Returns 0, EINVAL or ENOMEM.
int halfopen_read_kernel_timers(struct halfopen_kernel_timers* into);

/// How long, in milliseconds, a program that waits on a socket whose peer is gone would wait.
struct halfopen_hang {
  uint32_t size;          ///< sizeof(struct halfopen_hang)
  uint32_t reserved;      ///< 0
  int64_t idle_ms;        ///< from the peer's last segment, or HALFOPEN_FOR_EVER
  int64_t in_flight_ms;   ///< from the write, or HALFOPEN_FOR_EVER
  int64_t connecting_ms;  ///< from the first SYN, or HALFOPEN_FOR_EVER
};
#define HALFOPEN_HANG_INIT \
  {sizeof(struct halfopen_hang), 0, HALFOPEN_FOR_EVER, HALFOPEN_FOR_EVER, HALFOPEN_FOR_EVER}

/// Of a socket as it is now, with this network namespace's settings and the socket's own TCP_SYNCNT and
/// TCP_RTO_MAX_MS. Computed by the formulas of the kernel's source (net/ipv4/tcp_timer.c); the real length is
/// a little above. Returns 0, EINVAL, ENOMEM, or the errno of getsockopt(2).
int halfopen_would_hang(struct halfopen_hang* into, int fd);

/// The same of options that no socket has yet. `timers` may be NULL: Linux's own defaults. Returns 0 or
/// EINVAL.
int halfopen_would_hang_with(struct halfopen_hang* into, const struct halfopen_liveness* options,
                             const struct halfopen_kernel_timers* timers);

/// "0.1.0": of the library that is loaded, by semantic versioning.
const char* halfopen_version(void);

#ifdef __cplusplus
}
#endif

#endif
