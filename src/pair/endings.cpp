// What Linux says with each errno of connect, send and recv on TCP. tcp_reset() in
// net/ipv4/tcp_input.c gives ECONNREFUSED in SYN_SENT, EPIPE in CLOSE_WAIT and
// ECONNRESET otherwise; icmp_err_convert in net/ipv4/icmp.c has the codes of ICMP
// unreachable; tcp_write_err() in net/ipv4/tcp_timer.c reports such a code in place of
// ETIMEDOUT. ECONNRESET cannot tell peer_reset from peer_rebooted: only packets can.

#include "pair/endings.hpp"

#include <cerrno>

namespace halfopen::pair {

std::optional<ending> ending_of(int error) noexcept {
  switch (error) {
    case ECONNREFUSED:
      return ending::refused;
    case ECONNRESET:
      return ending::peer_reset;
    case ECONNABORTED:
      return ending::aborted_before_accept;
    case EPIPE:
      return ending::broken_pipe;
    case ETIMEDOUT:
      return ending::peer_vanished;
    case EHOSTUNREACH:
    case EHOSTDOWN:
      return ending::host_unreachable;
    case ENETUNREACH:
      return ending::net_unreachable;
    default:
      return std::nullopt;
  }
}

std::string_view word(std::optional<ending> e) noexcept {
  return e ? to_string(*e) : std::string_view{"failed"};
}

}  // namespace halfopen::pair
