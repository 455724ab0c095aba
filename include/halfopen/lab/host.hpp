#ifndef HALFOPEN_LAB_HOST_HPP
#define HALFOPEN_LAB_HOST_HPP

/// \file
/// A virtual host: a network, PID, mount, UTS and IPC namespace of its own, with
/// an init, an address, an /etc/hosts that knows the other hosts, and one
/// network interface, eth0, at the experiment's cable.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/lab/process.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "halfopen/trace/address.hpp"

namespace halfopen::lab {

/// A TCP socket of a host, as sock_diag(7) shows it from outside.
struct socket_view {
  trace::endpoint local, remote;
  int state = 0;            ///< TCP_ESTABLISHED... of <netinet/tcp.h>
  std::uint64_t inode = 0;  ///< 0: no process has it any more
  std::uint32_t unread = 0,
                unsent = 0;  ///< bytes in its queues; of a listener, waiting connections and the backlog
  /// Bytes of kernel memory that it holds: received, to be sent, reserved, its options and
  /// its backlog (INET_DIAG_SKMEMINFO). 0 without a full socket (TIME_WAIT, SYN_RECV).
  std::uint64_t memory = 0;
};

/// A socket that takes whoever comes: a TCP one that listens, or a UDP one that is bound and not
/// connected (a client's that asks with sendto(2) looks the same).
struct listener {
  enum class protocol : std::uint8_t { tcp, udp };
  protocol what = protocol::tcp;
  trace::endpoint at;       ///< of IPv4 addresses on IPv6 sockets (::ffff:10.0.0.1) the IPv4 one
  bool everywhere = false;  ///< at any address of the host: 0.0.0.0, or ::, which IPv4 may be excluded from

  /// It is not bound to a loopback address (127.0.0.0/8, ::1).
  [[nodiscard]] bool reachable_from_others() const noexcept;

  bool operator==(const listener&) const = default;
  auto operator<=>(const listener&) const = default;
};

/// Owned by its experiment. Not thread-safe.
class host {
 public:
  /// The host's disk: a folder of its own that every user may write to, empty at first. What is
  /// in it survives a crash and a reboot of the host, and nothing else does: the rest of /dev/shm
  /// is its shared memory, its own too, and empty after a reboot. Hosts share no files there. It
  /// is kept in the machine's memory and ends with the experiment. Programs find it in TMPDIR and
  /// HALFOPEN_DIR. Missing where the system has no /dev/shm.
  static constexpr const char* private_folder = "/dev/shm/halfopen";

  ~host();
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const trace::ip_address& address() const noexcept;
  [[nodiscard]] bool is_up() const noexcept;  ///< false from a crash to the reboot
  [[nodiscard]] experiment& lab() const noexcept;

  /// Starts a program here. It stays in the list below until the experiment ends.
  process& start(program what);
  /// Drops a program of it that has ended: what it said goes too. Throws lab::error if it has not.
  void drop(const process& ended);
  [[nodiscard]] std::vector<process*> processes() const;
  /// No process is left but init.
  [[nodiscard]] bool is_empty() const;

  /// A kernel setting of this host's own network, as in /proc/sys with dots or
  /// slashes: "net.ipv4.tcp_retries2". They survive a reboot.
  void set_sysctl(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<std::string> sysctl(std::string_view name) const;

  /// Runs `action` with this thread in the host's network: a socket made in it
  /// is the host's socket for good.
  void in_network(const std::function<void()>& action) const;

  /// A nonblocking socket of the lab's own on this host, connected to a port of
  /// another one, with the handshake's last ACK delivered and Nagle's algorithm off.
  [[nodiscard]] unique_fd connect_to(const host& other, std::uint16_t port);

  /// The same, with its SYN on its way: it may be refused, or never be answered.
  [[nodiscard]] unique_fd begin_to_connect(const host& other, std::uint16_t port);

  /// Ports with a listening TCP socket (sock_diag(7)).
  [[nodiscard]] std::vector<std::uint16_t> listening_ports() const;
  /// All that listens there, TCP before UDP, then by address and port; each once.
  [[nodiscard]] std::vector<listener> listeners() const;
  /// Bytes that arrived at that local port and that no program has read yet.
  [[nodiscard]] std::uint64_t unread_bytes(std::uint16_t port) const;
  /// All TCP sockets of both IP versions, TIME_WAIT and SYN_RECV included; not those that
  /// neither listen nor are connected. Addresses of
  /// IPv4 connections on IPv6 sockets (::ffff:10.0.0.1) are given as IPv4.
  [[nodiscard]] std::vector<socket_view> sockets() const;
  /// Every process of the host but its init, by the PIDs that the lab sees, ascending.
  [[nodiscard]] std::vector<pid_t> pids() const;
  /// A descriptor of the lab's own for the socket with that inode (pidfd_getfd(2)), to read
  /// its options; null if no process has it or lets it be copied. While it lives, so does the
  /// socket: close it at once.
  [[nodiscard]] unique_fd copy_socket(std::uint64_t inode) const;

 private:
  friend struct host_access;
  struct state;
  explicit host(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

}  // namespace halfopen::lab

#endif
