// Reading without a read that finds nothing.
//
// A read of TCP that did not fill its buffer has taken all bytes there were (epoll(7), "Questions and
// answers", 9), and what comes later has an edge of its own. What may lie behind the last byte without one
// is what came before the edge that was taken last, and that edge told of it: EPOLLRDHUP of a FIN, EPOLLERR
// and EPOLLHUP of an RST, EPOLLPRI of urgent data, at whose mark a read stops (tcp_recvmsg_locked() in
// net/ipv4/tcp.c). So after an edge without those a short read is the last, and no read is made before the
// wait; otherwise one is, as in any edge-triggered program. A request costs epoll_wait, recv and send.
// TCP_INQ (recvmsg(2) says how many bytes are left, and says one for a FIN) knows nothing of an RST, and
// costs the kernel more than recv(2).
//
// A Unix socket's read stops short before a message that carries descriptors (unix_stream_read_generic() in
// net/unix/af_unix.c) as well, so there is always one more.
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

#include "halfopen/liveness.hpp"

namespace halfopen::net {
namespace {

void set_flag(int fd, int level, int name) noexcept {
  const int on = 1;
  static_cast<void>(::setsockopt(fd, level, name, &on, sizeof on));
}

bool has(int fd, int name) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, IPPROTO_TCP, name, &value, &size) == 0 && value != 0;
}

/// Whether all of set_connection_options() is there: the last of them, and one that nobody else sets (a
/// socket of systemd's may have the others).
bool has_connection_options(int fd) noexcept {
  return has(fd, TCP_USER_TIMEOUT) && has(fd, TCP_NODELAY);
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
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY);  // the last: has_connection_options()
}

void stream_state::set_options(const stream_options& options) noexcept {
  set_connection_options(fd(), options);
  short_read_is_last_ = true;
}

void stream_state::inherit_options(const stream_options& options) noexcept {
  if (has_connection_options(fd()))
    short_read_is_last_ = true;
  else
    set_options(options);
}

stream_state::pull stream_state::receive_some(std::span<char> into, std::size_t& got) noexcept {
  while (!read_over) {
    if (drained && !write_failed && !wire().take_ready(direction::reading)) return pull::wait;
    drained = false;
    const ssize_t came = ::recv(fd(), into.data(), into.size(), 0);
    if (came > 0) {
      got = static_cast<std::size_t>(came);
      drained = short_read_is_last_ && got < into.size() && !wire().ends_behind_bytes();
      return pull::bytes;
    }
    if (came < 0 && errno == EINTR) continue;
    if (came < 0 && errno == EAGAIN) {
      drained = true;
      read_over = write_failed != nullptr;  // there is nothing more to come
      continue;
    }
    end_of_wire(came < 0 ? errno : 0);
  }
  return pull::over;
}

stream_state::pull stream_state::try_read() noexcept {
  if (!read_over && layer_ && layer_->over()) end_of_layer();
  for (int quiet = 0;;) {  // reads that brought only what is the layer's own
    auto& into = buffer();
    std::size_t got = 0;
    if (const pull p = receive_some(into, got); p != pull::bytes) return p;
    const std::string_view came(into.data(), got);
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
}

stream_state::pull stream_state::try_read_into(std::span<char> into, std::size_t& got) noexcept {
  if (in.empty() && !layer_) {
    const pull p = receive_some(into, got);
    if (p == pull::bytes && where != phase::sending) where = phase::receiving_reply;
    return p;
  }
  if (in.empty())
    if (const pull p = try_read(); p != pull::bytes) return p;
  got = in.view().copy(into.data(), into.size());
  in.consume(got);
  scanned = 0;
  return pull::bytes;
}

void stream_state::end_of_wire(int error) noexcept {
  const fate f = of_error(at(operation::read), error);
  static_cast<void>(end(layer_ && error == 0 ? end_of_file_below_layer(f) : f));
  read_over = wire_over = true;
}

std::size_t stream_state::send(std::string_view bytes) noexcept {
  return sent_by([&] { return ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
}

void stream_state::fail_to_write(int error) noexcept {
  const fate f = of_error(at(operation::write), error);
  // Replies that came before the RST are still to be read (tcp_reset() in
  // net/ipv4/tcp_input.c purges only the write queue). Reading goes on, and ends
  // with this fate.
  static_cast<void>(end(f));
  write_failed = std::make_unique<fate>(f);
  wire_over = true;
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

bool stream_state::must_wait_for_message(wake& last) noexcept {
  if (last != wake::ready || !in.empty()) return false;
  if (draining) {
    drained = false;  // what is here by now counts, though nobody was told yet
    if (try_read() == pull::wait) last = wake::cancelled;
    return false;
  }
  if (unbroken >= reads_at_once) {
    wire().be_ready(direction::reading);
    return true;
  }
  ++unbroken;
  return try_read() == pull::wait;
}

void stream_state::message_wait_ended(wake& why) noexcept {
  idle_wait = false;
  drained = false;
  unbroken = 0;
  // Told to stop: a request that is here already is still taken.
  if (why == wake::cancelled && draining) why = wake::ready;
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
