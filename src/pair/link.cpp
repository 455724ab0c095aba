// One connection of the robust client, and the three things it has to know when it
// ends: how, in which phase, and whether the request may be sent again.
//
// - connect() does not block, and each address of the name gets its share of the time
//   that is left, so a first address that is dead does not use up the time of the second.
//   RFC 8305 would try them side by side; one after the other is enough here.
// - A retry is called safe only if the kernel took no byte of any request that waits:
//   from the first byte on the peer may have acted on it.
// - When a write fails, replies that came before the RST are still in the receive queue
//   (tcp_reset() in net/ipv4/tcp_input.c purges only the write queue): they are taken
//   first, then the end is reported.
// - MSG_NOSIGNAL: with several connections a signal could not say which one it was.

#include "pair/link.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "pair/endings.hpp"

namespace halfopen::pair {

using std::chrono::milliseconds;

link::link(const std::string& target, const call_options& options)
    : options_(options), target_(target), name_(target), talk_(options) {}

// --- connecting

void link::open(clock::time_point now) {
  const auto where = parse_endpoint(target_);
  if (!where) return fail(std::nullopt, phase::connecting, where.error(), retry::safe);
  name_ = where->text();
  auto found = resolve(*where, false);
  if (!found) return fail(std::nullopt, phase::connecting, "resolve: " + found.error(), retry::safe);
  addresses_ = std::move(*found);
  next_address_ = addresses_.get();
  if (options_.connect_timeout.count() > 0) open_by_ = now + options_.connect_timeout;
  try_next_address(now);
}

// The last address's failure is the one that is reported.
void link::try_next_address(clock::time_point now) {
  fd_.reset();
  while (next_address_) {
    const addrinfo& address = *next_address_;
    int left = 0;
    for (const addrinfo* a = next_address_; a; a = a->ai_next) ++left;
    connect_by_ = open_by_ == clock::time_point::max() ? open_by_ : now + (open_by_ - now) / left;
    next_address_ = address.ai_next;
    if (try_address(address)) return;
  }
  fail_errno("connect", connect_error_, phase::connecting);
}

// Whether it is under way; connected_ is set when poll says that the socket is writable.
bool link::try_address(const addrinfo& address) {
  fd_.reset(
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
  if (fd_ && (::connect(fd_.get(), address.ai_addr, address.ai_addrlen) == 0 || errno == EINPROGRESS))
    return true;
  connect_error_ = errno;
  fd_.reset();
  return false;
}

void link::on_connected(clock::time_point now) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  // An RST in answer to the SYN gives ECONNREFUSED; one after the handshake gives these.
  const bool opened = error == 0 || error == ECONNRESET || error == EPIPE;
  if (!opened) {
    connect_error_ = error;
    return try_next_address(now);
  }
  connected_ = true;
  addresses_.reset();
  next_address_ = nullptr;
  if (error != 0) return fail_errno("connect", error, phase::idle);
  // Not before: TCP_USER_TIMEOUT would cut short the SYN's retransmission as well.
  set_liveness(fd_.get(), options_.notice_within);
}

// --- talking

bool link::has_room() const noexcept {
  return connected_ && waiting_.size() < static_cast<std::size_t>(options_.pipeline);
}

void link::send(std::string_view request, std::string_view line, clock::time_point now) {
  const std::uint64_t begin = handed_ + out_.size();
  const auto deadline = options_.timeout.count() > 0 ? now + options_.timeout : clock::time_point::max();
  waiting_.push_back({std::string{line}, begin, begin + request.size(), deadline});
  out_.append(request);
  while (!out_.empty() && send_some()) {
  }
}

// Whether more may be sent.
bool link::send_some() {
  const ssize_t size = ::send(fd_.get(), out_.view().data(), out_.size(), MSG_NOSIGNAL);
  if (size >= 0) {
    handed_ += static_cast<std::uint64_t>(size);
    out_.consume(static_cast<std::size_t>(size));
    return true;
  }
  const int error = errno;
  if (error == EAGAIN || error == EINTR) return false;
  std::array<char, 65536> bytes;
  for (ssize_t got; (got = ::recv(fd_.get(), bytes.data(), bytes.size(), 0)) > 0 && !failed_;) {
    talk_.feed({bytes.data(), static_cast<std::size_t>(got)});
    take_replies();
  }
  if (!failed_) fail_errno("write", error, phase::sending);
  return false;
}

pollfd link::watch() const noexcept {
  if (failed_) return {-1, 0, 0};
  if (!connected_) return {fd_.get(), POLLOUT, 0};
  return {fd_.get(), static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
}

void link::on_ready(int revents, clock::time_point now) {
  if (failed_) return;  // by a write in this round
  if (!connected_) return on_connected(now);
  if ((revents & POLLOUT) != 0)
    while (!out_.empty() && send_some()) {
    }
  if (!failed_ && (revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive();
}

// One read a round: the end of the input may make the end of the connection harmless.
void link::receive() {
  std::array<char, 65536> bytes;
  const ssize_t size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (size > 0) {
    talk_.feed({bytes.data(), static_cast<std::size_t>(size)});
    take_replies();
  } else if (size == 0) {
    fail(ending::peer_closed, where(), "read: end-of-file", again());
  } else if (errno != EAGAIN && errno != EINTR) {
    fail_errno("read", errno, where());
  }
}

void link::take_replies() {
  while (!waiting_.empty()) {
    const auto reply = talk_.next(waiting_.front().line);
    if (!reply)
      return fail(ending::malformed, phase::receiving_reply, "decode: " + reply.error(), retry::pointless);
    if (!*reply) return;
    fmt::print("{}\n", **reply);
    waiting_.pop_front();
    answered_ = true;
  }
  if (talk_.mid_reply())
    fail(ending::malformed, phase::idle, "decode: bytes that nobody asked for", retry::pointless);
}

// --- ending

clock::time_point link::deadline() const noexcept {
  if (failed_) return clock::time_point::max();
  if (!connected_) return connect_by_;
  return waiting_.empty() ? clock::time_point::max() : waiting_.front().deadline;
}

void link::on_time(clock::time_point now) {
  if (now < deadline()) return;
  if (connected_)
    return fail(ending::deadline_passed, where(),
                fmt::format("timer: no whole reply within {} ms", options_.timeout.count()), again());
  if (next_address_) return try_next_address(now);
  fail(ending::deadline_passed, phase::connecting,
       fmt::format("timer: no connection within {} ms", options_.connect_timeout.count()), retry::safe);
}

phase link::where() const noexcept {
  if (!connected_) return phase::connecting;
  if (waiting_.empty()) return phase::idle;
  if (talk_.mid_reply()) return phase::receiving_reply;
  return handed_ < waiting_.front().end ? phase::sending : phase::awaiting_reply;
}

// Of the requests that wait for their replies; if none does, of the last one.
retry link::again() const noexcept {
  if (waiting_.empty()) return answered_ ? retry::pointless : retry::safe;
  return handed_ <= waiting_.front().begin ? retry::safe : retry::unknown;
}

void link::fail_errno(std::string_view operation, int error, phase p) {
  fail(ending_of(error), p, fmt::format("{}: {}", operation, errno_text(error)), again());
}

void link::fail(std::optional<ending> e, phase p, std::string_view why, retry r) {
  std::fflush(stdout);  // the replies before it, where both go to one terminal
  fmt::print(stderr, "call: {}: {} while {}: {}; retry: {}\n", name_, word(e), to_string(p), why,
             to_string(r));
  fd_.reset();
  failed_ = true;
}

}  // namespace halfopen::pair
