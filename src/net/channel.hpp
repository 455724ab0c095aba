#ifndef HALFOPEN_SRC_NET_CHANNEL_HPP
#define HALFOPEN_SRC_NET_CHANNEL_HPP

#include <array>
#include <asio/any_io_executor.hpp>
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "halfopen/deadline.hpp"
#include "halfopen/unique_fd.hpp"
#include "net/deadline_queue.hpp"

namespace halfopen::net {

/// Why a wait for a descriptor ended.
enum class wake : std::uint8_t { ready, timed_out, cancelled };

/// The two directions in which one can wait for a descriptor.
enum class direction : std::uint8_t { reading, writing };

/// Whether a coroutine was told to stop, from its asio::this_coro::cancellation_state: its
/// next co_await of another coroutine would throw then (asio::this_coro::throw_if_cancelled).
[[nodiscard]] inline bool is_cancelled(const asio::cancellation_state& state) noexcept {
  return state.cancelled() != asio::cancellation_type::none;
}

/// A descriptor in Asio's reactor, and one wait a direction at a time, each with a deadline: see
/// channel.cpp for why it is not asio::ip::tcp::socket. That it is ready is a hint: what a system
/// call says counts.
///
/// Not synchronised: for the one thread that runs its executor, or the strand that its executor is.
/// An open channel is work for its io_context, whose run() goes on as long as there is one.
class channel {
 public:
  /// The executor is an io_context's, or a strand of one. Throws std::system_error if the descriptor
  /// cannot be watched.
  channel(const asio::any_io_executor& executor, unique_fd fd);
  ~channel();
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

  /// The next wait ends at once, after others had their turn.
  void be_ready(direction d) noexcept { of(d).ready = true; }

  /// Until the descriptor can be used in that direction: at once, after others had their turn, if it
  /// can by now. Throws std::logic_error if somebody waits for it already: at once, and not when it
  /// is awaited. Who has been told to stop must not begin to wait (is_cancelled() above).
  [[nodiscard]] asio::awaitable<wake> wait(direction d, deadline limit) {
    must_be_the_first(d);
    return asio::async_initiate<const asio::use_awaitable_t<>, void(wake)>(
        [this, d, limit](auto handler) { begin_wait(d, limit, std::move(handler)); }, asio::use_awaitable);
  }

  /// Ends a wait in that direction with wake::cancelled.
  void cancel(direction d) noexcept { end(of(d), wake::cancelled); }

 private:
  template <class Handler>
  class completion;

  /// A direction.
  struct side final : timed {
    explicit side(channel& c) : of(c) {}
    void expired() noexcept override;
    channel& of;
    asio::cancellation_signal stop;
    unsigned waits = 0;  ///< begun, so that a deadline knows whose it was
    bool waiting = false;
    bool ready = false;
    wake why = wake::ready;
  };

  side& of(direction d) noexcept { return d == direction::reading ? reading_ : writing_; }
  void must_be_the_first(direction d);
  void end(side& s, wake why) noexcept;
  /// What is true of a wait that has ended.
  wake finish(side& s, bool is_ready) noexcept;

  template <class Handler>
  void begin_wait(direction d, deadline limit, Handler handler);

  using descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

  asio::any_io_executor executor_;  // tracked work
  deadline_queue& deadlines_;
  int fd_;
  std::optional<descriptor> descriptor_;
  std::shared_ptr<channel*> here_;
  side reading_{*this};
  side writing_{*this};
};

/// A completion handler of Asio's that ends a wait. Its channel outlives it: it has, indirectly, the
/// coroutine that has the channel.
template <class Handler>
class channel::completion {
 public:
  completion(channel& of, side& s, Handler handler) : of_(&of), side_(&s), handler_(std::move(handler)) {}

  using executor_type = asio::associated_executor_t<Handler, asio::any_io_executor>;
  using allocator_type = asio::associated_allocator_t<Handler>;
  [[nodiscard]] executor_type get_executor() const noexcept {
    return asio::get_associated_executor(handler_, of_->executor_);
  }
  [[nodiscard]] allocator_type get_allocator() const noexcept {
    return asio::get_associated_allocator(handler_);
  }

  void operator()(const asio::error_code& stopped = {}) {
    if (auto slot = asio::get_associated_cancellation_slot(handler_); slot.is_connected()) slot.clear();
    const wake why = of_->finish(*side_, !stopped);
    std::move(handler_)(why);
  }

 private:
  channel* of_;
  side* side_;
  Handler handler_;
};

template <class Handler>
void channel::begin_wait(direction d, deadline limit, Handler handler) {
  side& s = of(d);
  s.waiting = true;
  ++s.waits;
  s.why = wake::ready;
  if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
    slot.assign([this, d](asio::cancellation_type) { cancel(d); });
  completion<Handler> then(*this, s, std::move(handler));
  if (std::exchange(s.ready, false)) return asio::post(executor_, std::move(then));
  deadlines_.arm(s, limit.at());
  descriptor_->async_wait(d == direction::reading ? descriptor::wait_read : descriptor::wait_write,
                          asio::bind_cancellation_slot(s.stop.slot(), std::move(then)));
}

}  // namespace halfopen::net

#endif
