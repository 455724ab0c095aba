#include "net/channel.hpp"

#include <asio/post.hpp>
#include <asio/query.hpp>
#include <stdexcept>

namespace halfopen::net {
namespace {

asio::io_context& context_of(const asio::any_io_executor& executor) {
  return static_cast<asio::io_context&>(asio::query(executor, asio::execution::context));
}

bool is_strand(const asio::any_io_executor& executor) {
  return executor != asio::any_io_executor(context_of(executor).get_executor());
}

}  // namespace

channel::channel(const asio::any_io_executor& executor, unique_fd fd)
    : polled(is_strand(executor)),
      strand_(is_strand(executor) ? std::make_unique<asio::any_io_executor>(executor) : nullptr),
      deadlines_(deadline_queue::of(context_of(executor))),
      poller_(poller::of(context_of(executor))),
      fd_(std::move(fd)) {
  if (strand_) static_cast<void>(here());
  poller_.add(*this, fd_.get());
}

channel::~channel() {
  poller_.remove(*this, fd_.get());
  deadlines_.remove(reading_);
  if (writing_) deadlines_.remove(*writing_);
  if (here_) *here_ = nullptr;
}

asio::any_io_executor channel::executor() const noexcept {
  return strand_ ? *strand_ : asio::any_io_executor(poller_.context().get_executor());
}

void channel::must_be_the_first(direction d) {
  if (const side* s = known(d); s != nullptr && s->waits)
    throw std::logic_error("halfopen: two waits for one direction of a connection");
}

const std::shared_ptr<channel*>& channel::here() {
  if (!here_) here_ = std::make_shared<channel*>(this);
  return here_;
}

/// On the channel's thread or strand, and if it is there still.
template <class Function>
void channel::later(Function f) {
  auto then = [channel = here(), f] {
    if (*channel != nullptr) f();
  };
  if (strand_)
    asio::post(*strand_, std::move(then));
  else
    asio::post(poller_.context(), std::move(then));
}

void channel::begin(side& s, direction d, deadline limit) {
  ++s.begun;
  if (take_ready(d)) return end_later(s, wake::ready);
  if (limit == deadline::never()) return;
  s.limited = true;
  deadlines_.arm(s, limit.at());
}

// A deadline expires on any thread that runs the io_context, under the lock under which it is armed and
// disarmed: nobody else is here then, unless there is a strand, where `here_` is from the beginning.
void channel::end_later(side& s, wake why) noexcept {
  later([this, &s, why, wait = s.begun] {
    if (s.waits && s.begun == wait) resume(s, why);
  });
}

void channel::resume(side& s, wake why) {
  if (std::exchange(s.limited, false)) deadlines_.disarm(s);
  s.waits.resume(why);
}

void channel::came(std::uint32_t events) {
  if (strand_)
    later([this, events] { take_in(events); });
  else
    take_in(events);
}

void channel::take_in(std::uint32_t events) {
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const bool to_read = broken || (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP)) != 0;
  const bool to_write = broken || (events & EPOLLOUT) != 0;
  if (broken || (events & (EPOLLRDHUP | EPOLLPRI)) != 0) ends_behind_bytes_ = true;
  const bool reader_goes_on = to_read && reading_.waits;
  const bool writer_goes_on = to_write && writing_ && writing_->waits;
  if (to_read) ready_to_read_ = !reader_goes_on;
  // Whoever goes on may end the channel, so the second is put off.
  if (to_write) ready_to_write_ = !writer_goes_on || reader_goes_on;
  if (reader_goes_on) {
    if (writer_goes_on) end_later(*writing_, wake::ready);
    resume(reading_, wake::ready);
  } else if (writer_goes_on) {
    resume(*writing_, wake::ready);
  }
}

void channel::abandon() noexcept {
  const auto still = here();  // the coroutine that waits to read may have the channel, and end it
  reading_.waits.drop();
  if (*still != nullptr && writing_) writing_->waits.drop();
}

}  // namespace halfopen::net
