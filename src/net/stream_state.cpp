// Reading without a read that finds nothing: one that brought less than there was room for has
// emptied the socket, and the next wait (channel.cpp) finds what lies behind those bytes all the same,
// a FIN or an RST. A request costs epoll_wait, recv, sendmsg and epoll_ctl.
//
// The bytes go through one buffer a thread into the connection's own queue: an idle
// connection has no buffer, whatever it once received, and a copy of what one request
// has in it is cheaper than a second system call or 64 KiB a connection.

#include "net/stream_state.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "halfopen/liveness.hpp"

namespace halfopen::net {
namespace {

void set_flag(int fd, int level, int name) noexcept {
  const int on = 1;
  static_cast<void>(::setsockopt(fd, level, name, &on, sizeof on));
}

int option_of(int fd, int level, int name) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, name, &value, &size) == 0 ? value : 0;
}

/// Whether it has what set_connection_options() sets, by those that it sets last. Who made the socket may
/// have set either of them, and not both.
bool has_connection_options(int fd, const stream_options& options) noexcept {
  if (option_of(fd, IPPROTO_TCP, TCP_NODELAY) == 0) return false;
  if (options.notice_within.count() <= 0) return true;
  return option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) ==
         noticed_within(options.notice_within).user_timeout.count();
}

/// How often one may read in a row what is not for the reader (TLS: a flood of tickets), before others
/// get their turn and the time is looked at.
constexpr int most_quiet_reads = 16;

std::array<char, 65536>& buffer() noexcept {
  static thread_local std::array<char, 65536> bytes;
  return bytes;
}

}  // namespace

stream_state::stream_state(const asio::any_io_executor& executor, unique_fd fd)
    : stream_state(std::make_shared<channel>(executor, std::move(fd))) {}

stream_state::stream_state(std::shared_ptr<channel> connected) : channel_(std::move(connected)) {}

void set_connection_options(int fd, const stream_options& options) noexcept {
  // Best effort: what this kernel does not have leaves its own default.
  if (options.notice_within.count() > 0) static_cast<void>(set_liveness(fd, options.notice_within));
  if (options.heed_icmp) static_cast<void>(report_icmp(fd));
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
}

void stream_state::set_options(const stream_options& options) noexcept {
  set_connection_options(fd(), options);
}

void stream_state::inherit_options(const stream_options& options) noexcept {
  if (!has_connection_options(fd(), options)) set_options(options);
}

stream_state::pull stream_state::try_read() noexcept {
  if (!read_over && layer_ && layer_->over()) end_of_layer();
  int quiet = 0;  // reads that brought only what is the layer's own
  while (!read_over) {
    if (drained && !write_failed) return pull::wait;
    auto& into = buffer();
    const ssize_t got = ::recv(fd(), into.data(), into.size(), 0);
    if (got > 0) {
      drained = static_cast<std::size_t>(got) < into.size();
      const std::string_view came(into.data(), static_cast<std::size_t>(got));
      if (!layer_)
        in.append(came);
      else if (!take_through_layer(came)) {
        if (++quiet < most_quiet_reads) continue;
        wire().be_ready(direction::reading);
        return pull::wait;
      }
      if (where != phase::sending) where = phase::receiving_reply;
      return pull::bytes;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      drained = true;
      read_over = write_failed != nullptr;  // there is nothing more to come
      continue;
    }
    end_of_wire(got < 0 ? errno : 0);
  }
  return pull::over;
}

void stream_state::end_of_wire(int error) noexcept {
  const fate f = of_error(at(operation::read), error);
  static_cast<void>(end(layer_ && error == 0 ? end_of_file_below_layer(f) : f));
  read_over = wire_over = true;
}

/// How many of these bytes the kernel takes; 0: none now, or write_failed says why.
std::size_t stream_state::send(std::string_view bytes) noexcept {
  for (;;) {
    const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return 0;
    const fate f = of_error(at(operation::write), errno);
    // Replies that came before the RST are still to be read (tcp_reset() in
    // net/ipv4/tcp_input.c purges only the write queue). Reading goes on, and ends
    // with this fate.
    static_cast<void>(end(f));
    write_failed = std::make_unique<fate>(f);
    wire_over = true;
    return 0;
  }
}

void stream_state::count(std::size_t bytes) noexcept {
  handed_over += bytes;
  if (ended && bytes > 0)  // after the peer's FIN: now a reply is owed
    *ended = for_request(*ended, ended->how == ending::completed ? phase::awaiting_reply : ended->when,
                         retry::unknown);
}

bool stream_state::try_write(std::string_view& bytes) noexcept {
  if (write_failed) return false;
  if (layer_) return try_write_through_layer(bytes);
  while (!bytes.empty()) {
    const std::size_t sent = send(bytes);
    if (sent == 0) break;
    count(sent);
    bytes.remove_prefix(sent);
  }
  return !write_failed;
}

const fate& stream_state::end(const fate& f) noexcept {
  if (!ended) ended = std::make_unique<fate>(f);
  return *ended;
}

// Of the request under way; if none is, of the last one.
retry stream_state::again() const noexcept {
  if (where == phase::idle) return answered ? retry::pointless : retry::safe;
  return handed_over == request_began ? retry::safe : retry::unknown;
}

stream::result<void> stream_state::written(bool all, wake last) {
  if (write_failed) return std::unexpected(*write_failed);
  if (!all) return std::unexpected(stopped(last, operation::write));
  where = phase::awaiting_reply;
  return {};
}

stream::result<void> stream_state::begun(wake last) const {
  if (!in.empty()) return {};
  if (read_over) return std::unexpected(*ended);
  return std::unexpected(stopped(last, operation::read));
}

fate stream_state::stopped(wake why, operation during) const noexcept {
  return why == wake::timed_out ? of_deadline(at(during)) : of_stop(at(during));
}

fate stream_state::malformed(std::string_view what) const noexcept {
  return of_malformed(at(operation::read), what);
}

void stream_state::settle() noexcept {
  if (writing) return;  // a reply before the request was sent: not over yet
  if (where != phase::idle) answered = true;
  where = in.empty() ? phase::idle : phase::receiving_reply;
  request_began = handed_over;
}

bool stream_state::drop_unread(std::uint64_t& budget) noexcept {
  in = {};
  auto& into = buffer();
  while (budget > 0) {
    const ssize_t got = ::recv(fd(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0)
      budget -= std::min(budget, static_cast<std::uint64_t>(got));
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
      return false;
    else if (errno == EAGAIN)
      return true;
  }
  return false;
}

}  // namespace halfopen::net
