#ifndef HALFOPEN_SRC_AUTOPSY_CONVEYOR_HPP
#define HALFOPEN_SRC_AUTOPSY_CONVEYOR_HPP

/// From one thread to the next, by the batch.

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace halfopen::autopsy {

/// A ring of batches that one thread fills and another empties, in turn. A batch is used again and again, so
/// its memory stays what it is. Whoever has to wait is woken when half of the ring is ready, not for each
/// batch: to wake a thread takes about as long as the work on one batch. Thread-safe: one thread fills, and
/// either one empties in place, or any number of them take().
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
    change([this] {
      filling_ = (filling_ + 1) % places;
      return ++full_ == places / 2;
    });
  }
  void end() {
    change([this] { return ended_ = true; });
  }

  // ---- for the thread that empties
  /// The oldest batch that was filled; waits for one. nullptr once all were taken and none comes any more.
  [[nodiscard]] Batch* to_empty() {
    std::unique_lock lock{mutex_};
    if (full_ == 0) changed_.wait(lock, [&] { return full_ >= places / 2 || ended_; });
    return full_ == 0 ? nullptr : &batches_[emptying_];
  }
  void emptied() {
    change([this] { return empty_one(); });
  }

  // ---- for several threads that take
  /// The oldest batch that was filled, in exchange for `mine`; waits for one. Gives the turn of this batch;
  /// nothing once all were taken and none comes any more, or nobody takes any more.
  [[nodiscard]] std::optional<std::uint64_t> take(Batch& mine) {
    std::unique_lock lock{mutex_};
    if (full_ == 0) changed_.wait(lock, [&] { return full_ >= places / 2 || ended_ || nobody_takes_; });
    if (full_ == 0 || nobody_takes_) return std::nullopt;
    std::swap(mine, batches_[emptying_]);
    const std::uint64_t turn = taken_++;
    const bool for_others = empty_one();
    lock.unlock();
    if (for_others) changed_.notify_all();
    return turn;
  }
  /// Waits until the batches taken before this one have ended their turns; false if nobody takes any more.
  [[nodiscard]] bool wait_for(std::uint64_t turn) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return turn == turns_ended_ || nobody_takes_; });
    return !nobody_takes_;
  }
  void end_turn() {
    change([this] { return ++turns_ended_ < taken_; });
  }

  /// Wakes all that wait: there is no use in going on.
  void take_no_more() {
    change([this] { return nobody_takes_ = true; });
  }

 private:
  bool empty_one() {
    emptying_ = (emptying_ + 1) % places;
    return --full_ == places / 2;
  }
  /// Wakes the others if `what` says so, and only when the lock is free for them.
  template <class What>
  void change(What what) {
    std::unique_lock lock{mutex_};
    const bool for_others = what();
    lock.unlock();
    if (for_others) changed_.notify_all();
  }

  static constexpr std::size_t places = 16;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Batch, places> batches_;
  std::size_t filling_ = 0, emptying_ = 0;  ///< each used by its own thread alone, but changed under the lock
  std::size_t full_ = 0;
  std::uint64_t taken_ = 0, turns_ended_ = 0;
  bool ended_ = false, nobody_takes_ = false;
};

}  // namespace halfopen::autopsy

#endif
