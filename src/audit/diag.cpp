// All TCP sockets of a network namespace, over sock_diag(7), as ss(8) asks for them. /proc/net/tcp was the
// alternative: it has no TCP_INFO, and its text costs more than the answer.

#include "audit/diag.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace halfopen::audit {
namespace {

constexpr std::uint32_t bit(socket_state s) {
  return 1U << static_cast<unsigned>(s);
}
/// TIME_WAIT is no state of harm, and on a busy host most sockets are in it. The one that is left behind
/// there in FIN_WAIT2 is found by that.
constexpr std::uint32_t connections = bit(socket_state::established) | bit(socket_state::syn_sent) |
                                      bit(socket_state::fin_wait1) | bit(socket_state::fin_wait2) |
                                      bit(socket_state::close_wait) | bit(socket_state::last_ack) |
                                      bit(socket_state::closing);

trace::endpoint endpoint_of(std::uint8_t family, const std::uint32_t (&address)[4], std::uint16_t port) {
  std::span<const std::byte> bytes = std::as_bytes(std::span(address));
  const bool mapped = ::ntohl(address[2]) == 0xffff && address[0] == 0 && address[1] == 0;
  if (family == AF_INET) bytes = bytes.first(4);
  if (family == AF_INET6 && mapped) bytes = bytes.last(4);
  return {trace::ip_address(bytes), ntohs(port)};
}

struct closer {
  void operator()(mnl_socket* s) const noexcept { mnl_socket_close(s); }
};

using take_socket = std::function<void(const tcp_socket&)>;

int take_one(const nlmsghdr* message, void* take) {
  if (auto s = socket_of(message)) (*static_cast<const take_socket*>(take))(*s);
  return MNL_CB_OK;
}

/// The older of the two requests, since it asks for both versions of IP at once (inet_diag_dump_compat() in
/// net/ipv4/inet_diag.c). The newer asks for one, and for each the kernel walks through its whole table,
/// which has some hundred thousand places however few are taken.
bool ask(mnl_socket* diag, std::uint32_t states, std::uint8_t extensions, const take_socket& take) {
  alignas(nlmsghdr) std::array<char, 256> out{};
  nlmsghdr* header = mnl_nlmsg_put_header(out.data());
  static unsigned sequence = 0;
  header->nlmsg_type = TCPDIAG_GETSOCK;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header->nlmsg_seq = ++sequence;
  auto* request = static_cast<inet_diag_req*>(mnl_nlmsg_put_extra_header(header, sizeof(inet_diag_req)));
  request->idiag_states = states;
  request->idiag_ext = extensions;
  if (mnl_socket_sendto(diag, header, header->nlmsg_len) < 0) return false;
  std::vector<char> answer(32768);
  for (;;) {
    const auto n = mnl_socket_recvfrom(diag, answer.data(), answer.size());
    if (n < 0) return false;
    const int more = mnl_cb_run(answer.data(), static_cast<std::size_t>(n), header->nlmsg_seq,
                                mnl_socket_get_portid(diag), take_one, const_cast<take_socket*>(&take));
    if (more == MNL_CB_STOP) return true;
    if (more < 0) return false;
  }
}

int take_attribute(const nlattr* attribute, void* into) {
  tcp_socket& s = *static_cast<tcp_socket*>(into);
  const bool listens = s.state == socket_state::listen;
  const void* payload = mnl_attr_get_payload(attribute);
  const std::size_t size = mnl_attr_get_payload_len(attribute);
  const std::uint16_t type = mnl_attr_get_type(attribute);
  if (type == INET_DIAG_INFO && !listens) s.figures = figures_of(payload, size);
  if (type == INET_DIAG_SKMEMINFO && listens && size >= (SK_MEMINFO_DROPS + 1) * sizeof(std::uint32_t)) {
    std::uint32_t drops = 0;
    std::memcpy(&drops, static_cast<const char*>(payload) + SK_MEMINFO_DROPS * sizeof drops, sizeof drops);
    s.dropped = drops;
  }
  return MNL_CB_OK;
}

}  // namespace

std::optional<tcp_figures> figures_of(const void* info, std::size_t size) {
  constexpr std::size_t least = offsetof(tcp_info, tcpi_total_retrans) + sizeof(std::uint32_t);
  if (size < least) return std::nullopt;
  tcp_info i{};
  std::memcpy(&i, info, std::min(size, sizeof i));
  const auto ms = [](std::uint32_t us) {
    return std::chrono::ceil<milliseconds>(std::chrono::microseconds(us));
  };
  tcp_figures f;
  f.rto = ms(i.tcpi_rto);
  f.round_trip = std::chrono::microseconds(i.tcpi_rtt);
  f.retransmits = i.tcpi_retransmits;
  f.probes = i.tcpi_probes;
  f.backoff = i.tcpi_backoff;
  f.in_flight = i.tcpi_unacked;
  f.not_sent = i.tcpi_notsent_bytes;
  f.since_sent = milliseconds(i.tcpi_last_data_sent);
  f.since_received = milliseconds(i.tcpi_last_data_recv);
  f.since_ack = milliseconds(i.tcpi_last_ack_recv);
  f.window_closed = milliseconds(i.tcpi_rwnd_limited / 1000);
  if (size >= offsetof(tcp_info, tcpi_snd_wnd) + sizeof i.tcpi_snd_wnd)
    f.window_is_closed = i.tcpi_snd_wnd == 0;
  f.bytes_acked = i.tcpi_bytes_acked;
  f.bytes_sent = i.tcpi_bytes_sent;
  f.bytes_repeated = i.tcpi_bytes_retrans;
  f.bytes_received = i.tcpi_bytes_received;
  return f;
}

bool is_whole(const nlmsghdr* message, int left) {
  return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= static_cast<std::uint32_t>(left);
}

std::optional<tcp_socket> socket_of(const nlmsghdr* message) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(inet_diag_msg)) return std::nullopt;
  const auto& m = *static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(message));
  tcp_socket s;
  s.local = endpoint_of(m.idiag_family, m.id.idiag_src, m.id.idiag_sport);
  s.remote = endpoint_of(m.idiag_family, m.id.idiag_dst, m.id.idiag_dport);
  s.state = static_cast<socket_state>(m.idiag_state);
  s.running = m.idiag_timer > 4 ? timer::unknown : static_cast<timer>(m.idiag_timer);
  s.timer_left = milliseconds(m.idiag_expires);
  s.user = m.idiag_uid;
  s.inode = m.idiag_inode;
  s.cookie = std::uint64_t{m.id.idiag_cookie[1]} << 32U | m.id.idiag_cookie[0];
  s.receive_queue = m.idiag_rqueue;
  s.send_queue = m.idiag_wqueue;
  mnl_attr_parse(message, sizeof(inet_diag_msg), take_attribute, &s);
  return s;
}

bool each_socket(const take_socket& take) {
  const std::unique_ptr<mnl_socket, closer> diag(mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC));
  if (!diag || mnl_socket_bind(diag.get(), 0, MNL_SOCKET_AUTOPID) < 0) return false;
  constexpr auto info = std::uint8_t{1U << (INET_DIAG_INFO - 1)};
  constexpr auto memory = std::uint8_t{1U << (INET_DIAG_SKMEMINFO - 1)};
  return ask(diag.get(), bit(socket_state::listen), memory, take) && ask(diag.get(), connections, info, take);
}

}  // namespace halfopen::audit
