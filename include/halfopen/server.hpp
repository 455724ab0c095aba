#ifndef HALFOPEN_SERVER_HPP
#define HALFOPEN_SERVER_HPP

/// \file
/// A server that is told to stop and loses nothing.
///
///     asio::awaitable<halfopen::fate> echo(halfopen::stream& c) {
///       for (;;) {
///         if (auto next = co_await c.next_message(60s); !next) co_return next.error();
///         auto line = co_await c.read_line(4096, 10s);
///         if (!line) co_return line.error();
///         const std::string reply = std::string(*line) + "\n";
///         if (auto sent = co_await c.write(reply, 10s); !sent) co_return sent.error();
///       }
///     }
///
///     halfopen::server s({.host = "0.0.0.0", .service = "7"}, echo);
///     if (auto listening = s.open(); !listening) ...
///     s.run();       // until SIGTERM or SIGINT, and until all is answered
///
/// A handler of one message instead (server::message_handler) leaves the waiting to the server, and an idle
/// connection has no coroutine, and a quarter of the memory.
///
///     asio::awaitable<halfopen::stream::result<void>> echo(halfopen::stream& c) {
///       auto line = co_await c.read_line(4096, 10s);
///       if (!line) co_return std::unexpected(line.error());
///       const std::string reply = std::string(*line) + "\n";
///       co_return co_await c.write(reply, 10s);
///     }
///
///     halfopen::server s({.host = "0.0.0.0", .service = "7", .idle_limit = 60s}, echo);
///
/// A drain: the listener stops (what is in its queue is still served, or left to the next
/// process if systemd holds the socket), idle connections are closed, requests under way are
/// finished, and what is left when the grace is over is cut off with an RST, so that nobody
/// takes half a reply for a whole one. (A Unix socket has no RST: a program that speaks over one must
/// know the end of a message from the message.)

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "halfopen/fate.hpp"
#include "halfopen/fate_counts.hpp"
#include "halfopen/listener.hpp"
#include "halfopen/stream.hpp"

namespace halfopen {

struct server_address {
  std::string host;  ///< a name, an address, or "unix:/path": listener::open()
  std::string service = "0";
};

struct server_options {
  std::string host = "127.0.0.1";  ///< or "unix:/path", and `service` means nothing: listener::open()
  std::string service = "0";       ///< "0": a port that is free, see server::local()
  /// Each has an io_context and a listener of its own (SO_REUSEPORT), and a connection stays
  /// on its thread. The first is the one that calls run().
  unsigned threads = 1;
  std::chrono::milliseconds grace{5000};   ///< from stop() to the end of run(), at most
  std::chrono::milliseconds linger{1000};  ///< for the peer's FIN after ours
  /// Of a message_handler: a connection on which no message begins for so long ends, as deadline_passed. 0:
  /// never.
  std::chrono::milliseconds idle_limit{0};
  /// While run() runs, SIGTERM and SIGINT call stop(); afterwards they are as they were.
  bool heed_signals = true;
  /// A socket that systemd hands over is used in place of `host` and `service`
  /// (sd_listen_fds(3)); READY=1 and STOPPING=1 are said (sd_notify(3)). Without systemd
  /// neither does anything.
  bool use_systemd = true;
  /// TLS on every connection (tls_server() of tls.hpp): the handler is called when the handshake is
  /// over, and `ended` is told of one that failed. None: plain TCP.
  std::shared_ptr<const tls_context> tls{};
  std::chrono::milliseconds handshake_limit{10'000};  ///< of TLS
  listen_options listening{};
  /// Called when signals are heeded and the server is about to serve: the time to say so.
  std::function<void()> ready{};
  /// How each connection ended, on its thread; not of one that was cut off. Must not throw.
  std::function<void(const asio::ip::tcp::endpoint& peer, const fate& how)> ended{};
  /// It listens there too: one server, one drain. Not with a socket from systemd.
  std::vector<server_address> also{};
  /// Called on each thread before it serves, with its number from 0 on and its io_context's executor: to
  /// name the thread, bind it to a processor, make what is the thread's own. Must not throw.
  std::function<void(unsigned thread, const asio::any_io_executor&)> thread_started{};
};

/// Not synchronised but for stop(). Of the servers of a process one may heed the signals.
class server {
 public:
  /// Serves one connection: returns the fate that ended it. It is closed afterwards
  /// (stream::close()); an exception closes it too, as local_failure. Called on the
  /// connection's thread. The stream lives until the coroutine returns.
  using handler = std::function<asio::awaitable<fate>(stream&)>;

  /// The same, told of the drain: for one that computes, or waits for something else than its stream.
  /// The token may be asked on any thread. What is registered with it (std::stop_callback) is called on
  /// the thread that calls stop(), where it should only post to the connection's.
  using stoppable_handler = std::function<asio::awaitable<fate>(stream&, std::stop_token)>;

  /// Serves one message, whose first byte is here (stream::unread()), and reads it whole: with what it
  /// gives, the next one is waited for, or, if it gives a fate, that ended the connection. It is closed as
  /// after a handler of the other kind, with an exception too. Bytes that it has not consumed are the next
  /// message's. A program that keeps something for each connection is better served by the other kind.
  using message_handler = std::function<asio::awaitable<stream::result<void>>(stream&)>;

  server(server_options options, handler serve);
  server(server_options options, message_handler serve);
  server(server_options options, stoppable_handler serve);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Listens: from here on connections are taken into the queue. The fate is that of
  /// listener::open() or adopt(), or local_failure for several sockets from systemd.
  [[nodiscard]] std::expected<void, fate> open();
  /// Where it listens; after open().
  [[nodiscard]] asio::ip::tcp::endpoint local() const;
  /// The same of all its addresses in the order of the options. 0.0.0.0:0 is a Unix socket.
  [[nodiscard]] std::vector<asio::ip::tcp::endpoint> all_local() const;

  struct outcome {
    std::size_t served = 0;   ///< connections, in all
    std::size_t cut_off = 0;  ///< those that the grace was too short for
  };
  struct counts {
    std::size_t open = 0;         ///< being served, or closed and waiting for the peer's FIN
    std::size_t served = 0;       ///< handed to a handler, in all
    std::size_t cut_off = 0;      ///< those that the grace was too short for
    std::size_t turned_away = 0;  ///< closed at once, see accept_event
    std::size_t aborted = 0;      ///< dead before they could be accepted
    fate_counts ended{};          ///< how the others ended; a handler that threw is a local_failure
  };
  /// By now, from any thread, as long as the server lives. Each number is right, but they need not be of
  /// the same moment.
  [[nodiscard]] counts count() const;

  /// Serves until stop(); after open(), and once. The fate is that of a listener that failed:
  /// it has drained then as well.
  std::expected<outcome, fate> run();

  /// Begins the drain, from any thread, as long as the server lives. Not for signal handlers.
  void stop();

 private:
  struct service;
  struct worker;
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace halfopen

#endif
