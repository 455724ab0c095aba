// From an errno to the word for how the connection ended.
//
// An errno alone is ambiguous, and differently for each call: EPROTO is a queued
// connection's death for accept(2) and an ICMP parameter problem for the others. So the
// operation is part of the question, and what is left open is for diagnose() to narrow
// with what the kernel still knows. Where each comes from in Linux:
//
// - a segment: tcp_reset() in net/ipv4/tcp_input.c gives ECONNREFUSED in SYN_SENT, EPIPE
//   in CLOSE_WAIT and ECONNRESET otherwise. So connect(2) fails with ECONNRESET or EPIPE
//   only if the handshake was done and the RST came before the program looked.
// - silence: tcp_write_err() in net/ipv4/tcp_timer.c gives ETIMEDOUT, or in its place the
//   last ICMP error that came meanwhile.
// - ICMP: icmp_err_convert in net/ipv4/icmp.c, icmpv6_err_convert() in net/ipv6/icmp.c:
//   EHOSTUNREACH, EHOSTDOWN, ENONET, ENETUNREACH, ECONNREFUSED (port), ENOPROTOOPT
//   (protocol), EOPNOTSUPP (source route), EMSGSIZE (too big), EPROTO (parameter problem),
//   and for IPv6 EACCES (administratively prohibited).
// - accept(2) asks programs to take the new socket's pending network error for a
//   connection that died in the queue. Linux itself hands such a connection out
//   (do_accept() in net/socket.c); POSIX has ECONNABORTED, SVR4 had EPROTO.
// - SO_RCVTIMEO and SO_SNDTIMEO (socket(7)): EAGAIN, and EINPROGRESS for connect.
// - ECONNABORTED outside accept: the socket was destroyed on this host, as `ss -K` does
//   (tcp_abort() in net/ipv4/tcp.c).

#include <strings.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>

#include "halfopen/fate.hpp"

namespace halfopen {
namespace {

ending of_accept(int error) noexcept {
  switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ECONNRESET:
    case ETIMEDOUT:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return ending::aborted_before_accept;
    case EAGAIN:
      return ending::deadline_passed;
    default:
      return ending::local_failure;
  }
}

ending of_connect(int error) noexcept {
  switch (error) {
    case ECONNREFUSED:
    case ENOPROTOOPT:  // the host is there, and has no TCP
      return ending::refused;
    case EPIPE:  // a FIN, then an RST: nothing was written
      return ending::peer_reset;
    case EINPROGRESS:
    case EALREADY:
      return ending::deadline_passed;
    default:
      return ending::local_failure;
  }
}

ending of_transfer(int error) noexcept {
  switch (error) {
    case ECONNREFUSED:
      return ending::refused;
    case EPIPE:
      return ending::broken_pipe;
    case ENOPROTOOPT:
      return ending::host_unreachable;
    case EAGAIN:
      return ending::deadline_passed;
    default:
      return ending::local_failure;
  }
}

constexpr std::string_view digits = "0123456789";

/// The number of that name, 0 if there is none.
int number_of(std::string_view name) noexcept {
  if (name.empty() || name.size() > 24) return 0;
  int number = 0;
  if (name.find_first_not_of(digits) == std::string_view::npos) {
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
    return code == std::errc{} && end == name.data() + name.size() ? number : 0;
  }
  const auto is = [name](const char* other) {
    return other && std::strlen(other) == name.size() && ::strncasecmp(other, name.data(), name.size()) == 0;
  };
  if (is("EWOULDBLOCK")) return EWOULDBLOCK;  // POSIX has two names for these
  if (is("ENOTSUP")) return ENOTSUP;
  for (number = 1; number < 4096; ++number)  // MAX_ERRNO, include/linux/err.h
    if (is(strerrorname_np(number))) return number;
  return 0;
}

std::array<std::optional<ending>, 3> meanings(int error) noexcept {
  using enum ending;
  switch (error) {
    case ECONNRESET:
      return {peer_reset, peer_rebooted, aborted_before_accept};
    case EPIPE:
      return {broken_pipe, peer_reset, local_failure};
    case ETIMEDOUT:
      return {peer_vanished, deadline_passed, aborted_before_accept};
    case ECONNREFUSED:
      return {refused, host_unreachable};
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENONET:
      return {host_unreachable, aborted_before_accept};
    case ENETUNREACH:
      return {net_unreachable, local_failure, aborted_before_accept};
    case ENETDOWN:
      return {local_failure, aborted_before_accept};
    case ECONNABORTED:
      return {aborted_before_accept, local_failure};
    case EPROTO:
      return {aborted_before_accept, host_unreachable};
    case ENOPROTOOPT:
      return {refused, host_unreachable, aborted_before_accept};
    case EMSGSIZE:
      return {local_failure, peer_vanished};
    case EACCES:
    case EOPNOTSUPP:
      return {local_failure, host_unreachable};
    case ENOTCONN:  // getpeername on a connection that died in the queue
      return {local_failure, aborted_before_accept};
    case EAGAIN:
      return {deadline_passed, local_failure};
    case EINPROGRESS:
    case EALREADY:
      return {deadline_passed};
    default:
      return {local_failure};
  }
}

}  // namespace

ending ending_of(operation during, int error) noexcept {
  if (error == 0) return during == operation::read ? ending::peer_closed : ending::completed;
  if (during == operation::accept) return of_accept(error);
  switch (error) {
    case ECONNRESET:
      return ending::peer_reset;
    case ETIMEDOUT:
      return ending::peer_vanished;
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case EPROTO:
      return ending::host_unreachable;
    case ENETUNREACH:
      return ending::net_unreachable;
    default:
      return during == operation::connect ? of_connect(error) : of_transfer(error);
  }
}

std::optional<errno_meaning> parse_errno(std::string_view name) noexcept {
  const int error = number_of(name);
  if (error <= 0 || !strerrorname_np(error)) return std::nullopt;
  return errno_meaning{error, meanings(error)};
}

}  // namespace halfopen
