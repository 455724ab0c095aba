#ifndef HALFOPEN_SRC_AUDIT_DIAG_HPP
#define HALFOPEN_SRC_AUDIT_DIAG_HPP

#include <linux/inet_diag.h>

#include <functional>
#include <optional>

#include "halfopen/audit.hpp"

struct nlmsghdr;

namespace halfopen::audit {

/// Every TCP socket of the calling thread's network namespace but those in TIME_WAIT, both IP versions, with
/// its TCP_INFO. `network` and `process` are the caller's to fill in. False if the kernel does not answer.
[[nodiscard]] bool each_socket(const std::function<void(const tcp_socket&)>& take);

/// A whole message begins there. mnl_nlmsg_ok() takes a length above INT_MAX for a negative one, which is no
/// longer than what is left.
[[nodiscard]] bool is_whole(const nlmsghdr* message, int left);

/// What one message of sock_diag(7) says; nothing if it is too short.
[[nodiscard]] std::optional<tcp_socket> socket_of(const nlmsghdr* message);

/// What TCP_INFO says, of any kernel: `size` bytes of struct tcp_info, which older ones end earlier.
[[nodiscard]] std::optional<tcp_figures> figures_of(const void* info, std::size_t size);

}  // namespace halfopen::audit

#endif
