// Edges for one system call less, by the public interface of Asio.
//
// asio::ip::tcp::socket reads before it waits: for a server that has just answered and waits for the
// next request that read finds nothing (EAGAIN). Its async_wait() does not read, and calls epoll_ctl(2)
// each time instead. Who registers a descriptor edge-triggered once and for all, and reads until there
// is no more, needs neither: the next edge comes by itself. Asio registers so too, and does not show its
// edges. So the library has an epoll set of its own, which is one descriptor more for Asio, and waits
// for that one: epoll_wait and epoll_ctl of Asio's, and epoll_wait of ours, for as many edges as there
// are, and no call for each.
//
// Measured by `bench/run serve` against operations of asio::detail, which the library had before, and
// against async_wait() on each socket: docs/benchmarks.md.

#include "net/poller.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace halfopen::net {

asio::execution_context::id poller::id;

poller& poller::of(asio::io_context& context) {
  return asio::use_service<poller>(context);
}

poller::poller(asio::io_context& context) : service(context), context_(context) {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  set_.emplace(context.get_executor(), fd);
}

void poller::add(polled& what, int fd) {
  const std::scoped_lock held(lock_);
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  wanted.data.ptr = &what;
  if (::epoll_ctl(set_->native_handle(), EPOLL_CTL_ADD, fd, &wanted) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  what.listed_ = true;
  what.after_ = all_;
  if (all_ != nullptr) all_->before_ = &what;
  all_ = &what;
  if (!waiting_) wait();
}

void poller::forget(polled& what) noexcept {
  if (!std::exchange(what.listed_, false)) return;
  (what.before_ != nullptr ? what.before_->after_ : all_) = what.after_;
  if (what.after_ != nullptr) what.after_->before_ = what.before_;
  what.before_ = what.after_ = nullptr;
  for (epoll_event& e : told_)
    if (e.data.ptr == &what) e.data.ptr = nullptr;
}

void poller::remove(polled& what, int fd) noexcept {
  const std::scoped_lock held(lock_);
  forget(what);
  if (!set_) return;
  // Closing it takes it out of the set too, unless another process or descriptor has the open file.
  epoll_event ignored{};
  static_cast<void>(::epoll_ctl(set_->native_handle(), EPOLL_CTL_DEL, fd, &ignored));
  if (all_ == nullptr) set_->cancel();  // a wait for nobody would keep the io_context at work
}

/// With the lock. Asio asks the kernel for what is there by now.
void poller::wait() {
  waiting_ = true;
  set_->async_wait(asio::posix::descriptor_base::wait_read, [this](const asio::error_code& why) {
    if (why) {
      const std::scoped_lock held(lock_);
      waiting_ = false;
      if (all_ != nullptr) wait();  // one has come after the last had gone
    } else {
      tell();
    }
  });
}

void poller::tell() {
  std::unique_lock held(lock_);
  if (told_.empty()) {
    const int count = ::epoll_wait(set_->native_handle(), events_.data(), static_cast<int>(at_once), 0);
    told_ = {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
  }
  const struct at_the_end {  // a handler may throw, out of the io_context's run()
    poller& of;
    std::unique_lock<std::mutex>& held;
    ~at_the_end() {
      if (!held.owns_lock()) held.lock();
      of.go_on();
    }
  } then{*this, held};
  while (!told_.empty()) {
    const epoll_event e = told_.front();
    told_ = told_.subspan(1);
    if (e.data.ptr == nullptr) continue;  // it was removed meanwhile
    polled& what = *static_cast<polled*>(e.data.ptr);
    if (what.anywhere_) {
      what.came(e.events);
    } else {
      held.unlock();
      what.came(e.events);
      held.lock();
    }
  }
}

/// With the lock.
void poller::go_on() {
  if (!told_.empty()) return asio::post(context_, [this] { tell(); });
  waiting_ = false;
  if (all_ != nullptr) wait();
}

void poller::shutdown() {
  while (all_ != nullptr) {
    polled& one = *all_;
    forget(one);
    one.abandon();
  }
  set_.reset();
}

}  // namespace halfopen::net
