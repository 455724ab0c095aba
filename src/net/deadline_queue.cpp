// A deadline on every operation, and next to no cost for the many that are met.
//
// An asio::steady_timer for each operation would be set and cancelled once a request:
// two heap operations, an allocation, and, whenever it is the earliest, timerfd_settime(2)
// twice. But nearly all deadlines are met, and the next one of the same connection lies
// later. So arming only notes the new time; the entry in the heap stays where it is if
// that is earlier, and is looked at when its old time has come: then it expires, or moves
// on to the time that is wanted now, or leaves. A connection with a 10 s limit costs one
// heap operation in 10 s, however many requests it makes.

#include "net/deadline_queue.hpp"

#include <asio/error_code.hpp>
#include <utility>

namespace halfopen::net {

void deadline_heap::arm(timed& t, time_point when) {
  t.wanted_ = when;
  if (when == time_point::max()) return;
  if (t.place_ == timed::nowhere) {
    heap_.push_back({});
    place(heap_.size() - 1, {when, &t});
    sift_up(heap_.size() - 1);
  } else if (when < heap_[t.place_].at) {
    heap_[t.place_].at = when;
    sift_up(t.place_);
  }
}

void deadline_heap::disarm(timed& t) noexcept {
  t.wanted_ = time_point::max();
}

void deadline_heap::remove(timed& t) noexcept {
  if (t.place_ == timed::nowhere) return;
  take_out(t.place_);
  t.place_ = timed::nowhere;
}

void deadline_heap::ring(time_point now) noexcept {
  while (!heap_.empty() && heap_.front().at <= now) {
    timed& t = *heap_.front().what;
    if (t.wanted_ > now && t.wanted_ != time_point::max()) {
      heap_.front().at = t.wanted_;
      sift_down(0);
      continue;
    }
    take_out(0);
    t.place_ = timed::nowhere;
    if (t.wanted_ != time_point::max()) t.expired();
  }
}

void deadline_heap::place(std::size_t where, entry e) noexcept {
  heap_[where] = e;
  e.what->place_ = where;
}

void deadline_heap::sift_up(std::size_t where) noexcept {
  const entry e = heap_[where];
  while (where > 0 && e.at < heap_[(where - 1) / 2].at) {
    place(where, heap_[(where - 1) / 2]);
    where = (where - 1) / 2;
  }
  place(where, e);
}

void deadline_heap::sift_down(std::size_t where) noexcept {
  const entry e = heap_[where];
  for (std::size_t child; (child = 2 * where + 1) < heap_.size(); where = child) {
    if (child + 1 < heap_.size() && heap_[child + 1].at < heap_[child].at) ++child;
    if (e.at <= heap_[child].at) break;
    place(where, heap_[child]);
  }
  place(where, e);
}

void deadline_heap::take_out(std::size_t where) noexcept {
  const entry last = heap_.back();
  heap_.pop_back();
  if (where == heap_.size()) return;
  place(where, last);
  sift_up(where);
  sift_down(last.what->place_);
}

asio::execution_context::id deadline_queue::id;

deadline_queue& deadline_queue::of(asio::io_context& context) {
  return asio::use_service<deadline_queue>(context);
}

void deadline_queue::arm(timed& t, deadline::clock::time_point when) {
  const std::scoped_lock held(lock_);
  heap_.arm(t, when);
  set_timer();
}

void deadline_queue::disarm(timed& t) noexcept {
  const std::scoped_lock held(lock_);
  heap_.disarm(t);
}

void deadline_queue::remove(timed& t) noexcept {
  const std::scoped_lock held(lock_);
  heap_.remove(t);
  // A timer that waits for nobody would keep the io_context at work.
  if (heap_.next() == deadline_heap::time_point::max() && timer_) {
    timer_at_ = deadline_heap::time_point::max();
    timer_->cancel();
  }
}

void deadline_queue::shutdown() {
  const std::scoped_lock held(lock_);
  timer_.reset();
}

void deadline_queue::set_timer() {
  if (heap_.next() >= timer_at_) return;
  timer_at_ = heap_.next();
  timer_->expires_at(timer_at_);  // cancels the wait for a later time
  timer_->async_wait([this](const asio::error_code& why) {
    if (why) return;
    const std::scoped_lock held(lock_);
    timer_at_ = deadline_heap::time_point::max();
    heap_.ring(deadline::clock::now());
    set_timer();
  });
}

}  // namespace halfopen::net
