// The operations of a stream: each a loop of "try, and wait if there is nothing to do",
// over stream_state, which does the trying.
//
// A read that takes a message asks for it first and reads only then: what came with the
// last read is used before the kernel is asked again. So sixteen requests in one segment
// cost one recvmsg.

#include "halfopen/stream.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>
#include <type_traits>
#include <utility>

#include "net/local_socket.hpp"
#include "net/stream_state.hpp"

namespace halfopen {
namespace {

using net::direction;
using net::stream_state;
using net::wake;

/// Much more than any socket buffer: what is still on its way when one says goodbye.
constexpr std::uint64_t most_dropped = 64 << 20;

using message = stream::result<std::string_view>;
/// What a `take` of read_until() gives, if it gives something.
template <class Take>
using taken_by = typename std::invoke_result_t<const Take&>::value_type;

/// Reads until there is a message, which take() gives, as it gives the reason why there will never
/// be one; or until one must wait: nothing.
template <class Take>
std::optional<taken_by<Take>> read_what_is_here(stream_state& s, const Take& take) {
  for (;;) {
    if (auto taken = take(); taken) return taken;
    if (s.unbroken >= stream_state::reads_at_once) return std::nullopt;
    switch (s.try_read()) {
      case stream_state::pull::bytes:
        ++s.unbroken;
        break;
      case stream_state::pull::over:
        return std::unexpected(*s.ended);
      case stream_state::pull::wait:
        return std::nullopt;
    }
  }
}

/// A frame of its own, since it is seldom needed, and an executor large.
asio::awaitable<void> let_others_go_first(stream_state& s) {
  co_await asio::post(s.wire().executor(), asio::use_awaitable);
}

/// Each result that a coroutine names or makes lies in its frame, which an idle connection
/// keeps: hence one, and one co_return.
template <class Take>
asio::awaitable<taken_by<Take>> read_until(stream_state& s, Take take, deadline limit) {
  std::optional<taken_by<Take>> got;
  while (!(got = read_what_is_here(s, take))) {
    wake why = wake::timed_out;
    const bool told_to_stop = net::is_cancelled(co_await asio::this_coro::cancellation_state);
    // Bytes may come often and be few (one a second): the limit counts all the same.
    if (told_to_stop) {
      why = wake::cancelled;
    } else if (limit.passed()) {
    } else if (s.unbroken >= stream_state::reads_at_once) {
      co_await let_others_go_first(s);
      why = wake::ready;
    } else {
      why = co_await s.wire().wait(direction::reading, limit);
      if (why == wake::ready) s.drained = false;
    }
    s.unbroken = 0;
    if (why != wake::ready) {
      got.emplace(std::unexpect, s.stopped(why, operation::read));
      break;
    }
  }
  co_return *std::move(got);
}

/// What is being written; `step` gives the kernel what it takes, false if there is an end to it.
struct bytes_to_write {
  std::string_view rest;
  bool step(stream_state& s) { return s.try_write(rest); }
  [[nodiscard]] bool done(const stream_state& s) const { return s.is_sent(rest); }
  [[nodiscard]] bool lets_others_go_first() const { return false; }
  [[nodiscard]] auto result(stream_state& s, wake last) const { return s.written(done(s), last); }
};
struct pieces_to_write {
  net::pieces rest;
  bool step(stream_state& s) { return s.try_write(rest); }
  [[nodiscard]] bool done(const stream_state& s) const { return rest.empty() && s.is_sent({}); }
  [[nodiscard]] bool lets_others_go_first() const { return false; }
  [[nodiscard]] auto result(stream_state& s, wake last) const { return s.written(done(s), last); }
};
struct file_to_send {
  net::file_part rest;
  bool step(stream_state& s) { return s.try_send_file(rest); }
  [[nodiscard]] bool done(const stream_state& s) const { return rest.left == 0 && s.is_sent({}); }
  [[nodiscard]] bool lets_others_go_first() const { return rest.others_turn; }
  [[nodiscard]] auto result(stream_state& s, wake last) const { return s.sent_file(rest, last); }
};

template <class What>
asio::awaitable<stream::result<void>> write_all(stream_state& s, What what, deadline limit) {
  if (s.where == phase::idle) s.request_began = s.handed_over;
  s.where = phase::sending;
  const struct writing {
    bool& now;
    explicit writing(bool& flag) : now(flag) { now = true; }
    writing(const writing&) = delete;
    writing& operator=(const writing&) = delete;
    ~writing() { now = false; }
  } until_the_end(s.writing);
  wake why = wake::ready;
  while (why == wake::ready && what.step(s) && !what.done(s)) {
    if (what.lets_others_go_first())
      s.wire().be_ready(direction::writing);  // no edge will come: the kernel would have taken more
    else if (s.wire().take_ready(direction::writing))
      continue;
    const bool told_to_stop = net::is_cancelled(co_await asio::this_coro::cancellation_state);
    if (told_to_stop)
      why = wake::cancelled;
    else if (limit.passed())
      why = wake::timed_out;
    else
      why = co_await s.wire().wait(direction::writing, limit);
  }
  co_return what.result(s, why);
}

}  // namespace

stream::stream() noexcept = default;
stream::stream(std::unique_ptr<stream_state> state) noexcept : state_(std::move(state)) {}
stream::stream(stream&&) noexcept = default;

stream::stream(const asio::any_io_executor& executor, unique_fd connected, const stream_options& options) {
  int on = 1;
  static_cast<void>(::ioctl(connected.get(), FIONBIO, &on));
  const auto peer = net::peer_of(connected.get());
  if (!peer &&
      (peer.error() == EBADF || peer.error() == ENOTSOCK))  // a file is ready for ever, and would spin
    throw std::system_error(peer.error(), std::generic_category(), "not a socket");
  state_ = std::make_unique<stream_state>(executor, std::move(connected));
  if (net::is_internet(state_->fd())) state_->set_options(options);
  if (peer) state_->set_peer(*peer);
}

stream& stream::operator=(stream&& from) noexcept {
  if (this != &from) {
    stream before(std::move(*this));
    state_ = std::move(from.state_);
  }
  return *this;
}

stream::~stream() {
  if (!state_) return;
  static_cast<void>(state_->say_goodbye());
  if (state_->wire_over) return;
  std::uint64_t budget = most_dropped;
  static_cast<void>(::shutdown(state_->fd(), SHUT_WR));
  static_cast<void>(state_->drop_unread(budget));
}

asio::awaitable<stream::result<std::string_view>> stream::read(deadline limit) {
  stream_state& s = *state_;
  return read_until(
      s,
      [&s]() -> std::optional<result<std::string_view>> {
        if (s.in.empty()) return std::nullopt;
        return s.in.view();
      },
      limit);
}

asio::awaitable<stream::result<std::string_view>> stream::read_line(std::size_t most, deadline limit) {
  stream_state& s = *state_;
  return read_until(
      s,
      [&s, most]() -> std::optional<result<std::string_view>> {
        // Never beyond the limit: a line that is too long is so even if its LF came in the
        // same read, else the outcome would depend on the segments.
        const std::string_view window = s.in.view().substr(0, most + (most != SIZE_MAX));
        const std::string_view fresh = window.substr(std::min(s.scanned, window.size()));
        const std::size_t newline = fresh.find('\n');
        if (fresh.substr(0, newline).contains('\0'))
          return std::unexpected(s.malformed("a NUL byte in a text line"));
        if (newline != std::string_view::npos) {
          const std::string_view line = window.substr(0, window.size() - fresh.size() + newline);
          s.in.consume(line.size() + 1);
          s.scanned = 0;
          return line;
        }
        if (window.size() > most) return std::unexpected(s.malformed("a message longer than the limit"));
        s.scanned = window.size();
        return std::nullopt;
      },
      limit);
}

asio::awaitable<stream::result<std::string_view>> stream::read_exactly(std::size_t size, std::size_t most,
                                                                       deadline limit) {
  stream_state& s = *state_;
  return read_until(
      s,
      [&s, size, most]() -> std::optional<result<std::string_view>> {
        if (size > most) return std::unexpected(s.malformed("a message longer than the limit"));
        if (s.in.size() < size) return std::nullopt;
        const std::string_view bytes = s.in.view().substr(0, size);
        s.in.consume(size);
        s.scanned = 0;
        return bytes;
      },
      limit);
}

std::string_view stream::unread() const noexcept {
  return state_->in.view();
}

void stream::consume(std::size_t size) noexcept {
  state_->in.consume(std::min(size, state_->in.size()));
  state_->scanned = 0;
}

asio::awaitable<stream::result<std::size_t>> stream::read_into(std::span<char> into, deadline limit) {
  stream_state& s = *state_;
  return read_until(
      s,
      [&s, into]() -> std::optional<result<std::size_t>> {
        std::size_t got = 0;
        if (into.empty()) return got;
        if (s.unbroken >= stream_state::reads_at_once) return std::nullopt;
        switch (s.try_read_into(into, got)) {
          case stream_state::pull::bytes:
            ++s.unbroken;
            return got;
          case stream_state::pull::over:
            return std::unexpected(*s.ended);
          case stream_state::pull::wait:
            return std::nullopt;
        }
        return std::nullopt;
      },
      limit);
}

asio::awaitable<stream::result<void>> stream::write(std::string_view bytes, deadline limit) {
  return write_all(*state_, bytes_to_write{bytes}, limit);
}

asio::awaitable<stream::result<void>> stream::write(std::span<const std::string_view> parts, deadline limit) {
  return write_all(*state_, pieces_to_write{net::pieces(parts)}, limit);
}

asio::awaitable<stream::result<void>> stream::send_file(int file, std::uint64_t offset, std::uint64_t size,
                                                        deadline limit) {
  return write_all(*state_, file_to_send{{.fd = file, .offset = offset, .left = size}}, limit);
}

void stream::settle() noexcept {
  state_->settle();
}

asio::awaitable<stream::result<void>> stream::next_message(deadline limit) {
  stream_state& s = *state_;
  s.settle();
  wake last = wake::ready;
  while (s.must_wait_for_message(last)) {
    const bool told_to_stop = net::is_cancelled(co_await asio::this_coro::cancellation_state);
    if (told_to_stop) {
      last = wake::cancelled;
      break;
    }
    s.idle_wait = true;
    last = co_await s.wire().wait(direction::reading, limit);
    s.message_wait_ended(last);
  }
  co_return s.begun(last);
}

void stream::drain() noexcept {
  state_->draining = true;
  if (state_->idle_wait) state_->wire().cancel(direction::reading);
}

asio::awaitable<fate> stream::ended() {
  stream_state& s = *state_;
  for (;;) {
    if (!s.in.empty()) co_return s.malformed("bytes that nobody asked for");
    switch (s.try_read()) {
      case stream_state::pull::bytes:
        break;
      case stream_state::pull::over:
        co_return *s.ended;
      case stream_state::pull::wait:
        const wake why = co_await s.wire().wait(direction::reading, deadline::never());
        if (why != wake::ready) co_return s.stopped(why, operation::read);
        s.drained = false;
    }
  }
}

std::optional<fate> stream::ended_by_now() {
  stream_state& s = *state_;
  if (s.ended) return *s.ended;
  if (!s.in.empty()) return s.malformed("bytes that nobody asked for");
  s.drained = false;
  switch (s.try_read()) {
    case stream_state::pull::bytes:
      return s.malformed("bytes that nobody asked for");
    case stream_state::pull::over:
      return *s.ended;
    case stream_state::pull::wait:
      return std::nullopt;
  }
  return std::nullopt;
}

asio::awaitable<stream::result<void>> stream::secure(const tls_context& how, std::string peer_name,
                                                     deadline limit) {
  stream_state& s = *state_;
  s.put_over(how.begin(peer_name));
  wake last = wake::ready;
  while (last == wake::ready) {
    if (s.draining) s.drained = false;
    const auto needed = s.shake_hands();
    if (!needed) break;
    if (s.draining || limit.passed()) {
      last = s.draining ? wake::cancelled : wake::timed_out;
      break;
    }
    s.idle_wait = *needed == direction::reading;
    last = co_await s.wire().wait(*needed, limit);
    s.idle_wait = false;
    if (*needed == direction::reading) s.drained = false;
    if (last == wake::cancelled && s.draining) last = wake::ready;  // as in next_message()
  }
  co_return s.secured(last);
}

std::optional<tls_facts> stream::tls() const {
  return state_->tls();
}

asio::awaitable<void> stream::close(deadline limit) {
  const std::unique_ptr<stream_state> s = std::move(state_);
  if (!s) co_return;
  while (s->say_goodbye() && !limit.passed())
    if (co_await s->wire().wait(direction::writing, limit) != wake::ready) break;
  if (s->wire_over || ::shutdown(s->fd(), SHUT_WR) != 0) co_return;
  std::uint64_t budget = most_dropped;
  while (s->drop_unread(budget) && !limit.passed()) {
    const wake why = co_await s->wire().wait(direction::reading, limit);
    if (why != wake::ready) co_return;
  }
}

void stream::reset() noexcept {
  const linger at_once{1, 0};
  static_cast<void>(::setsockopt(state_->fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
  const std::unique_ptr<stream_state> closed = std::move(state_);
}

const fate* stream::how_it_ended() const noexcept {
  return state_->ended.get();
}
fate stream::malformed(std::string_view what) const noexcept {
  return state_->malformed(what);
}
phase stream::where() const noexcept {
  return state_->where;
}
std::uint64_t stream::handed_over() const noexcept {
  return state_->handed_over;
}
const asio::ip::tcp::endpoint& stream::peer() const noexcept {
  return state_->peer;
}
int stream::native_handle() const noexcept {
  return state_->fd();
}
asio::any_io_executor stream::get_executor() const noexcept {
  return state_->wire().executor();
}

}  // namespace halfopen
