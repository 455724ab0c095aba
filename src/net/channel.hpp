#ifndef HALFOPEN_SRC_NET_CHANNEL_HPP
#define HALFOPEN_SRC_NET_CHANNEL_HPP

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/detail/reactor.hpp>
#include <asio/io_context.hpp>

#include "halfopen/deadline.hpp"
#include "halfopen/unique_fd.hpp"
#include "net/deadline_queue.hpp"

namespace halfopen::net {

/// Why a wait for a descriptor ended.
enum class wake : std::uint8_t { ready, timed_out, cancelled };

/// The two directions in which one can wait for a descriptor.
enum class direction : std::uint8_t { reading, writing };

/// Whether another process or descriptor has the same open file (dup(2), fork(2)).
enum class sharing : std::uint8_t { none, with_others };

/// Whether a coroutine was told to stop, from its asio::this_coro::cancellation_state: its
/// next co_await of another coroutine would throw then (asio::this_coro::throw_if_cancelled).
[[nodiscard]] inline bool is_cancelled(const asio::cancellation_state& state) noexcept {
  return state.cancelled() != asio::cancellation_type::none;
}

/// A coroutine that is suspended, with all that wait for it.
using suspended = asio::detail::awaitable_thread<asio::any_io_executor>;

class edge;

/// A descriptor in Asio's reactor, edge-triggered: see channel.cpp for why
/// it is not asio::ip::tcp::socket. Readiness is a hint: what a system call says counts.
///
/// One wait a direction at a time. Not synchronised: for the one thread that runs its
/// io_context. An open channel is work for that io_context, whose run() goes on as long as
/// there is one.
class channel {
 public:
  /// The executor is an io_context's. Throws std::system_error if the descriptor cannot be watched.
  channel(const asio::any_io_executor& executor, unique_fd fd, sharing with_others = sharing::none);
  ~channel();
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] asio::any_io_executor executor() const noexcept { return context_.get_executor(); }

  /// True if an edge has come since the last one was taken: then there is no need to wait.
  [[nodiscard]] bool take_ready(direction d) noexcept;
  /// As if one had come: the next wait ends at once, after others had their turn.
  void be_ready(direction d) noexcept;

  /// For co_await: suspends until the next edge in that direction, and then woken() says why
  /// it has ended. Throws std::logic_error if somebody waits for it already: at once, since
  /// a coroutine that has begun to wait cannot be thrown at.
  [[nodiscard]] auto next_edge(direction d, deadline limit) {
    must_be_the_first(d);
    return [this, d, limit](asio::detail::awaitable_frame_base<asio::any_io_executor>* waits) -> suspended* {
      begin_wait(d, limit, suspended(std::move(*waits->detach_thread())));
      return nullptr;
    };
  }
  [[nodiscard]] wake woken(direction d) const noexcept;

  /// The same in one, for a coroutine frame more.
  [[nodiscard]] asio::awaitable<wake> wait(direction d, deadline limit);

  /// Ends a wait in that direction with wake::cancelled.
  void cancel(direction d) noexcept;

 private:
  friend class edge;

  void must_be_the_first(direction d);
  void begin_wait(direction d, deadline limit, suspended who);
  edge& of(direction d);
  void forget(edge& e) noexcept;

  asio::io_context& context_;
  asio::detail::reactor& reactor_;
  deadline_queue& deadlines_;
  asio::detail::reactor::per_descriptor_data data_ = nullptr;
  unique_fd fd_;
  sharing sharing_;
  edge* reading_ = nullptr;
  edge* writing_ = nullptr;
};

}  // namespace halfopen::net

#endif
