// A descriptor that is waited for with a deadline, by the public interface of Asio.
//
// asio::ip::tcp::socket reads before it waits. For a server that has just answered and waits for the
// next request that read finds nothing (EAGAIN), and an idle connection needs a buffer for it. Its
// async_wait() reads nothing: it asks the kernel by epoll_ctl(2) whether there is something by now,
// and is told when there is. So no end of a connection is missed that lies behind the last byte that
// was read (a FIN, an RST), whatever edges there were before, and no read need ask for one.
//
// A deadline is one entry in a heap of the io_context's (deadline_queue.hpp) and no timer of Asio's:
// it is set and taken back for each wait. It ends the wait by Asio's cancellation of one operation.

#include "net/channel.hpp"

#include <asio/execution/outstanding_work.hpp>
#include <asio/prefer.hpp>
#include <asio/query.hpp>
#include <stdexcept>

namespace halfopen::net {
namespace {

asio::io_context& context_of(const asio::any_io_executor& executor) {
  return static_cast<asio::io_context&>(asio::query(executor, asio::execution::context));
}

}  // namespace

channel::channel(const asio::any_io_executor& executor, unique_fd fd)
    : executor_(asio::prefer(executor, asio::execution::outstanding_work.tracked)),
      deadlines_(deadline_queue::of(context_of(executor))),
      fd_(fd.get()) {
  descriptor_.emplace(context_of(executor).get_executor(), fd.get());
  static_cast<void>(fd.release());  // it is the descriptor's
}

channel::~channel() {
  for (side* s : {&reading_, &writing_}) deadlines_.remove(*s);
  if (here_) *here_ = nullptr;
}

void channel::must_be_the_first(direction d) {
  if (of(d).waiting) throw std::logic_error("halfopen: two waits for one direction of a connection");
}

/// On the thread that runs the deadlines, which may not be that of the channel's strand.
void channel::side::expired() noexcept {
  if (!of.here_) of.here_ = std::make_shared<channel*>(&of);
  asio::post(of.executor_, [here = of.here_, this, wait = waits] {
    if (*here != nullptr && wait == waits) (*here)->end(*this, wake::timed_out);
  });
}

void channel::end(side& s, wake why) noexcept {
  if (!s.waiting || s.why != wake::ready) return;
  s.why = why;
  s.stop.emit(asio::cancellation_type::terminal);
}

wake channel::finish(side& s, bool is_ready) noexcept {
  deadlines_.disarm(s);
  s.waiting = false;
  return is_ready && s.why == wake::timed_out ? wake::ready : s.why;
}

}  // namespace halfopen::net
