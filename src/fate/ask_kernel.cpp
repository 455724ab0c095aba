// What the kernel still knows of a connection that has ended, and what it does not.
//
// TCP_INFO outlives the connection, but for one thing: tcp_done_with_error() purges the
// write queue (net/ipv4/tcp_input.c), and tcpi_unacked is 0 from then on. The sequence
// numbers stay, so SIOCOUTQ still gives the bytes that no ACK has covered, with
// tcpi_notsent_bytes the part of them that never left. A blocking connect that fails loses
// more: __inet_stream_connect() (net/ipv4/af_inet.c) disconnects the socket, which clears
// the counters. tcpi_last_ack_recv alone is not when the peer was last heard: data without
// news in its ACK field moves only tcpi_last_data_recv; the younger of the two is what
// keepalive_time_elapsed() (include/net/tcp.h) goes by. An RST moves neither.
//
// netinet/tcp.h has a struct tcp_info too, which ends before the byte counters; the two
// headers cannot be in one file. Older kernels fill in less: the length tells.
//
// ICMP. tcp_v4_err() and tcp_v6_err() (net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c) put an
// entry with the router's address on the error queue only for a connection that is being
// opened. IPv4 does so whatever the options, IPv6 with IPV6_RECVERR only. An open connection gets
// sk_err with IP_RECVERR and sk_err_soft without; the router's name is lost. Measured on
// Linux 6.18 with ICMP host and network unreachable, both families, v4-mapped too
// (tests/dead_host_test.cpp): the queue of an open connection stays empty.
//
// Reading that queue always takes: ip_recv_error() (net/ipv4/ip_sockglue.c) does not look
// at MSG_PEEK, and sock_dequeue_err_skb() (net/core/skbuff.c) clears the pending error with the last
// ICMP entry. A program's time stamps (SO_TIMESTAMPING) and MSG_ZEROCOPY notices are in the
// same queue. So it is read only where ICMP can be in it and nothing of the program's is:
// while connecting, after an errno that ICMP gives; the pending error has been taken by
// whoever knows that errno.

#include "fate/ask_kernel.hpp"

#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <linux/tcp.h>  // not netinet/tcp.h, whose tcp_info ends at tcpi_total_retrans
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace halfopen {
namespace {

/// What every Linux fills in (netinet/tcp.h ends there). Less is not the kernel's answer: qemu-user
/// takes any TCP option for an int, and turns its bytes round.
constexpr socklen_t least_tcp_info = offsetof(tcp_info, tcpi_total_retrans) + sizeof(std::uint32_t);

/// Network order, as in icmp_report. A v4-mapped address counts as IPv4.
struct address_bytes {
  std::array<std::uint8_t, 16> bytes{};
  bool v6 = false;
};

std::optional<address_bytes> bytes_of(const sockaddr_storage& address) noexcept {
  address_bytes found;
  if (address.ss_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, &address, sizeof four);
    std::memcpy(found.bytes.data(), &four.sin_addr, sizeof four.sin_addr);
    return found;
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 six;
  std::memcpy(&six, &address, sizeof six);
  found.v6 = !IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
  if (found.v6)
    std::memcpy(found.bytes.data(), &six.sin6_addr, sizeof six.sin6_addr);
  else
    std::memcpy(found.bytes.data(), six.sin6_addr.s6_addr + 12, 4);
  return found;
}

std::optional<icmp_report> read_entry(const cmsghdr& header) noexcept {
  const bool recverr = (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_RECVERR) ||
                       (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_RECVERR);
  sock_extended_err error;
  if (!recverr || header.cmsg_len < CMSG_LEN(sizeof error)) return std::nullopt;
  std::memcpy(&error, CMSG_DATA(&header), sizeof error);
  if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) return std::nullopt;
  icmp_report report;
  report.type = error.ee_type;
  report.code = error.ee_code;
  report.v6 = error.ee_origin == SO_EE_ORIGIN_ICMP6;
  sockaddr_storage offender{};  // SO_EE_OFFENDER: it follows
  const std::size_t size = header.cmsg_len - CMSG_LEN(sizeof error);
  std::memcpy(&offender, CMSG_DATA(&header) + sizeof error, std::min(size, sizeof offender));
  if (const auto router = bytes_of(offender)) {
    report.router = router->bytes;
    report.v6 = router->v6;
  }
  return report;
}

}  // namespace

std::optional<connection_facts> ask_kernel(int fd) noexcept {
  tcp_info info{};  // what an older kernel does not fill in stays 0
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < least_tcp_info) return std::nullopt;
  connection_facts found;
  found.state = static_cast<tcp_state>(info.tcpi_state);
  if (found.state == tcp_state::listen) return std::nullopt;  // its fields mean other things
  found.opened = info.tcpi_bytes_acked > 0 || info.tcpi_bytes_received > 0 || info.tcpi_rtt > 0;
  found.sent = info.tcpi_segs_out;
  found.unanswered = info.tcpi_retransmits;
  found.probes = info.tcpi_probes;
  if (size >= offsetof(tcp_info, tcpi_bytes_sent) + sizeof info.tcpi_bytes_sent)
    found.bytes_sent = info.tcpi_bytes_sent;

  evidence& seen = found.seen;
  // Before the handshake is done both are counted from the machine's start.
  if (found.opened)
    seen.last_heard = std::chrono::milliseconds(std::min(info.tcpi_last_ack_recv, info.tcpi_last_data_recv));
  seen.round_trip = std::chrono::microseconds(info.tcpi_rtt);
  seen.unsent = info.tcpi_notsent_bytes;
  seen.retransmissions = info.tcpi_total_retrans;
  seen.still_open = found.state != tcp_state::close;
  int queued = 0;
  if (found.opened && ioctl(fd, SIOCOUTQ, &queued) == 0 && queued > 0)
    seen.unacknowledged =
        static_cast<std::uint32_t>(queued) - std::min(seen.unsent, static_cast<std::uint32_t>(queued));
  return found;
}

bool is_local(int fd) noexcept {
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_UNIX;
}

std::optional<icmp_report> take_icmp(int fd) noexcept {
  alignas(cmsghdr) std::array<std::byte, 512> control{};
  msghdr message{};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  for (const cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(c)))
    if (const auto report = read_entry(*c)) return report;
  return std::nullopt;
}

bool is_own_address(int fd, const icmp_report& icmp) noexcept {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0) return false;
  const auto address = bytes_of(own);
  return address && address->v6 == icmp.v6 && address->bytes == icmp.router;
}

}  // namespace halfopen
