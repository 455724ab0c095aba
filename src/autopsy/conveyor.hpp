#ifndef HALFOPEN_SRC_AUTOPSY_CONVEYOR_HPP
#define HALFOPEN_SRC_AUTOPSY_CONVEYOR_HPP

/// From one thread to the next, by the batch.

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace halfopen::autopsy {

/// A ring of batches that one thread fills and another empties, in turn. A batch is used again and again, so
/// its memory stays what it is. Whoever has to wait is woken when half of the ring is ready, not for each
/// batch: to wake a thread takes about as long as the work on one batch. Thread-safe, for one thread on
/// each side.
template <class Batch>
class conveyor {
 public:
  // ---- for the thread that fills
  /// The next batch to fill, as the other thread left it; waits for one. nullptr if nobody takes any more.
  [[nodiscard]] Batch* to_fill() {
    std::unique_lock lock{mutex_};
    if (full_ == places) changed_.wait(lock, [&] { return full_ <= places / 2 || nobody_takes_; });
    return nobody_takes_ ? nullptr : &batches_[filling_];
  }
  void filled() {
    const std::scoped_lock lock{mutex_};
    filling_ = (filling_ + 1) % places;
    if (++full_ == places / 2) changed_.notify_all();
  }
  void end() {
    const std::scoped_lock lock{mutex_};
    ended_ = true;
    changed_.notify_all();
  }

  // ---- for the thread that empties
  /// The oldest batch that was filled; waits for one. nullptr once all were taken and none comes any more.
  [[nodiscard]] Batch* to_empty() {
    std::unique_lock lock{mutex_};
    if (full_ == 0) changed_.wait(lock, [&] { return full_ >= places / 2 || ended_; });
    return full_ == 0 ? nullptr : &batches_[emptying_];
  }
  void emptied() {
    const std::scoped_lock lock{mutex_};
    emptying_ = (emptying_ + 1) % places;
    if (--full_ == places / 2) changed_.notify_all();
  }
  void take_no_more() {
    const std::scoped_lock lock{mutex_};
    nobody_takes_ = true;
    changed_.notify_all();
  }

 private:
  static constexpr std::size_t places = 8;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Batch, places> batches_;
  std::size_t filling_ = 0, emptying_ = 0;  ///< each used by its own thread alone, but changed under the lock
  std::size_t full_ = 0;
  bool ended_ = false, nobody_takes_ = false;
};

}  // namespace halfopen::autopsy

#endif
