#ifndef HALFOPEN_SRC_NET_WORKER_HPP
#define HALFOPEN_SRC_NET_WORKER_HPP

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "halfopen/server.hpp"
#include "net/resumption.hpp"
#include "net/server_tally.hpp"

namespace halfopen {
namespace net {

/// Until connections are cut off: the process itself needs a moment to end within the grace.
[[nodiscard]] std::chrono::milliseconds usable_grace(std::chrono::milliseconds grace) noexcept;

}  // namespace net

/// What is done with connections: one of the two is there.
struct server::service {
  handler connection{};
  message_handler message{};
};

/// One thread of a server: its io_context, its listener, its connections. All but drain()
/// runs on that thread.
struct server::worker {
  worker(const server_options& how, const service& what, net::server_tally& count, unsigned number)
      : options(how), serve(what), tally(count), index(number) {}

  /// Serves until it has drained.
  void run();
  void drain();  // from any thread

  /// A connection that is being served.
  struct session {
    stream connection;
    asio::ip::tcp::endpoint peer;
    bool said_all = false;  // only the peer's FIN is awaited
    // Of a handler of messages.
    bool secured = false;  // with TLS
    deadline idle_until = deadline::never();
  };
  /// Takes the session out of the list when it goes: with the coroutine that has it.
  class of_the_list;

  asio::awaitable<void> accept_all(std::list<listener>::iterator door);
  asio::awaitable<void> say_goodbye(of_the_list here);
  void finish(of_the_list here, const std::exception_ptr& threw, const fate& how);
  asio::awaitable<void> cut_off_in_time();
  void begin(stream connection);
  void tell(const asio::ip::tcp::endpoint& peer, const fate& how);

  // Of a handler of messages: messages.cpp.
  [[nodiscard]] bool next_message_is_here(of_the_list& here);
  [[nodiscard]] bool message_is_here(of_the_list& here, net::wake last);
  void play(of_the_list here);
  asio::awaitable<void> play_messages(of_the_list first);
  asio::awaitable<stream::result<void>> turn_of(session& here);
  asio::awaitable<of_the_list> next_turn();

  /// The listener has something to tell that is no connection.
  void note(const accept_event& what);
  void begin_drain();
  void stop_if_done();

  const server_options& options;
  const service& serve;
  net::server_tally& tally;
  const unsigned index;
  std::list<session> sessions;  // before the context, with which their coroutines go
  /// Its descriptors are this thread's alone, and need no locks.
  asio::io_context context{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::steady_timer grace{context};
  std::vector<std::unique_ptr<net::resumption<of_the_list>>> free_players;  // they go before the context
  std::list<listener> doors;
  bool shares_doors = false;  // the next process takes what is in the queue
  std::function<void()> on_failure;
  std::optional<fate> failed;
  bool draining = false;
};

class server::worker::of_the_list {
 public:
  of_the_list(worker& of, std::list<session>::iterator which) noexcept : of_(&of), which_(which) {}
  of_the_list(of_the_list&& from) noexcept : of_(std::exchange(from.of_, nullptr)), which_(from.which_) {}
  of_the_list& operator=(of_the_list&&) = delete;
  ~of_the_list() {
    if (of_ != nullptr) of_->sessions.erase(which_);
  }
  session* operator->() const noexcept { return &*which_; }
  session& operator*() const noexcept { return *which_; }
  [[nodiscard]] worker& whose() const noexcept { return *of_; }

 private:
  worker* of_;
  std::list<session>::iterator which_;
};

}  // namespace halfopen

#endif
