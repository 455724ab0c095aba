// A descriptor that says when it may be read or written, for one system call less.
//
// asio::ip::tcp::socket reads before it waits. For a server that has just answered and
// waits for the next request that read finds nothing (EAGAIN): four system calls a
// request, epoll_wait, recv, send, recv, where a bare epoll loop makes three. Its
// async_wait() does not read, but re-arms the descriptor with epoll_ctl instead, which
// is no better. Asio registers descriptors edge-triggered once and for all, so neither
// is needed by who reads until there is no more: the next edge will come by itself.
//
// What Asio offers for that is the class under its own operations: a reactor_op, queued
// at a descriptor, whose perform() is called at each edge. Ours is an "edge": perform()
// only notes the edge; if somebody waits the operation completes, and queues itself
// again before it resumes the waiter, so that no edge is ever missed. perform() returning
// `done`, and not a posted completion, matters: then the scheduler runs us right after
// epoll_wait, and not after another epoll_wait.
//
// reactor_op and reactor are in asio::detail, which promises nothing. All of that is in
// this file, and a change there shows when it is compiled or in channel_test.cpp. Written
// for Asio 1.22 (Debian 12).
//
// The state of an edge is one atomic word, because an io_context that several threads
// run may call perform() on one while the coroutine that waits runs on another.

#include "net/channel.hpp"

#include <asio/detail/reactor_op.hpp>
#include <asio/detail/scheduler.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace halfopen::net {

using asio::detail::reactor;
using asio::detail::reactor_op;

/// One direction of a channel. Asio's queues own it once it is queued: it deletes itself
/// when it leaves them after its channel has gone.
class edge final : public reactor_op, public timed {
 public:
  edge(channel& of, int type) : reactor_op({}, &edge::perform, &edge::complete), channel_(&of), type_(type) {}

  void queue() {
    asking_ = true;
    channel_->reactor_.start_op(type_, channel_->fd(), channel_->data_, this, true, true);
  }

  bool take_ready() noexcept {
    int expected = ready;
    return state_.compare_exchange_strong(expected, quiet);
  }

  [[nodiscard]] bool has_waiter() const noexcept { return static_cast<bool>(resume_); }

  /// False if an edge has come meanwhile: then there is nothing to wait for.
  bool begin_wait(channel::resume&& how) {
    resume_ = std::move(how);
    int expected = quiet;
    return state_.compare_exchange_strong(expected, awaited);
  }

  /// Takes the waiter away from the edges that come; empty if one was first.
  channel::resume stop_waiting() noexcept {
    int expected = awaited;
    if (!state_.compare_exchange_strong(expected, quiet)) return {};
    return std::exchange(resume_, {});
  }

  channel::resume take_resume() noexcept {
    state_ = quiet;
    return std::exchange(resume_, {});
  }

  void leave() noexcept { channel_ = nullptr; }

  void end_later(channel::resume how, wake why) const {
    asio::post(channel_->executor(), [how = std::move(how), why]() mutable { how(why); });
  }

 private:
  enum state : int { quiet, ready, awaited };

  void expired() noexcept override {
    if (auto how = stop_waiting()) return end_later(std::move(how), wake::timed_out);
    int expected = quiet;  // so soon that the wait has not begun: it will look once more, and wait again
    state_.compare_exchange_strong(expected, ready);
  }

  /// At an edge, under the descriptor's lock; and once by start_op(), which asks whether
  /// there is any need to wait: it has been asked already.
  static status perform(reactor_op* base) {
    auto& self = *static_cast<edge*>(base);
    if (std::exchange(self.asking_, false)) return not_done;
    return self.state_.exchange(ready) == awaited ? done : not_done;
  }

  static void complete(void* owner, asio::detail::operation* base, const asio::error_code&, std::size_t) {
    auto* self = static_cast<edge*>(base);
    if (owner == nullptr || self->channel_ == nullptr) {  // the io_context or the channel goes away
      const channel::resume with_its_coroutine = std::move(self->resume_);
      if (self->channel_ != nullptr) self->channel_->forget(*self);
      delete self;
      return;
    }
    auto how = self->take_resume();
    self->channel_->deadlines_.disarm(*self);
    if (!self->ec_) self->queue();
    if (how) how(wake::ready);
  }

  channel* channel_;
  int type_;
  bool asking_ = false;
  std::atomic<int> state_ = quiet;
  channel::resume resume_;
};

channel::channel(asio::any_io_executor executor, unique_fd fd, sharing with_others)
    : executor_(std::move(executor)),
      reactor_(asio::use_service<reactor>(asio::query(executor_, asio::execution::context))),
      deadlines_(deadline_queue::of(asio::query(executor_, asio::execution::context))),
      fd_(std::move(fd)),
      sharing_(with_others) {
  reactor_.init_task();
  // Queued before the descriptor is watched, or another thread might meet its first edge
  // with nobody there. And it is told of EPERM, which register_descriptor() keeps to itself.
  reading_ = new edge(*this, reactor::read_op);
  const int error = reactor_.register_internal_descriptor(reactor::read_op, fd_.get(), data_, reading_);
  if (error != 0) {
    reactor_.deregister_internal_descriptor(fd_.get(), data_);  // and destroys the edge
    reactor_.cleanup_descriptor_data(data_);
    throw std::system_error(error, std::generic_category(), "epoll_ctl");
  }
  // Asio does not count its internal operations as work; this one will complete as any other.
  asio::use_service<asio::detail::scheduler>(asio::query(executor_, asio::execution::context)).work_started();
}

channel::~channel() {
  for (edge* e : {reading_, writing_})
    if (e != nullptr) {
      deadlines_.remove(*e);
      e->leave();
    }
  // Closing takes it out of the epoll set, unless somebody else has the open file too.
  reactor_.deregister_descriptor(fd_.get(), data_, sharing_ == sharing::none);
  fd_.reset();
  reactor_.cleanup_descriptor_data(data_);
}

edge& channel::of(direction d) {
  edge*& e = d == direction::reading ? reading_ : writing_;
  if (e == nullptr) {
    e = new edge(*this, d == direction::reading ? reactor::read_op : reactor::write_op);
    e->queue();
  }
  return *e;
}

void channel::forget(edge& e) noexcept {
  deadlines_.remove(e);
  (reading_ == &e ? reading_ : writing_) = nullptr;
}

bool channel::take_ready(direction d) noexcept {
  edge* e = d == direction::reading ? reading_ : writing_;
  return e != nullptr && e->take_ready();
}

void channel::must_be_the_first(direction d) const {
  const edge* e = d == direction::reading ? reading_ : writing_;
  if (e != nullptr && e->has_waiter())
    throw std::logic_error("halfopen: two waits for one direction of a connection");
}

void channel::begin_wait(direction d, deadline limit, resume how) {
  edge& e = of(d);
  // First the deadline: once the wait has begun another thread may end it, and all of this.
  deadlines_.arm(e, limit.at(), executor_);
  if (!e.begin_wait(std::move(how))) e.end_later(e.take_resume(), wake::ready);
}

void channel::cancel(direction d) noexcept {
  edge* e = d == direction::reading ? reading_ : writing_;
  if (e == nullptr) return;
  if (auto how = e->stop_waiting()) {
    deadlines_.disarm(*e);
    e->end_later(std::move(how), wake::cancelled);
  }
}

}  // namespace halfopen::net
