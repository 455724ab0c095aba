#ifndef HALFOPEN_SRC_NET_WORKER_HPP
#define HALFOPEN_SRC_NET_WORKER_HPP

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <list>
#include <optional>

#include "halfopen/server.hpp"

namespace halfopen {
namespace net {

/// Until connections are cut off: the process itself needs a moment to end within the grace.
[[nodiscard]] std::chrono::milliseconds usable_grace(std::chrono::milliseconds grace) noexcept;

}  // namespace net

/// One thread of a server: its io_context, its listener, its connections. All but drain()
/// runs on that thread.
struct server::worker {
  worker(const server_options& how, const handler& serve) : options(how), serve_one(serve) {}

  /// Serves until it has drained.
  void run();
  void drain();  // from any thread

  /// A connection that is being served. Its stream lives in its coroutine, so that both go
  /// together when the io_context is destroyed.
  struct session {
    stream* connection;
    bool said_all = false;  // only the peer's FIN is awaited
  };

  asio::awaitable<void> accept_all();
  asio::awaitable<void> play(stream connection);
  asio::awaitable<void> cut_off_in_time();
  void begin(stream connection);
  void tell(const asio::ip::tcp::endpoint& peer, const fate& how) const;
  void begin_drain();
  void stop_if_done();

  const server_options& options;
  const handler& serve_one;
  /// Its descriptors are this thread's alone, and need no locks.
  asio::io_context context{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::steady_timer grace{context};
  std::optional<listener> door;
  bool shares_door = false;  // the next process takes what is in the queue
  std::function<void()> on_failure;
  std::list<session> sessions;
  std::size_t open = 0;  // sessions, and those that are about to begin
  outcome done;
  std::optional<fate> failed;
  bool draining = false;
};

}  // namespace halfopen

#endif
