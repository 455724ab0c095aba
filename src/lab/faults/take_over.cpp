// A connection in the place of another one, to the byte.
//
// A program that is killed, or closes, in the middle of what it says has said what it wrote, and it has
// often written all: its kernel delivers that. No program can be told to stop at a byte. But a kernel can be
// given a connection at any place of its stream: TCP_REPAIR is how CRIU brings connections from one machine
// to another (net/ipv4/tcp.c, tcp_setsockopt; criu/soccr/soccr.c). So the program's own connection is taken
// out of its kernel without a word, and one is put in its place that has said no more than what is wanted.
// From there on the real kernel speaks: FIN, RST, ACK.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"
#include "lab/socket_address.hpp"

namespace halfopen::lab {
namespace {

template <class T>
void set(const unique_fd& fd, int option, const T& value) {
  if (::setsockopt(fd.get(), IPPROTO_TCP, option, &value, sizeof value) < 0)
    throw error("taking a connection over, TCP option " + std::to_string(option), errno);
}
template <class T>
T get(const unique_fd& fd, int option) {
  T value{};
  socklen_t size = sizeof value;
  if (::getsockopt(fd.get(), IPPROTO_TCP, option, &value, &size) < 0)
    throw error("taking a connection over, TCP option " + std::to_string(option), errno);
  return value;
}

std::uint32_t sequence_in(const unique_fd& fd, int queue) {
  set(fd, TCP_REPAIR_QUEUE, queue);
  return get<std::uint32_t>(fd, TCP_QUEUE_SEQ);
}

/// What both ends agreed on in their SYNs.
std::vector<tcp_repair_opt> agreed_options(const unique_fd& fd) {
  constexpr std::uint32_t mss = 2, window_scale = 3, sack_permitted = 4,
                          timestamps = 8;  // RFC 9293, 7323, 2018
  const auto info = get<tcp_info>(fd, TCP_INFO);
  std::vector<tcp_repair_opt> all{{mss, get<std::uint32_t>(fd, TCP_MAXSEG)}};
  if ((info.tcpi_options & TCPI_OPT_WSCALE) != 0)
    all.push_back({window_scale, info.tcpi_snd_wscale + (std::uint32_t{info.tcpi_rcv_wscale} << 16U)});
  if ((info.tcpi_options & TCPI_OPT_SACK) != 0) all.push_back({sack_permitted, 0});
  if ((info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0) all.push_back({timestamps, 0});
  return all;
}

/// What is on the cable already is taken in by the kernel a little later; nothing else moves meanwhile.
void until_it_has_heard(const unique_fd& fd, std::uint32_t wanted) {
  for (int tries = 0; tries < 50 && sequence_in(fd, TCP_RECV_QUEUE) != wanted; ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// In repair mode it says nothing (tcp_disconnect), and its program finds it aborted.
void end_in_silence(const unique_fd& fd) {
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  if (::connect(fd.get(), &nobody, sizeof nobody) < 0) throw error("ending a connection in silence", errno);
  set(fd, TCP_REPAIR, int{TCP_REPAIR_OFF_NO_WP});
}

unique_fd in_its_place(const host& h, const trace::endpoint& own, const trace::endpoint& far) {
  const socket_address here(own.address, own.port), there(far.address, far.port);
  unique_fd fd;
  h.in_network([&] { fd.reset(::socket(here.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); });
  if (!fd) throw error("socket", errno);
  set(fd, TCP_REPAIR, int{TCP_REPAIR_ON});
  if (::bind(fd.get(), here.get(), here.size()) < 0) throw error("taking over " + own.to_string(), errno);
  return fd;
}

}  // namespace

std::optional<grip> take_hold(const host& h, const trace::connection& c) {
  const trace::endpoint& own = c.opener.address == h.address() ? c.opener : c.responder;
  const trace::endpoint& far = c.opener.address == h.address() ? c.responder : c.opener;
  const auto all = h.sockets();
  const auto found = std::ranges::find_if(
      all, [&](const socket_view& v) { return v.local == own && v.remote == far && v.inode != 0; });
  if (found == all.end()) return std::nullopt;
  unique_fd copy = h.copy_socket(found->inode);
  if (!copy) return std::nullopt;
  return grip{std::move(copy), own, far};
}

unique_fd take_over(host& h, const trace::connection& c, grip held, std::uint64_t said) {
  const trace::side side = c.opener == held.own ? trace::side::opener : trace::side::responder;
  const trace::flow &speaks = c.of(side), &hears = c.of(trace::other(side));
  if (!speaks.initial_sequence || !hears.initial_sequence)
    throw error("a connection whose beginning was not seen cannot be taken over");
  h.lab().note("the connection of the " + h.name() + " is at byte " + std::to_string(said) +
               " of what it says, and what its program wrote beyond is unsaid");
  const unique_fd& before = held.copy;
  set(before, TCP_REPAIR, int{TCP_REPAIR_ON});
  const auto heard =
      static_cast<std::uint32_t>(*hears.initial_sequence + 1 + hears.bytes + (hears.fin ? 1 : 0));
  until_it_has_heard(before, heard);
  const std::uint32_t next = sequence_in(before, TCP_RECV_QUEUE);
  const auto window = get<tcp_repair_window>(before, TCP_REPAIR_WINDOW);
  const auto options = agreed_options(before);
  const int clock = get<int>(before, TCP_TIMESTAMP);
  // What it has sent that is on the cable still never was on the wire.
  cable::port& plug = host_access::port(h);
  const bool was_connected = std::exchange(plug.connected, false);
  end_in_silence(before);
  h.lab().run_for(std::chrono::milliseconds(1));
  plug.connected = was_connected;
  host_access::wire(h).lose_held(held.own);

  unique_fd made = in_its_place(h, held.own, held.far);
  set(made, TCP_REPAIR_QUEUE, int{TCP_RECV_QUEUE});
  set(made, TCP_QUEUE_SEQ, next);
  set(made, TCP_REPAIR_QUEUE, int{TCP_SEND_QUEUE});
  set(made, TCP_QUEUE_SEQ, static_cast<std::uint32_t>(*speaks.initial_sequence + 1 + said));
  const socket_address there(held.far.address, held.far.port);
  if (::connect(made.get(), there.get(), there.size()) < 0)
    throw error("taking over a connection to " + held.far.to_string(), errno);
  if (::setsockopt(made.get(), IPPROTO_TCP, TCP_REPAIR_OPTIONS, options.data(),
                   static_cast<socklen_t>(options.size() * sizeof options.front())) < 0)
    throw error("taking over a connection's options", errno);
  set(made, TCP_TIMESTAMP, clock);
  set(made, TCP_REPAIR_WINDOW, window);
  set(made, TCP_REPAIR, int{TCP_REPAIR_OFF_NO_WP});  // no probe: it says nothing of its own
  const int yes = 1;
  set(made, TCP_NODELAY, yes);
  return made;
}

}  // namespace halfopen::lab
