#ifndef HALFOPEN_SRC_NET_DEADLINE_QUEUE_HPP
#define HALFOPEN_SRC_NET_DEADLINE_QUEUE_HPP

#include <asio/execution_context.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "halfopen/deadline.hpp"

namespace halfopen::net {

class deadline_heap;

/// Something that may take too long. Not in the queue unless it was ever armed.
class timed {
 public:
  timed() = default;
  timed(const timed&) = delete;
  timed& operator=(const timed&) = delete;
  virtual ~timed() = default;  // after remove()

 protected:
  /// Its time has come: on any thread that runs the io_context, under the queue's lock. It posts what there
  /// is to do, and does not call the queue.
  virtual void expired() noexcept = 0;

 private:
  friend class deadline_heap;
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  deadline::clock::time_point wanted_ = deadline::clock::time_point::max();
  std::size_t place_ = nowhere;  // in the heap
};

/// Which deadline is the next, whatever the time is: it knows no clock.
class deadline_heap {
 public:
  using time_point = deadline::clock::time_point;

  /// t.expired() will be called at that time, unless it is armed anew or disarmed before.
  void arm(timed& t, time_point when);
  void disarm(timed& t) noexcept;
  /// Forgets it: it may be destroyed then.
  void remove(timed& t) noexcept;

  /// When ring() has something to do next; time_point::max() if it never will.
  [[nodiscard]] time_point next() const noexcept { return heap_.empty() ? time_point::max() : heap_[0].at; }
  /// It is `now`: calls those whose time has come.
  void ring(time_point now) noexcept;

 private:
  struct entry {
    time_point at;
    timed* what;
  };

  void place(std::size_t where, entry e) noexcept;
  void sift_up(std::size_t where) noexcept;
  void sift_down(std::size_t where) noexcept;
  void take_out(std::size_t where) noexcept;

  std::vector<entry> heap_;
};

/// All deadlines of an io_context, behind one timer. Thread-safe: strands of an io_context that several
/// threads run share it.
class deadline_queue : public asio::execution_context::service {
 public:
  using key_type = deadline_queue;
  static asio::execution_context::id id;

  explicit deadline_queue(asio::io_context& context) : service(context), timer_(std::in_place, context) {}
  [[nodiscard]] static deadline_queue& of(asio::io_context& context);

  /// As of deadline_heap.
  void arm(timed& t, deadline::clock::time_point when);
  void disarm(timed& t) noexcept;
  void remove(timed& t) noexcept;

 private:
  void shutdown() override;
  void set_timer();

  std::mutex lock_;  // of all below
  deadline_heap heap_;
  std::optional<asio::steady_timer> timer_;  // none after shutdown()
  deadline::clock::time_point timer_at_ = deadline::clock::time_point::max();
};

}  // namespace halfopen::net

#endif
