#ifndef HALFOPEN_SRC_LAB_NETLINK_REQUEST_HPP
#define HALFOPEN_SRC_LAB_NETLINK_REQUEST_HPP

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "halfopen/lab/error.hpp"

namespace halfopen::lab {

/// A netlink socket in the current namespace and one request after the other.
class netlink {
 public:
  explicit netlink(int family) : socket_(mnl_socket_open2(family, SOCK_CLOEXEC)), buffer_(8192) {
    if (!socket_ || mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0)
      throw error("netlink socket", errno);
  }

  nlmsghdr* request(int type, int flags) {
    nlmsghdr* header = mnl_nlmsg_put_header(buffer_.data());
    header->nlmsg_type = static_cast<std::uint16_t>(type);
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header->nlmsg_seq = ++sequence_;
    return header;
  }

  /// Sends the request and takes every answer until the last one.
  void run(const nlmsghdr* header, const char* what, const std::function<void(const nlmsghdr*)>& each = {}) {
    if (mnl_socket_sendto(socket_.get(), header, header->nlmsg_len) < 0) throw error(what, errno);
    std::vector<char> answer(32768);
    for (;;) {
      const auto n = mnl_socket_recvfrom(socket_.get(), answer.data(), answer.size());
      if (n < 0) throw error(what, errno);
      auto call = [](const nlmsghdr* h, void* data) {
        const auto* f = static_cast<const std::function<void(const nlmsghdr*)>*>(data);
        if (*f) (*f)(h);
        return MNL_CB_OK;
      };
      const int verdict = mnl_cb_run(answer.data(), static_cast<std::size_t>(n), sequence_,
                                     mnl_socket_get_portid(socket_.get()), call,
                                     const_cast<std::function<void(const nlmsghdr*)>*>(&each));
      if (verdict < 0) throw error(what, errno);
      if (verdict == MNL_CB_STOP) return;
    }
  }

 private:
  struct closer {
    void operator()(mnl_socket* s) const noexcept { mnl_socket_close(s); }
  };
  std::unique_ptr<mnl_socket, closer> socket_;
  std::vector<char> buffer_;
  unsigned sequence_ = 0;
};

template <class T>
T* put(nlmsghdr* header) {
  return static_cast<T*>(mnl_nlmsg_put_extra_header(header, sizeof(T)));
}

}  // namespace halfopen::lab

#endif
