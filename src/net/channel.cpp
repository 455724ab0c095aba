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
// A coroutine that waits is kept as Asio keeps it, as an awaitable_thread: next_edge() is what
// asio::use_awaitable does for an operation, without the coroutine of its own that it makes
// for each (160 bytes, and two context switches).
//
// reactor_op, reactor and awaitable_thread are in asio::detail, which promises nothing. All of
// that is in this file and its header (and in start.hpp), and a change there shows when it is
// compiled or in channel_test.cpp. Written for Asio 1.22 (Debian 12).

#include "net/channel.hpp"

#include <asio/detail/reactor_op.hpp>
#include <asio/detail/scheduler.hpp>
#include <asio/post.hpp>
#include <cerrno>
#include <optional>
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

  bool take_ready() noexcept { return std::exchange(ready_, false); }
  void be_ready() noexcept { ready_ = true; }

  [[nodiscard]] bool has_waiter() const noexcept { return waits_.has_value(); }
  [[nodiscard]] wake why() const noexcept { return why_; }

  void begin_wait(suspended&& who) {
    waits_.emplace(std::move(who));
    if (take_ready()) end_later(wake::ready);
  }

  /// False if nobody waits, or an edge has come first.
  bool end_later(wake why) {
    if (!waits_ || ready_) return false;
    why_ = why;
    asio::post(channel_->context_, [who = take_waiter()]() mutable { go_on(*std::move(who)); });
    return true;
  }

  void leave() noexcept { channel_ = nullptr; }

 private:
  void expired() noexcept override { end_later(wake::timed_out); }

  std::optional<suspended> take_waiter() noexcept {
    std::optional<suspended> who = std::move(waits_);
    waits_.reset();
    return who;
  }

  static void go_on(suspended who) {
    who.get_cancellation_slot().clear();
    who.launch();
  }

  /// At an edge, under the descriptor's lock; and once by start_op(), which asks whether
  /// there is any need to wait: it has been asked already.
  static status perform(reactor_op* base) {
    auto& self = *static_cast<edge*>(base);
    if (std::exchange(self.asking_, false)) return not_done;
    self.ready_ = true;
    return self.waits_ ? done : not_done;
  }

  static void complete(void* owner, asio::detail::operation* base, const asio::error_code&, std::size_t) {
    auto* self = static_cast<edge*>(base);
    if (owner == nullptr || self->channel_ == nullptr) {  // the io_context or the channel goes away
      const std::optional<suspended> with_its_coroutine = self->take_waiter();
      if (self->channel_ != nullptr) self->channel_->forget(*self);
      delete self;
      return;
    }
    auto who = self->take_waiter();
    self->ready_ = false;
    self->why_ = wake::ready;
    self->channel_->deadlines_.disarm(*self);
    if (!self->ec_) self->queue();
    if (who) go_on(*std::move(who));
  }

  channel* channel_;
  int type_;
  bool asking_ = false;
  bool ready_ = false;  // an edge has come that nobody has taken
  wake why_ = wake::ready;
  std::optional<suspended> waits_;
};

channel::channel(const asio::any_io_executor& executor, unique_fd fd, sharing with_others)
    : context_(static_cast<asio::io_context&>(asio::query(executor, asio::execution::context))),
      reactor_(asio::use_service<reactor>(context_)),
      deadlines_(deadline_queue::of(context_)),
      fd_(std::move(fd)),
      sharing_(with_others) {
  reactor_.init_task();
  // Queued as it is registered: so it is told of EPERM, which register_descriptor() keeps to itself.
  reading_ = new edge(*this, reactor::read_op);
  const int error = reactor_.register_internal_descriptor(reactor::read_op, fd_.get(), data_, reading_);
  if (error != 0) {
    reactor_.deregister_internal_descriptor(fd_.get(), data_);  // and destroys the edge
    reactor_.cleanup_descriptor_data(data_);
    throw std::system_error(error, std::generic_category(), "epoll_ctl");
  }
  // Asio does not count its internal operations as work; this one will complete as any other.
  asio::use_service<asio::detail::scheduler>(context_).work_started();
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

void channel::be_ready(direction d) noexcept {
  edge* e = d == direction::reading ? reading_ : writing_;
  if (e != nullptr) e->be_ready();
}

void channel::must_be_the_first(direction d) {
  if (of(d).has_waiter()) throw std::logic_error("halfopen: two waits for one direction of a connection");
}

wake channel::woken(direction d) const noexcept {
  return (d == direction::reading ? reading_ : writing_)->why();
}

asio::awaitable<wake> channel::wait(direction d, deadline limit) {
  co_await next_edge(d, limit);
  co_return woken(d);
}

void channel::begin_wait(direction d, deadline limit, suspended who) {
  edge& e = of(d);
  auto slot = who.get_cancellation_slot();
  if (slot.is_connected()) slot.assign([this, d](asio::cancellation_type) { cancel(d); });
  const bool cancelled = is_cancelled(who.get_cancellation_state());
  e.begin_wait(std::move(who));
  if (cancelled)
    cancel(d);
  else if (e.has_waiter())
    deadlines_.arm(e, limit.at());
}

void channel::cancel(direction d) noexcept {
  edge* e = d == direction::reading ? reading_ : writing_;
  if (e != nullptr && e->end_later(wake::cancelled)) deadlines_.disarm(*e);
}

}  // namespace halfopen::net
