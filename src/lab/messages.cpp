#include "lab/messages.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace halfopen::lab {

bool send_message(int line, const void* data, std::size_t size, int descriptor) noexcept {
  iovec bytes{const_cast<void*>(data), size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  if (descriptor >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(line, &header, MSG_NOSIGNAL) >= 0;
}

bool receive_message(int line, void* into, std::size_t size, unique_fd& descriptor) noexcept {
  iovec bytes{into, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t taken = 0;
  while ((taken = ::recvmsg(line, &header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (taken != static_cast<ssize_t>(size)) return false;
  if (const cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr && c->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
    descriptor.reset(fd);
  }
  return true;
}

}  // namespace halfopen::lab
