#ifndef HALFOPEN_LISTENER_HPP
#define HALFOPEN_LISTENER_HPP

/// \file
/// Accepts connections, whatever becomes of some of them.
///
///     auto l = halfopen::listener::open(executor, "0.0.0.0", "7");
///     while (auto s = co_await l->accept(deadline::never()))
///       co_spawn(executor, serve(std::move(*s)), detached);
///
/// accept(2) reports the fate of connections that died in the queue as errors of its own;
/// a program that takes those for the listener's end stops accepting after one client's
/// reset. Here only the listener's own end is one.
///
/// Not synchronised, and its executor is that of an io_context which one thread runs, as for
/// every stream. A listener is work for that io_context, whose run() does not return before
/// the listener is destroyed.

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "halfopen/deadline.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/stream.hpp"
#include "halfopen/unique_fd.hpp"

namespace halfopen {

/// What a listener has to tell that is no connection.
struct accept_event {
  enum class kind : std::uint8_t {
    aborted,       ///< a connection was dead before it could be handed over: `why` says how
    out_of_room,   ///< EMFILE, ENFILE, ENOBUFS or ENOMEM: it pauses. Once until `recovered`
    recovered,     ///< accept succeeds again
    turned_away,   ///< closed at once: no descriptor left, or one address has too many
    at_the_limit,  ///< the most connections are open: others wait in the queue. Once each time
  };
  kind what{};
  fate why{};
  asio::ip::tcp::endpoint peer{};  ///< of aborted and turned_away, where it is known
};

/// How many connections there may be, over several listeners if they share one. Those over Unix sockets
/// have no address, and count in total only. Thread-safe.
class connection_limits {
 public:
  /// 0: no limit.
  explicit connection_limits(std::size_t in_total = 0, std::size_t from_one_address = 0);
  ~connection_limits();
  connection_limits(const connection_limits&) = delete;
  connection_limits& operator=(const connection_limits&) = delete;

  [[nodiscard]] std::size_t open() const;

 private:
  friend class listener;
  struct ledger;
  std::shared_ptr<ledger> ledger_;
};

struct listen_options {
  int backlog = 4096;  ///< the kernel takes at most net.core.somaxconn (listen(2))
  /// Others may listen on the same port, and the kernel deals connections out: one listener
  /// a core (SO_REUSEPORT, socket(7)).
  bool share_port = false;
  /// How long to leave accept alone when descriptors or memory have run out: the listener
  /// stays readable, and a loop that goes on at once spins.
  std::chrono::milliseconds pause{100};
  std::shared_ptr<connection_limits> limits{};
  stream_options connection{};
  /// Called on the thread that accepts; must not throw.
  std::function<void(const accept_event&)> tell{};
};

class listener {
 public:
  /// Listens on the first address of the name; "0" is a port that is free. Blocks as long as
  /// the resolver does. SO_REUSEADDR is on, so that a server can be started again at once.
  /// The fate is local_failure: `detail` is the call ("bind") and `error` its errno, or
  /// `detail` is what getaddrinfo(3) said.
  ///
  /// "unix:/path" is a Unix socket (unix(7)), "unix:@name" one with an abstract name; `service` and
  /// `share_port` mean nothing then. A file that a dead process has left is replaced; if somebody listens
  /// there, or it is no socket, it is EADDRINUSE. The file goes with stop() or the listener.
  [[nodiscard]] static std::expected<listener, fate> open(const asio::any_io_executor& executor,
                                                          const std::string& host, const std::string& service,
                                                          const listen_options& options = {});
  /// Takes over a socket that listens already, such as one from systemd. It is shared with
  /// whoever else has it, nonblocking mode included.
  [[nodiscard]] static std::expected<listener, fate> adopt(const asio::any_io_executor& executor,
                                                           unique_fd listening, listen_options options = {});

  listener(listener&&) noexcept;
  listener& operator=(listener&&) noexcept;
  /// Closing resets the connections in the queue (inet_csk_listen_stop() in
  /// net/ipv4/inet_connection_sock.c), unless somebody else has the socket too.
  ~listener();

  /// The next connection that lives. Only these end it: deadline_passed, shut_down by stop()
  /// or by cancellation (of this accept only), and local_failure when the descriptor is no
  /// listener (any more). One accept at a time.
  [[nodiscard]] asio::awaitable<std::expected<stream, fate>> accept(deadline limit);
  /// What accept has not got yet is left alone; it gives shut_down from now on.
  void stop() noexcept;
  /// After stop(): the connections that are in the queue by now, without waiting for more.
  /// Without it closing the listener resets them.
  [[nodiscard]] std::vector<stream> take_waiting();

  /// 0.0.0.0:0 is a Unix socket, here and as any peer.
  [[nodiscard]] asio::ip::tcp::endpoint local() const noexcept;
  [[nodiscard]] int native_handle() const noexcept;

 private:
  struct state;
  explicit listener(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

}  // namespace halfopen

#endif
