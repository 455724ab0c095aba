// From an errno and the kernel's evidence to a fate.
//
// The errno's own meaning (errnos.cpp) is the rule. Evidence overrules it where the kernel
// knows more, and each time on a condition that holds for certain:
//
// - ECONNRESET after silence. A kernel that is alive acknowledges: any ACK sets tcpi_probes to
//   0 and one of new data tcpi_retransmits (tcp_ack() in net/ipv4/tcp_input.c), and an RST
//   is handled before that (tcp_validate_incoming()). So if one keepalive or window probe, or
//   two retransmission timers in a row, had no answer until the RST came, a host sent it
//   that did not know the connection: peer_rebooted is the likelier word. A single
//   retransmission is no proof, for a packet is lost now and then. The other word stays in
//   or_else both ways: a process that died with unread data sends an RST as well, the
//   difference is in the packet (tcp_v4_send_reset(), tcp_send_active_reset()), and no
//   system call shows it. To time the RST against the next keepalive was the other idea:
//   the count of unanswered probes says the same without a tolerance.
// - ETIMEDOUT with all probes answered, nothing unacknowledged and bytes unsent: the peer
//   lives, keeps its window shut, and TCP_USER_TIMEOUT ended it (tcp_probe_timer() in
//   net/ipv4/tcp_timer.c). That is a limit of our own: deadline_passed.
// - EPIPE while the socket is not closed: after our own shutdown(SHUT_WR).
// - ECONNREFUSED on a connection that was open: ICMP port unreachable, such as
//   a firewall's default rejection, not an RST to a SYN.
// - ENETUNREACH without a packet sent: a route of this host's own is missing.
// - EACCES and the like of connect, with an ICMP entry: a router's, not this host's.
//
// On a Unix socket there is no network between the two, and no RST (net/unix/af_unix.c):
// - ECONNRESET: the peer closed and had bytes unread, or the listener closed before it accepted
//   (unix_release_sock()). The host has not rebooted: there is no second reading.
// - EPIPE: the peer has closed; no earlier write is needed.
// - ENOENT of connect: nobody has made the socket, as ECONNREFUSED says that nobody listens on it.
//
// Whether to send again is never taken from an errno alone. It is safe where tcpi_bytes_sent
// is 0, which counts from the connection's first byte: a caller that knows where its request
// begins can be more exact, never less careful.

#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <new>

#include "fate/ask_kernel.hpp"
#include "fate/make_fate.hpp"

namespace halfopen {
namespace {

/// So many retransmission timers without an ACK between are silence, not a lost packet.
constexpr std::uint32_t silence = 2;

class keep_errno {
 public:
  keep_errno() = default;
  ~keep_errno() { errno = kept_; }
  keep_errno(const keep_errno&) = delete;
  keep_errno& operator=(const keep_errno&) = delete;

 private:
  int kept_ = errno;
};

phase phase_of(operation during, int error) noexcept {
  switch (during) {
    case operation::connect:
      // An RST after the handshake: the connection was open already.
      return error == ECONNRESET || error == EPIPE ? phase::idle : phase::connecting;
    case operation::accept:
      return phase::connecting;
    case operation::write:
      return phase::sending;
    case operation::read:
      break;
  }
  return phase::awaiting_reply;
}

bool may_be_icmp(int error) noexcept {
  switch (error) {
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENETUNREACH:
    case ECONNREFUSED:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EMSGSIZE:
    case EPROTO:
    case EACCES:
      return true;
    default:
      return false;
  }
}

void judge_reset(fate& f, const connection_facts& k) noexcept {
  const bool silent_before = k.probes > 0 || k.unanswered >= silence;
  f.how = silent_before ? ending::peer_rebooted : ending::peer_reset;
  f.or_else = silent_before ? ending::peer_reset : ending::peer_rebooted;
}

void judge_timeout(fate& f, const connection_facts& k) noexcept {
  const bool window_is_shut = k.seen.unsent > 0 && k.seen.unacknowledged == 0;
  if (!window_is_shut || k.probes > 0) return;
  f.how = ending::deadline_passed;
  f.or_else = ending::peer_vanished;
  f.detail = "the peer answers, but took no data for the whole user timeout";
}

void judge_unreachable(fate& f, int fd, connection_facts& k) noexcept {
  if (f.when != phase::connecting) return;
  k.seen.icmp = take_icmp(fd);
  if (!k.seen.icmp) {
    if (f.error == ENETUNREACH && k.sent == 0) {
      f.detail = "this host has no route to it";
      f.or_else = ending::local_failure;
    }
    return;
  }
  if (f.how == ending::local_failure) f.how = ending::host_unreachable;
  if (is_own_address(fd, *k.seen.icmp)) f.detail = "no neighbour answers for the address";
}

/// The errno's ending is the rule; here are the cases in which the kernel knows more.
void judge(fate& f, int fd, connection_facts& k) noexcept {
  if (f.error == EPIPE && f.during == operation::write && k.state != tcp_state::close &&
      k.state != tcp_state::close_wait) {
    f.how = ending::local_failure;
    f.detail = "written after our own shutdown";
  } else if (f.error == ECONNRESET) {
    judge_reset(f, k);
  } else if (f.error == ETIMEDOUT && k.opened) {
    judge_timeout(f, k);
  } else if (f.error == ECONNREFUSED && k.opened && f.when != phase::connecting) {
    f.how = ending::host_unreachable;
    f.detail = "ICMP port unreachable on an open connection";
  } else if (f.error == EMSGSIZE && k.opened && !k.seen.still_open) {
    f.how = ending::peer_vanished;
    f.detail = "a router called the packets too big before";
  } else if (may_be_icmp(f.error)) {
    judge_unreachable(f, fd, k);
  }
}

void judge_local(fate& f) noexcept {
  if (f.error == ECONNRESET) {
    f.or_else.reset();
    f.detail = "a Unix socket that was closed with bytes unread, or never accepted";
  } else if (f.error == EPIPE) {
    f.detail = "a Unix socket whose other end reads no more";
  } else if (f.error == ENOENT && f.during == operation::connect) {
    f.how = ending::refused;
    f.detail = "nobody has made this Unix socket";
  }
}

/// accept(2) gave `fd`: is there somebody at the other end?
void judge_accepted(fate& f, int fd, const std::optional<connection_facts>& k) noexcept {
  if (k) {
    const bool dead = k->state == tcp_state::close;
    f.how = dead ? ending::aborted_before_accept : ending::completed;
    f.detail = dead ? "accepted, but reset before" : "accepted and alive";
    return;
  }
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (fd < 0 || getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0) return;
  f.error = errno;
  f.how = ending::local_failure;
  f.detail = "what was accepted is no TCP connection";
}

retry again(const fate& f, const std::optional<connection_facts>& k) noexcept {
  const bool sent_none = k && k->bytes_sent && *k->bytes_sent == 0;
  if (f.during == operation::accept) return retry::safe;
  // TCP Fast Open (RFC 7413) sends data with the SYN. A blocking sendto that fails so has
  // its counters cleared (__inet_stream_connect() in net/ipv4/af_inet.c), so that a write
  // on a connection that never opened proves nothing.
  if (f.when == phase::connecting && f.during != operation::write)
    return !k || !k->bytes_sent || sent_none ? retry::safe : retry::unknown;
  const bool never_will = k && (k->seen.unsent == 0 || !k->seen.still_open);
  return sent_none && k->opened && never_will ? retry::safe : retry::unknown;
}

fate of_own_doing(ending how, const standing& at, std::string_view detail, int error = 0) noexcept {
  fate f = diagnose(at.fd, at.during, 0, at.when);
  f.how = how;
  f.again = at.again;
  f.error = error;
  f.detail = detail;
  return f;
}

}  // namespace

kept_evidence::kept_evidence(const evidence& e) noexcept {
  try {
    kept_ = std::make_shared<const evidence>(e);
  } catch (const std::bad_alloc&) {
  }
}

const evidence& kept_evidence::operator*() const noexcept {
  static constexpr evidence nothing{};
  return kept_ ? *kept_ : nothing;
}

fate diagnose(int fd, operation during, int error, std::optional<phase> when) noexcept {
  const keep_errno kept;
  fate f;
  f.how = ending_of(during, error);
  f.when = when.value_or(phase_of(during, error));
  f.during = during;
  f.error = error;
  if (during == operation::read && error == 0) f.detail = "end-of-file";
  if (error == ECONNRESET && f.how == ending::peer_reset) f.or_else = ending::peer_rebooted;
  if (error == ECONNABORTED && f.how == ending::local_failure)
    f.detail = "the socket was destroyed on this host";

  std::optional<connection_facts> known;
  if (fd >= 0) known = ask_kernel(fd);  // of an accept that failed, fd is the listener: nothing
  if (during == operation::accept && error == 0)
    judge_accepted(f, fd, known);
  else if (known && during != operation::accept)
    judge(f, fd, *known);
  else if (f.error != 0 && fd >= 0 && is_local(fd))
    judge_local(f);
  f.again = again(f, known);
  if (known) f.seen = known->seen;
  return f;
}

bool is_end_of_file(const fate& f) noexcept {
  return f.during == operation::read && f.error == 0 &&
         (f.how == ending::completed || f.how == ending::peer_closed);
}

fate of_error(const standing& at, int error) noexcept {
  fate f = diagnose(at.fd, at.during, error, at.when);
  f.again = at.again;
  if (at.during == operation::read && error == 0 && at.when == phase::idle) f.how = ending::completed;
  return f;
}

fate of_deadline(const standing& at, std::string_view detail) noexcept {
  return of_own_doing(ending::deadline_passed, at, detail);
}

fate of_stop(const standing& at) noexcept {
  return of_own_doing(ending::shut_down, at, "told to stop");
}

fate of_local_failure(const standing& at, std::string_view detail, int error) noexcept {
  return of_own_doing(ending::local_failure, at, detail, error);
}

fate of_completion(const standing& at, std::string_view detail) noexcept {
  return of_own_doing(ending::completed, at, detail);
}

fate of_malformed(standing at, std::string_view what) noexcept {
  at.again = retry::pointless;
  return of_own_doing(ending::malformed, at, what);
}

fate for_request(fate end, phase when, retry again) noexcept {
  if (end.during != operation::write) end.when = when;
  if (end.how == ending::completed && when != phase::idle) end.how = ending::peer_closed;
  if (end.how != ending::malformed) end.again = again;
  return end;
}

fate before_request(fate end) noexcept {
  end.when = phase::connecting;
  if (end.how == ending::completed) end.how = ending::peer_closed;
  if (end.how != ending::malformed) end.again = retry::safe;
  return end;
}

}  // namespace halfopen
