// Writes of many pieces and of files.
//
// Pieces go with one sendmsg(2), so that a head and its body need neither a copy into one string nor two
// segments. Under TLS a record for each piece would cost its head and its tag, so small ones are copied
// into one.
//
// sendfile(2) has no MSG_NOSIGNAL: a connection that has ended raises SIGPIPE (sk_stream_error() in
// net/core/stream.c). It is sent to the thread, so it is blocked there for the call, and taken off the
// thread's list afterwards. A file that sendfile does not take (EINVAL: some of /proc) is read and sent.

#include "net/bulk.hpp"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "net/stream_state.hpp"

namespace halfopen::net {
namespace {

/// One record of TLS (RFC 8446 section 5.1).
constexpr std::size_t most_copied = 16384;
/// Pieces in one sendmsg(2), of which IOV_MAX, 1024, is the most (readv(2)).
constexpr std::size_t most_pieces = 64;
/// Of a file, before others get their turn.
constexpr std::uint64_t most_at_once = 16 << 20;

std::array<char, most_copied>& copy_buffer() noexcept {
  static thread_local std::array<char, most_copied> bytes;
  return bytes;
}

/// SIGPIPE of this thread waits as long as this lives, and goes if it was not there before.
class without_sigpipe {
 public:
  without_sigpipe() noexcept {
    sigset_t pending;
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~without_sigpipe() {
    const timespec at_once{};
    const int kept = errno;
    if (raised && !was_pending_) ::sigtimedwait(&pipe_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = kept;
  }
  without_sigpipe(const without_sigpipe&) = delete;
  without_sigpipe& operator=(const without_sigpipe&) = delete;

  bool raised = false;

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

/// An error of sendfile(2) that the connection cannot have.
bool is_of_the_file(int error) noexcept {
  switch (error) {
    case EBADF:
    case EFAULT:
    case EIO:
    case EISDIR:
    case EOVERFLOW:
    case ESPIPE:
    case ESTALE:
      return true;
    default:
      return false;
  }
}

ssize_t send_from(int to, const file_part& from) noexcept {
  without_sigpipe quiet;
  auto offset = static_cast<off64_t>(from.offset);
  const ssize_t sent =
      ::sendfile64(to, from.fd, &offset, static_cast<std::size_t>(std::min(from.left, most_at_once)));
  quiet.raised = sent < 0 && errno == EPIPE;
  return sent;
}

void fail(file_part& f, std::string_view in, int error) noexcept {
  f.failed_in = in;
  f.error = error;
}

void advance(file_part& f, std::size_t bytes) noexcept {
  f.offset += bytes;
  f.left -= std::min<std::uint64_t>(f.left, bytes);
}

constexpr std::string_view too_short = "the file ended before as many bytes as were to be sent";

}  // namespace

void pieces::skip_empty() noexcept {
  while (!left_.empty() && left_.front().size() == done_) {
    left_ = left_.subspan(1);
    done_ = 0;
  }
}

std::size_t pieces::list(std::span<iovec> places) const noexcept {
  const std::size_t n = std::min(places.size(), left_.size());
  for (std::size_t i = 0; i < n; ++i) {
    const std::string_view piece = i == 0 ? first() : left_[i];
    places[i] = {const_cast<char*>(piece.data()), piece.size()};
  }
  return n;
}

std::string_view pieces::join(std::span<char> into) const noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < left_.size() && size < into.size(); ++i) {
    const std::string_view piece = i == 0 ? first() : left_[i];
    size += piece.copy(into.data() + size, into.size() - size);
  }
  return {into.data(), size};
}

void pieces::consume(std::size_t bytes) noexcept {
  while (bytes > 0 && !left_.empty()) {
    const std::size_t here = std::min(bytes, first().size());
    done_ += here;
    bytes -= here;
    skip_empty();
  }
}

bool stream_state::try_write(pieces& rest) noexcept {
  if (layer_) return try_write_joined(rest);
  if (write_failed) return false;
  while (!rest.empty()) {
    std::array<iovec, most_pieces> places;
    msghdr message{};
    message.msg_iov = places.data();
    message.msg_iovlen = rest.list(places);
    const std::size_t sent = sent_by([&] { return ::sendmsg(fd(), &message, MSG_NOSIGNAL); });
    if (sent == 0) break;
    count(sent);
    rest.consume(sent);
  }
  return !write_failed;
}

bool stream_state::try_write_joined(pieces& rest) noexcept {
  std::string_view left;
  do {
    const bool large = !rest.empty() && rest.first().size() >= most_copied;
    const std::string_view next = large ? rest.first() : rest.join(copy_buffer());
    left = next;
    if (!try_write(left)) return false;
    rest.consume(next.size() - left.size());
  } while (left.empty() && !rest.empty());
  return true;
}

bool stream_state::try_send_file(file_part& rest) noexcept {
  if (layer_ || rest.copied) return try_send_copied(rest);
  if (write_failed) return false;
  std::uint64_t sent_now = 0;
  rest.others_turn = false;
  while (rest.left > 0 && rest.failed_in.empty()) {
    if (sent_now >= most_at_once) {
      rest.others_turn = true;
      break;
    }
    const ssize_t sent = send_from(fd(), rest);
    const int error = sent < 0 ? errno : 0;
    if (error == EINTR) continue;
    if (error == EAGAIN) break;
    if (error == EINVAL || error == ENOSYS) {
      rest.copied = true;
      return try_send_copied(rest);
    }
    if (sent == 0)
      fail(rest, too_short, 0);
    else if (is_of_the_file(error))
      fail(rest, "sendfile", error);
    else if (error != 0)
      fail_to_write(error);
    if (sent <= 0) return false;
    count(static_cast<std::size_t>(sent));
    advance(rest, static_cast<std::size_t>(sent));
    sent_now += static_cast<std::uint64_t>(sent);
  }
  return true;
}

bool stream_state::try_send_copied(file_part& rest) noexcept {
  std::uint64_t sent_now = 0;
  rest.others_turn = false;
  for (;;) {
    std::string_view nothing;
    if (!try_write(nothing)) return false;  // what the layer has still
    if (rest.left == 0 || !is_sent({})) return true;
    if (sent_now >= most_at_once) {
      rest.others_turn = true;
      return true;
    }
    auto& into = copy_buffer();
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(rest.left, into.size()));
    const ssize_t got = ::pread64(rest.fd, into.data(), wanted, static_cast<off64_t>(rest.offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      fail(rest, got == 0 ? too_short : "pread", got == 0 ? 0 : errno);
      return false;
    }
    const std::string_view next(into.data(), static_cast<std::size_t>(got));
    std::string_view left = next;
    if (!try_write(left)) return false;
    const std::size_t taken = next.size() - left.size();
    advance(rest, taken);
    sent_now += taken;
    if (!left.empty()) return true;
  }
}

stream::result<void> stream_state::sent_file(const file_part& rest, wake last) {
  if (!write_failed && !rest.failed_in.empty())
    return std::unexpected(of_local_failure(at(operation::write), rest.failed_in, rest.error));
  return written(rest.left == 0 && is_sent({}), last);
}

}  // namespace halfopen::net
