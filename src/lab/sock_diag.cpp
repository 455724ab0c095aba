// A host's sockets, asked of its kernel over sock_diag(7), as ss(8) does it.
//
// /proc/net/tcp was the alternative: text, without the memory that a socket holds, and
// of a namespace that one has to be in as a process. TCP_INFO needs the descriptor.
//
// UDP is the exception: its part of sock_diag is a module of its own (CONFIG_INET_UDP_DIAG) that
// a kernel may not have, and the text has all that is asked: local address and state.
//
// What sock_diag cannot show is a connection that is dead while it waits to be accepted:
// an RST takes it out of the kernel's tables (net/ipv4/tcp.c, tcp_done), and only the
// listener's count of waiting connections still has it.

#include "lab/sock_diag.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <span>
#include <string>

#include "lab/netlink_request.hpp"

namespace halfopen::lab {
namespace {

/// A connection whose handshake is not done stands in the kernel's table under a state of
/// its own, which it shows as TCP_SYN_RECV (include/net/tcp_states.h, TCP_NEW_SYN_RECV).
constexpr unsigned new_syn_recv = TCP_CLOSING + 1;

/// Bits of all states up to there. One more, bound but neither listening nor connected,
/// came with Linux 6.8 (TCP_BOUND_INACTIVE) and is left out: older kernels do not tell.
constexpr std::uint32_t every_state = (2U << new_syn_recv) - 2;

/// Asks for all TCP sockets in these states (bits by TCP_ESTABLISHED...), and for the
/// memory that they hold if `with_memory`.
void each_tcp_socket(std::uint32_t states, bool with_memory,
                     const std::function<void(const inet_diag_msg&, const nlmsghdr*)>& take) {
  netlink diag(NETLINK_SOCK_DIAG);
  for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    nlmsghdr* header = diag.request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
    auto* request = put<inet_diag_req_v2>(header);
    request->sdiag_family = family;
    request->sdiag_protocol = IPPROTO_TCP;
    request->idiag_states = states;
    if (with_memory) request->idiag_ext = 1U << (INET_DIAG_SKMEMINFO - 1);
    diag.run(header, "asking for TCP sockets", [&](const nlmsghdr* h) {
      if (mnl_nlmsg_get_payload_len(h) >= sizeof(inet_diag_msg))
        take(*static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(h)), h);
    });
  }
}

trace::endpoint endpoint_of(std::uint8_t family, const std::uint32_t (&address)[4], std::uint16_t port) {
  std::span<const std::byte> bytes = std::as_bytes(std::span(address));
  const bool mapped = ::ntohl(address[2]) == 0xffff && address[0] == 0 && address[1] == 0;
  if (family == AF_INET) bytes = bytes.first(4);
  if (family == AF_INET6 && mapped) bytes = bytes.last(4);
  return {trace::ip_address(bytes), ntohs(port)};
}

bool is_wildcard(const trace::ip_address& a) {
  return std::ranges::all_of(a.bytes(), [](std::byte b) { return b == std::byte{0}; });
}

listener at(listener::protocol what, const trace::endpoint& where) {
  return {what, where, is_wildcard(where.address)};
}

/// Those of /proc/net/udp and its like that are bound and not connected. Addresses stand there
/// as words of this machine, in hexadecimal (net/ipv4/udp.c, udp4_format_sock).
void add_udp_sockets(const char* table, std::uint8_t family, std::vector<listener>& to) {
  std::ifstream file(std::string("/proc/thread-self/net/") + table);
  for (std::string line; std::getline(file, line);) {
    char address[33] = {};
    unsigned port = 0;
    unsigned state = 0;
    if (std::sscanf(line.c_str(), "%*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x", address, &port, &state) != 3 ||
        state != TCP_CLOSE)
      continue;
    std::uint32_t words[4] = {};
    for (std::size_t i = 0; i < 4 && std::strlen(address) >= 8 * (i + 1); ++i)
      words[i] = static_cast<std::uint32_t>(std::stoul(std::string(address + 8 * i, 8), nullptr, 16));
    to.push_back(
        at(listener::protocol::udp, endpoint_of(family, words, htons(static_cast<std::uint16_t>(port)))));
  }
}

std::uint64_t sum_of_parts(const nlattr* meminfo) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> counts{};
  std::memcpy(counts.data(), mnl_attr_get_payload(meminfo),
              std::min<std::size_t>(sizeof counts, mnl_attr_get_payload_len(meminfo)));
  std::uint64_t sum = 0;
  // Of what is to be sent, the queue: SK_MEMINFO_WMEM_ALLOC counts the same bytes once
  // more while copies of them are on their way out.
  for (const std::size_t part : {SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_WMEM_QUEUED, SK_MEMINFO_FWD_ALLOC,
                                 SK_MEMINFO_OPTMEM, SK_MEMINFO_BACKLOG})
    sum += counts.at(part);
  return sum;
}

std::uint64_t memory_of(const nlmsghdr* header) {
  std::uint64_t sum = 0;
  const auto look = [](const nlattr* attribute, void* into) {
    if (mnl_attr_get_type(attribute) == INET_DIAG_SKMEMINFO)
      *static_cast<std::uint64_t*>(into) = sum_of_parts(attribute);
    return MNL_CB_OK;
  };
  mnl_attr_parse(header, sizeof(inet_diag_msg), look, &sum);
  return sum;
}

}  // namespace

std::vector<socket_view> tcp_sockets() {
  std::vector<socket_view> all;
  each_tcp_socket(every_state, true, [&](const inet_diag_msg& m, const nlmsghdr* header) {
    all.push_back({endpoint_of(m.idiag_family, m.id.idiag_src, m.id.idiag_sport),
                   endpoint_of(m.idiag_family, m.id.idiag_dst, m.id.idiag_dport), m.idiag_state,
                   m.idiag_inode, m.idiag_rqueue, m.idiag_wqueue, memory_of(header)});
  });
  return all;
}

std::vector<std::uint16_t> listening_tcp_ports() {
  std::vector<std::uint16_t> ports;
  each_tcp_socket(1U << TCP_LISTEN, false,
                  [&](const inet_diag_msg& m, const nlmsghdr*) { ports.push_back(ntohs(m.id.idiag_sport)); });
  std::ranges::sort(ports);
  ports.erase(std::ranges::unique(ports).begin(), ports.end());
  return ports;
}

std::vector<listener> listening_sockets() {
  std::vector<listener> all;
  each_tcp_socket(1U << TCP_LISTEN, false, [&](const inet_diag_msg& m, const nlmsghdr*) {
    all.push_back(at(listener::protocol::tcp, endpoint_of(m.idiag_family, m.id.idiag_src, m.id.idiag_sport)));
  });
  add_udp_sockets("udp", AF_INET, all);
  add_udp_sockets("udp6", AF_INET6, all);
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

std::uint64_t unread_bytes_at(std::uint16_t port) {
  std::uint64_t unread = 0;
  each_tcp_socket(1U << TCP_ESTABLISHED | 1U << TCP_CLOSE_WAIT, false,
                  [&](const inet_diag_msg& m, const nlmsghdr*) {
                    if (ntohs(m.id.idiag_sport) == port) unread += m.idiag_rqueue;
                  });
  return unread;
}

std::size_t destroy_tcp_connections(const std::optional<trace::ip_address>& peer) {
  // Those of tcp_need_reset() in include/net/tcp.h but SYN_RECV, which goes without a word while
  // it is a mere request.
  constexpr std::uint32_t worth_a_reset =
      1U << TCP_ESTABLISHED | 1U << TCP_CLOSE_WAIT | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2;
  std::vector<inet_diag_msg> found;
  each_tcp_socket(worth_a_reset, false, [&](const inet_diag_msg& m, const nlmsghdr*) {
    if (!peer || endpoint_of(m.idiag_family, m.id.idiag_dst, m.id.idiag_dport).address == *peer)
      found.push_back(m);
  });
  netlink diag(NETLINK_SOCK_DIAG);
  for (const inet_diag_msg& m : found) {
    nlmsghdr* header = diag.request(SOCK_DESTROY, NLM_F_ACK);
    auto* request = put<inet_diag_req_v2>(header);
    request->sdiag_family = m.idiag_family;
    request->sdiag_protocol = IPPROTO_TCP;
    request->idiag_states = worth_a_reset;
    request->id = m.id;
    diag.run(header, "resetting a connection (SOCK_DESTROY; needs CONFIG_INET_DIAG_DESTROY)");
  }
  return found.size();
}

}  // namespace halfopen::lab
