// The packets of some connections, from packet(7) sockets in their network namespaces. A filter in the kernel
// lets by what may be theirs (TCP and ICMP of their peers), and here each packet is held against the
// connections. The packets are cooked (SOCK_DGRAM): from the IP header on, whatever the interface is.

#include "audit/capture.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <set>

#include "audit/network_namespace.hpp"
#include "audit/words.hpp"
#include "halfopen/trace/packet.hpp"
#include "halfopen/unique_fd.hpp"
#include "report/pcapng.hpp"

// <linux/filter.h>, whose struct sock_filter has the form of pcap's bpf_insn, declares what <pcap/bpf.h>
// does.
struct program_for_kernel {
  unsigned short length;
  const void* instructions;
};

namespace halfopen::audit {
namespace {

using two_ends = std::pair<trace::endpoint, trace::endpoint>;

two_ends in_order(const trace::endpoint& a, const trace::endpoint& b) {
  return a < b ? two_ends{a, b} : two_ends{b, a};
}

/// What is captured in one network namespace.
struct tap {
  unique_fd socket;
  std::set<two_ends> wanted;
  std::vector<std::string> whose;           ///< a line a connection: its process
  std::map<int, std::uint32_t> interfaces;  ///< by the kernel's index: the number in the file
};

/// Of very many peers only that it is TCP or ICMP.
std::string filter_for(const tap& t) {
  constexpr std::size_t most = 32;
  std::set<std::string> hosts;
  for (const two_ends& e : t.wanted) {
    hosts.insert(e.first.address.to_string());
    if (hosts.size() > most) return "tcp or icmp or icmp6";
  }
  // ICMP errors come from routers between.
  return fmt::format("icmp or icmp6 or (tcp and (host {}))", fmt::join(hosts, " or host "));
}

bool attach(int fd, const std::string& expression) {
  struct closer {
    void operator()(pcap_t* p) const noexcept { ::pcap_close(p); }
  };
  const std::unique_ptr<pcap_t, closer> pcap(::pcap_open_dead(DLT_RAW, 65535));
  bpf_program compiled{};
  if (!pcap || ::pcap_compile(pcap.get(), &compiled, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    return false;
  const program_for_kernel program{static_cast<unsigned short>(compiled.bf_len), compiled.bf_insns};
  const bool done = ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
  ::pcap_freecode(&compiled);
  return done;
}

std::string interface_name(int fd, int index) {
  ifreq request{};
  request.ifr_ifindex = index;
  return ::ioctl(fd, SIOCGIFNAME, &request) == 0 ? request.ifr_name : "if" + std::to_string(index);
}

/// "app 4711: 10.0.0.1:4000 - 10.0.0.2:5432".
std::string named(const tcp_socket& s, const snapshot& in) {
  const std::string who = s.process == none ? "(no process)"
                                            : fmt::format("{} {}", in.processes.at(s.process).name,
                                                          in.processes.at(s.process).pid);
  return fmt::format("{}: {} - {}", who, s.local.to_string(), s.remote.to_string());
}

std::expected<std::map<std::uint32_t, tap>, std::string> taps_for(const snapshot& s,
                                                                  std::span<const std::uint32_t> suspects) {
  constexpr std::size_t most = 1000;
  std::map<std::uint32_t, tap> taps;
  for (const std::uint32_t i : suspects) {
    const tcp_socket& one = s.sockets.at(i);
    tap& t = taps[one.network];
    t.wanted.insert(in_order(one.local, one.remote));
    if (t.whose.size() < most)
      t.whose.push_back(named(one, s));
    else if (t.whose.size() == most)
      t.whose.emplace_back("and more");
  }
  for (auto& [index, t] : taps) {
    const network& n = s.networks.at(index);
    const auto open = [&fd = t.socket] {
      fd.reset(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    };
    errno = 0;
    if (n.path.empty())
      open();
    else if (const unique_fd there = open_network(n.path, n.inode))
      in_network(there.get(), open);
    if (!t.socket)
      return std::unexpected(fmt::format("cannot capture packets: {}; run as root, or with CAP_NET_RAW",
                                         std::strerror(errno == 0 ? EPERM : errno)));
    sockaddr_ll all{};
    all.sll_family = AF_PACKET;
    all.sll_protocol = htons(0x0003);  // ETH_P_ALL: what goes out too
    if (!attach(t.socket.get(), filter_for(t)) ||
        ::bind(t.socket.get(), reinterpret_cast<const sockaddr*>(&all), sizeof all) != 0)
      return std::unexpected(fmt::format("cannot capture packets: {}", std::strerror(errno)));
  }
  return taps;
}

std::uint64_t drain(tap& t, report::pcapng_writer& file, std::vector<std::byte>& room) {
  std::uint64_t written = 0;
  for (;;) {
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const ssize_t n =
        ::recvfrom(t.socket.get(), room.data(), room.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n <= 0) return written;
    const std::string name =
        t.interfaces.contains(from.sll_ifindex) ? "" : interface_name(t.socket.get(), from.sll_ifindex);
    // Loopback shows each packet twice.
    if (from.sll_pkttype == PACKET_OUTGOING && from.sll_hatype == 772) continue;
    const auto frame = std::span(room).first(static_cast<std::size_t>(n));
    const trace::time_point now = std::chrono::system_clock::now();
    const auto p = trace::decode(frame, trace::link::raw_ip, 1, now);
    if (!p || p->what == trace::packet::kind::other) continue;
    if (!t.wanted.contains(in_order(p->tcp.source, p->tcp.destination))) continue;
    const auto [at, is_new] = t.interfaces.try_emplace(from.sll_ifindex, 0);
    if (is_new) at->second = file.add_interface(name, "", trace::link::raw_ip, t.whose);
    file.packet(
        at->second, now, frame, {},
        from.sll_pkttype == PACKET_OUTGOING ? report::direction::outbound : report::direction::inbound);
    ++written;
  }
}

}  // namespace

std::vector<std::uint32_t> suspects_of(const snapshot& s, std::span<const group> all,
                                       std::optional<milliseconds> limit) {
  std::vector<std::uint32_t> found;
  for (const group& g : all) {
    if (g.state == socket_state::listen || g.state == socket_state::close) continue;
    for (const std::uint32_t i : g.sockets) {
      const tcp_socket& one = s.sockets.at(i);
      const bool late = limit && notices_within(one, risk_of(one, s), *limit) == within::no;
      if (!g.faults.empty() || late) found.push_back(i);
    }
  }
  return found;
}

std::expected<std::uint64_t, std::string> capture(const snapshot& s, std::span<const std::uint32_t> suspects,
                                                  milliseconds length, const std::string& path) {
  auto taps = taps_for(s, suspects);
  if (!taps) return std::unexpected(taps.error());
  auto file = report::pcapng_writer::create(path, "halfopen audit: connections that are suspect");
  if (!file) return std::unexpected(file.error());
  std::uint64_t written = 0;
  std::vector<std::byte> room(65536);
  std::vector<pollfd> watched;
  for (const auto& [index, t] : *taps) watched.push_back({t.socket.get(), POLLIN, 0});
  const auto until = std::chrono::steady_clock::now() + length;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    ::poll(watched.data(), watched.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 1000)));
    for (auto& [index, t] : *taps) written += drain(t, *file, room);
  }
  if (const auto closed = file->close(); !closed) return std::unexpected(closed.error());
  return written;
}

}  // namespace halfopen::audit
