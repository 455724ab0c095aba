#ifndef HALFOPEN_SRC_NET_CHANNEL_HPP
#define HALFOPEN_SRC_NET_CHANNEL_HPP

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/detail/reactor.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>

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

class edge;

/// A descriptor in Asio's reactor, edge-triggered: see channel.cpp for why
/// it is not asio::ip::tcp::socket. Readiness is a hint: what a system call says counts.
///
/// One wait a direction at a time. Not synchronised: for the one thread that runs its
/// io_context. An open channel is work for that io_context, whose run() goes on as long as
/// there is one.
class channel {
 public:
  /// Throws std::system_error if the descriptor cannot be watched.
  channel(asio::any_io_executor executor, unique_fd fd, sharing with_others = sharing::none);
  ~channel();
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

  /// True if an edge has come since the last one was taken: then there is no need to wait.
  [[nodiscard]] bool take_ready(direction d) noexcept;

  /// Until the next edge in that direction. Throws std::logic_error if somebody waits for
  /// it already: at once, since a coroutine that has begun to wait cannot be thrown at.
  [[nodiscard]] asio::awaitable<wake> wait(direction d, deadline limit) {
    must_be_the_first(d);
    return asio::async_initiate<const asio::use_awaitable_t<>, void(wake)>(
        [this, d, limit](auto handler) {
          auto slot = asio::get_associated_cancellation_slot(handler);
          if (slot.is_connected()) slot.assign([this, d](asio::cancellation_type) { cancel(d); });
          begin_wait(d, limit, std::move(handler));
        },
        asio::use_awaitable);
  }

  /// Ends a wait in that direction with wake::cancelled.
  void cancel(direction d) noexcept;

 private:
  friend class edge;
  using resume = std::move_only_function<void(wake)>;

  void must_be_the_first(direction d) const;
  void begin_wait(direction d, deadline limit, resume how);
  edge& of(direction d);
  void forget(edge& e) noexcept;

  asio::any_io_executor executor_;
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
