// Reading without a read that finds nothing.
//
// Descriptors are edge-triggered (channel.cpp), and two things can lie behind the last
// byte that a read returned without an edge of their own: a FIN, and an RST, if they came
// before that read. So a short read alone does not prove that the socket is empty.
//
// - The FIN: with TCP_INQ (Linux 4.18) every recvmsg(2) says how many bytes are left, and
//   says one when there are none but a FIN (net/ipv4/tcp.c, tcp_inq_hint()).
// - The RST: it does not show there. But a write to such a socket fails, so after a write
//   that succeeded there is none. Request, reply, request, reply: that is nearly always.
//
// Where both are known no read is made before the wait; otherwise one is, as in any
// edge-triggered program. A request costs epoll_wait, recvmsg and sendmsg.
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

#ifndef TCP_INQ  // linux/tcp.h, which cannot be included beside netinet/tcp.h
constexpr int TCP_INQ = 36;
#endif

void set_flag(int fd, int level, int name) noexcept {
  const int on = 1;
  static_cast<void>(::setsockopt(fd, level, name, &on, sizeof on));
}

bool has_flag(int fd, int level, int name) noexcept {
  int on = 0;
  socklen_t size = sizeof on;
  return ::getsockopt(fd, level, name, &on, &size) == 0 && on != 0;
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
  set_flag(fd, IPPROTO_TCP, TCP_INQ);  // the last: inherit_options() takes it for a sign of all
}

void stream_state::set_options(const stream_options& options) noexcept {
  set_connection_options(fd(), options);
  counts_unread_ = has_flag(fd(), IPPROTO_TCP, TCP_INQ);
}

void stream_state::inherit_options(const stream_options& options) noexcept {
  counts_unread_ = has_flag(fd(), IPPROTO_TCP, TCP_INQ);
  if (!counts_unread_) set_options(options);
}

// Sets drained, if it got anything.
ssize_t stream_state::receive(char* into, std::size_t size) noexcept {
  if (!counts_unread_) return ::recv(fd(), into, size, 0);
  iovec place{into, size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
  msghdr message{};
  message.msg_iov = &place;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(fd(), &message, 0);
  if (got <= 0) return got;
  const cmsghdr* said = CMSG_FIRSTHDR(&message);
  if (said == nullptr || said->cmsg_type != TCP_INQ) return got;
  int left = 0;
  std::memcpy(&left, CMSG_DATA(said), sizeof left);
  drained = left == 0;
  proven = false;
  return got;
}

stream_state::pull stream_state::receive_some(std::span<char> into, std::size_t& got) noexcept {
  while (!read_over) {
    if (drained && proven && !write_failed && !wire().take_ready(direction::reading)) return pull::wait;
    drained = false;
    const ssize_t came = receive(into.data(), into.size());
    if (came > 0) {
      got = static_cast<std::size_t>(came);
      return pull::bytes;
    }
    if (came < 0 && errno == EINTR) continue;
    if (came < 0 && errno == EAGAIN) {
      drained = proven = true;
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
