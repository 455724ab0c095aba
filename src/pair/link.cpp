// One connection of the robust client, and the three things it has to know when it ends:
// how, in which phase, and whether the request may be sent again. The library knows the
// first two for one request at a time; with several on their way the oldest one that is
// not answered counts, and that is kept here.
//
// Three coroutines: one takes replies, which is also how a FIN or RST is told when it
// comes; one writes, so that a long request and its long reply do not wait for each
// other; one watches the time. What the user has typed before the end was known is still
// sent, and what the write says counts: only a write shows that the peer is gone for good
// (EPIPE), and not only done with its own side.

#include "pair/link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>

#include "fate/make_fate.hpp"
#include "halfopen/connect.hpp"
#include "pair/sockets.hpp"

namespace halfopen::pair {

link::link(const asio::any_io_executor& executor, std::string target, const call_options& options,
           std::function<bool()> changed, std::function<void()> typed)
    : options_(options),
      target_(std::move(target)),
      name_(target_),
      changed_(std::move(changed)),
      typed_(std::move(typed)),
      talk_(options),
      due_(executor) {}

asio::awaitable<void> link::run() {
  const bool opened = co_await open();
  changed_();
  if (!opened) co_return;
  asio::co_spawn(due_.get_executor(), watch_the_time(), asio::detached);
  co_await take_replies();
}

asio::awaitable<bool> link::open() {
  const endpoint where = parse_endpoint(target_).value();  // checked by call()
  name_ = where.text();
  connect_options how;
  how.connection.notice_within = options_.notice_within;
  const deadline limit =
      options_.connect_timeout.count() > 0 ? deadline(options_.connect_timeout) : deadline::never();
  auto made = co_await connect(where.host, where.port, limit, how);
  if (!made) {
    fail(made.error());
    co_return false;
  }
  connection_ = std::move(*made);
  co_return true;
}

// --- talking

bool link::has_room() const noexcept {
  return connection_ && waiting_.size() < static_cast<std::size_t>(options_.pipeline);
}

void link::send(std::string_view request, std::string_view line) {
  const deadline limit = options_.timeout.count() > 0 ? deadline(options_.timeout) : deadline::never();
  waiting_.push_back({std::string{line}, queued_, queued_ + request.size(), limit});
  queued_ += request.size();
  out_.append(request);
  due_.cancel();
  if (!writing_) asio::co_spawn(due_.get_executor(), write(), asio::detached);
}

asio::awaitable<std::expected<void, fate>> link::flush() {
  writing_ = true;
  std::expected<void, fate> sent;
  while (!out_.empty() && sent) {
    const std::string bytes(out_.view());  // more may be appended meanwhile
    out_.consume(out_.size());
    sent = co_await connection_.write(bytes, deadline::never());
  }
  writing_ = false;
  co_return sent;
}

// A write that failed leaves replies to be read: the reader comes upon its fate after them.
asio::awaitable<void> link::write() {
  if (writing_ || !connection_) co_return;
  const auto sent = co_await flush();
  if (!sent && !write_failed_) write_failed_ = sent.error();
}

asio::awaitable<void> link::take_replies() {
  for (;;) {
    const auto bytes = co_await connection_.read(deadline::never());
    if (failed_) co_return;
    if (!bytes) {
      typed_();
      co_await write();
      // After a FIN the write tells more; an RST is what it is.
      if (!failed_) fail(is_end_of_file(bytes.error()) && write_failed_ ? *write_failed_ : bytes.error());
      co_return;
    }
    talk_.feed(*bytes);
    connection_.consume(bytes->size());
    if (!take_whole_replies()) co_return;
    std::fflush(stdout);
    typed_();  // the replies made room
    if (changed_()) co_return;
  }
}

// False if the connection has ended with what came.
bool link::take_whole_replies() {
  while (!waiting_.empty()) {
    auto reply = talk_.next(waiting_.front().line);
    if (!reply) {
      last_words_ = std::move(reply.error());
      fail(connection_.malformed(last_words_));
      return false;
    }
    if (!*reply) return true;
    fmt::print("{}\n", **reply);
    waiting_.pop_front();
    answered_ = true;
    due_.cancel();
  }
  connection_.settle();
  if (talk_.mid_reply()) fail(connection_.malformed("bytes that nobody asked for"));
  return !failed_;
}

asio::awaitable<void> link::watch_the_time() {
  while (!failed_ && connection_) {
    const deadline limit = waiting_.empty() ? deadline::never() : waiting_.front().limit;
    if (limit.passed()) {
      last_words_ = fmt::format("no whole reply within {} ms", options_.timeout.count());
      fail(of_deadline({.fd = connection_.native_handle()}, last_words_));
      changed_();
      co_return;
    }
    due_.expires_at(limit.at());
    asio::error_code woken;
    co_await due_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

// --- ending

phase link::where() const noexcept {
  if (!connection_) return phase::connecting;
  if (waiting_.empty()) return phase::idle;
  if (talk_.mid_reply()) return phase::receiving_reply;
  return connection_.handed_over() < waiting_.front().end ? phase::sending : phase::awaiting_reply;
}

// Of the requests that wait for their replies; if none does, of the last one.
retry link::again() const noexcept {
  if (!connection_) return retry::safe;
  if (waiting_.empty()) return answered_ ? retry::pointless : retry::safe;
  return connection_.handed_over() <= waiting_.front().begin ? retry::safe : retry::unknown;
}

void link::fail(const fate& end) {
  if (std::exchange(failed_, true)) return;
  tell(for_request(end, where(), again()));
  due_.cancel();
  changed_();
}

void link::finish() {
  if (failed_ || !connection_) return;
  failed_ = true;
  due_.cancel();
  if (options_.tell_endings) tell(of_completion({.again = again()}, "all is answered"));
}

void link::tell(const fate& f) const {
  std::fflush(stdout);  // the replies before it, where both go to one terminal
  fmt::print(stderr, "call: {}: {}\n", name_, to_string(f));
}

}  // namespace halfopen::pair
