#ifndef HALFOPEN_LAB_FAULT_HPP
#define HALFOPEN_LAB_FAULT_HPP

/// \file
/// What can be done to hosts and programs. Each is noted in the evidence on the
/// packet at which it was done, and each is one file in src/lab/faults/.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "halfopen/lab/host.hpp"
#include "halfopen/lab/process.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "halfopen/trace/connection.hpp"

namespace halfopen::lab {

/// SIGKILL to one process. Its kernel lives on and closes its sockets: a FIN, or
/// an RST where data was unread (Linux net/ipv4/tcp.c, __tcp_close).
void kill(process& p);
/// The same to every process of the host.
void kill(host& h);

/// The host is gone: its cable goes dead first, both ways, then every process
/// dies, so that neither FIN nor RST gets out. Its program cannot know.
void crash(host& h);

/// The host comes back after a crash (or crashes now): the same name, address
/// and settings, a fresh kernel network without memory of any connection.
/// Programs are the caller's to start again. What is in host::private_folder is on its disk, and
/// is still there (so are sockets and PID files of the killed programs) unless the disk is lost.
enum class disk : std::uint8_t { kept, lost };
void reboot(host& h, disk what = disk::kept);

/// SIGTERM to every process of the host, as each is told when its machine, its service or its container
/// is to stop. Returns how many there were.
std::size_t terminate(host& h);

/// As init does when the machine is told to stop: SIGTERM to every process,
/// `grace` to end by themselves, SIGKILL to those left. The kernel stays up
/// until the last one is gone. Returns how many SIGKILL had to end.
int shut_down(host& h, std::chrono::milliseconds grace = std::chrono::seconds(5));

/// Closes a socket of the lab's own with an RST (SO_LINGER with 0, socket(7)).
void abort(host& h, unique_fd socket);

/// A program's end of a connection, of which the lab has a copy: the program may close it, or end, and its
/// kernel says nothing of that while the copy lives.
struct grip {
  unique_fd copy;
  trace::endpoint own, far;
};
/// Nothing if no process of the host has that socket: it is not accepted yet, or closed.
[[nodiscard]] std::optional<grip> take_hold(const host& h, const trace::connection& c);
/// Takes the connection out of its program's hands, which finds it aborted (ECONNABORTED), and gives a
/// nonblocking socket of the lab's own in its place: as if the program had read all that came, and written no
/// more than the first `said` bytes, and those are acknowledged. What it sent beyond must not have arrived.
/// What its host sent and the cable had not taken yet is gone. Throws lab::error if the kernel does not do it
/// (TCP_REPAIR, CAP_NET_ADMIN over the host's network).
[[nodiscard]] unique_fd take_over(host& h, const trace::connection& c, grip held, std::uint64_t said);

/// Every connection of the host that has something to reset is aborted from outside, and the
/// peer gets an RST; the host's own programs are told ECONNABORTED (SOCK_DESTROY of
/// sock_diag(7); tcp_abort in net/ipv4/tcp.c, which sends the RST in the states of
/// tcp_need_reset). Returns how many there were.
std::size_t reset_connections(host& h);
/// Only those with that peer.
std::size_t reset_connections(host& h, const host& peer);

/// Opens a connection from `from` to the server's port and resets it before the
/// server can call accept: the server process is held meanwhile.
/// What accept then does is program::accept_like's choice.
void abort_before_accept(host& from, process& server, std::uint16_t port);

/// What an address translator or a firewall between the hosts does with a connection of which it has dropped
/// the state (RFC 5382 section 5): the packets of the one that was opened from there are lost, until
/// experiment::release(). A later connection from the same place gets through.
void forget(experiment& lab, const trace::endpoint& opener);
/// ... or it answers the packet at which experiment::before() stopped with an RST in the receiver's name.
/// Throws lab::error for anything but a TCP segment that is no RST.
void answer_as_forgotten(experiment& lab);

/// The same of every connection between the two hosts that is open now, whoever opened it and for as long as
/// the experiment lasts: its packets are lost, or answered with an RST in the receiver's name. Later ones get
/// through. Returns how many there were.
enum class forgotten : std::uint8_t { silently, with_reset };
std::size_t forget_connections(host& a, host& b, forgotten how);

/// Pulls the host's cable out: nothing gets through either way, nobody says so.
void unplug(host& h);
void replug(host& h);

/// The cable is out, and a router answers packets for the host with ICMP.
enum class unreachable_kind : std::uint8_t { host, network };
void make_unreachable(host& h, unreachable_kind what);

// A link is what goes between two hosts, either way. Each function ends what the one before did to it.

/// Nothing gets through between the two, and nobody says so; both live on, and reach all others.
void cut(host& a, host& b);
/// The same, once `from`, one of the two, has said so many bytes more on all their connections together,
/// repeats counted once: of the segment with the last of them its receiver gets no more than that. At least 1
/// byte.
void cut_after(host& a, host& b, const host& from, std::uint64_t bytes);
/// As cut(), and a router answers the packets of both with ICMP.
void make_unreachable(host& a, host& b, unreachable_kind what);
/// Every packet takes that much longer, in order.
void delay(host& a, host& b, std::chrono::nanoseconds by);
/// That share of the packets is lost, by chance: 0 none, 1 all. The chance is the same in each experiment.
void lose(host& a, host& b, double share);
/// All gets through again.
void heal(host& a, host& b);
/// What the link is like now.
struct link_condition {
  bool is_cut = false;
  std::optional<unreachable_kind> router_says{};  ///< while it is cut
  std::chrono::nanoseconds delay{};
  double lost_share = 0;
  std::optional<std::uint64_t> bytes_left{};  ///< until it is cut: cut_after()
};
[[nodiscard]] link_condition condition_of(host& a, host& b);

/// SIGSTOP to every process of the host: none runs an instruction until thaw(), and its kernel goes on
/// acknowledging, and accepting handshakes up to the listener's backlog. Returns once they stand still.
/// Some system calls in which a process waits end with EINTR when it goes on (signal(7)).
void freeze(host& h);
void thaw(host& h);

/// From now on every host that is up resolves the name of `of` to the address of `to` (/etc/hosts). Programs
/// that have resolved it already know nothing of that.
void move_name(const host& of, const host& to);

}  // namespace halfopen::lab

#endif
