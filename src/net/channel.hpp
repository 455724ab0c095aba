#ifndef HALFOPEN_SRC_NET_CHANNEL_HPP
#define HALFOPEN_SRC_NET_CHANNEL_HPP

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "halfopen/deadline.hpp"
#include "halfopen/unique_fd.hpp"
#include "net/deadline_queue.hpp"
#include "net/poller.hpp"
#include "net/resumption.hpp"

namespace halfopen::net {

/// The two directions in which one can wait for a descriptor.
enum class direction : std::uint8_t { reading, writing };

/// Whether a coroutine was told to stop, from its asio::this_coro::cancellation_state: its
/// next co_await of another coroutine would throw then (asio::this_coro::throw_if_cancelled).
[[nodiscard]] inline bool is_cancelled(const asio::cancellation_state& state) noexcept {
  return state.cancelled() != asio::cancellation_type::none;
}

/// A descriptor, and one wait a direction at a time, each with a deadline. Edge-triggered (poller.cpp):
/// readiness is a hint, and what a system call says counts.
///
/// Not synchronised: for the one thread that runs its io_context, or, if several do, for the strand that
/// its executor is. An open channel is work for its io_context, whose run() goes on as long as there is one.
class channel final : private polled {
 public:
  /// The executor is an io_context's, or a strand of one. Throws std::system_error if the descriptor
  /// cannot be watched.
  channel(const asio::any_io_executor& executor, unique_fd fd);
  ~channel() override;
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] asio::any_io_executor executor() const noexcept;

  /// True if an edge has come since the last one was taken: then there is no need to wait.
  [[nodiscard]] bool take_ready(direction d) noexcept { return std::exchange(ready(d), false); }
  /// An edge told of a FIN, an RST, an error or urgent data: behind the last byte that a read gives there is
  /// more to read, and no edge need come for it.
  [[nodiscard]] bool ends_behind_bytes() const noexcept { return ends_behind_bytes_; }
  /// As if one had come: the next wait ends at once, after others had their turn.
  void be_ready(direction d) noexcept { ready(d) = true; }

  /// Until the next edge in that direction. Throws std::logic_error if somebody waits for it already: at
  /// once, and not when it is awaited. Who has been told to stop must not begin to wait (is_cancelled()).
  [[nodiscard]] asio::awaitable<wake> wait(direction d, deadline limit) {
    must_be_the_first(d);
    return asio::async_initiate<const asio::use_awaitable_t<>, void(wake)>(
        [this, d, limit](auto handler) { begin_wait(d, limit, std::move(handler)); }, asio::use_awaitable);
  }

  /// The same, with a completion handler of Asio's.
  template <class Handler>
  void wait(direction d, deadline limit, Handler handler) {
    must_be_the_first(d);
    begin_wait(d, limit, std::move(handler));
  }

  /// Ends a wait in that direction with wake::cancelled.
  void cancel(direction d) noexcept {
    if (side* s = known(d)) end_later(*s, wake::cancelled);
  }

 private:
  struct side final : timed {
    explicit side(channel& c) : of(c) {}
    void expired() noexcept override { of.end_later(*this, wake::timed_out); }
    channel& of;
    resumption<wake> waits;  // who
    unsigned begun = 0;      // waits, so that what was put off knows whose it was
    bool limited = false;    // in the queue of deadlines, perhaps
  };

  void came(std::uint32_t events) override;
  void abandon() noexcept override;

  [[nodiscard]] bool& ready(direction d) noexcept {
    return d == direction::reading ? ready_to_read_ : ready_to_write_;
  }
  /// Null if nobody ever waited there.
  [[nodiscard]] side* known(direction d) noexcept {
    return d == direction::reading ? &reading_ : writing_.get();
  }
  [[nodiscard]] side& of(direction d) {
    if (d == direction::writing && !writing_) writing_ = std::make_unique<side>(*this);
    return *known(d);
  }
  void must_be_the_first(direction d);
  [[nodiscard]] const std::shared_ptr<channel*>& here();
  void take_in(std::uint32_t events);
  void end_later(side& s, wake why) noexcept;
  void resume(side& s, wake why);
  template <class Function>
  void later(Function f);
  void begin(side& s, direction d, deadline limit);

  template <class Handler>
  void begin_wait(direction d, deadline limit, Handler handler) {
    if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
      slot.assign([this, d](asio::cancellation_type) { cancel(d); });
    side& s = of(d);
    s.waits.emplace(std::move(handler));
    begin(s, d, limit);
  }

  std::unique_ptr<asio::any_io_executor> strand_;  // none: the io_context's own executor
  deadline_queue& deadlines_;
  poller& poller_;
  unique_fd fd_;
  bool ends_behind_bytes_ = false;
  bool ready_to_read_ = false;  // an edge has come that nobody has taken
  bool ready_to_write_ = false;
  std::shared_ptr<channel*> here_;  // for what is put off: null once the channel has gone
  side reading_{*this};
  std::unique_ptr<side> writing_;  // most connections never wait to write
};

}  // namespace halfopen::net

#endif
