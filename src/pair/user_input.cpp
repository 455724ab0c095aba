// Standard input on an event loop, without making it nonblocking: O_NONBLOCK belongs to the
// open file, which other processes may share (open(2)), the shell that started us among
// them. So asio::posix::stream_descriptor, which sets it, is not for this; a channel
// watches a descriptor as it is. A read that poll(2) has announced does not block for a
// pipe or a terminal.

#include "pair/user_input.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace halfopen::pair {

user_input::user_input(const asio::any_io_executor& executor, int fd, std::size_t most)
    : fd_(fd), lines_(most) {
  try {
    watched_ = std::make_unique<net::channel>(executor, unique_fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)));
  } catch (const std::system_error&) {
    // epoll_ctl(2): EPERM for a file or a folder, which never blocks.
  }
}

bool user_input::is_readable() const noexcept {
  pollfd p{fd_, POLLIN, 0};
  return ::poll(&p, 1, 0) > 0;
}

void user_input::read_some() {
  std::array<char, 65536> bytes;
  const ssize_t size = ::read(fd_, bytes.data(), bytes.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size > 0)
    lines_.feed({bytes.data(), static_cast<std::size_t>(size)});
  else
    closed_ = true;
}

std::optional<std::string> user_input::take_line() {
  while (!ended_) {
    const auto line = lines_.next();
    if (!line) {
      wrong_ = line.error();
      ended_ = true;
    } else if (*line) {
      return std::string(**line);
    } else if (closed_) {
      ended_ = true;
      if (lines_.mid_message()) return std::string(lines_.rest());  // a last line without its LF
    } else if (is_readable()) {
      read_some();
    } else {
      break;
    }
  }
  return std::nullopt;
}

asio::awaitable<void> user_input::wait() {
  if (!watched_ || watched_->take_ready(net::direction::reading) || is_readable()) co_return;
  co_await watched_->wait(net::direction::reading, deadline::never());
}

}  // namespace halfopen::pair
