#ifndef HALFOPEN_LAB_ACCEPT_HPP
#define HALFOPEN_LAB_ACCEPT_HPP

/// \file
/// What accept(2) returns for a connection that is already dead is the kernel's
/// choice. These are the four that exist (Stevens, UNIX Network Programming,
/// volume 1, section 5.11, and linux from the kernel's own source).

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "halfopen/trace/packet.hpp"

namespace halfopen::lab {

enum class accept_flavour : std::uint8_t {
  linux_kernel,  ///< accept succeeds; reading gives what came before the RST, then ECONNRESET
  posix,         ///< accept fails with ECONNABORTED (POSIX.1-2017, accept())
  svr4,          ///< accept fails with EPROTO
  berkeley,      ///< the kernel drops the connection: accept blocks, or gives EAGAIN
};

[[nodiscard]] std::string_view to_string(accept_flavour f) noexcept;
[[nodiscard]] std::optional<accept_flavour> parse_accept_flavour(std::string_view name) noexcept;

/// One thing that a program's accept call met, in the order in which they happened.
struct accept_event {
  enum class kind : std::uint8_t {
    called,       ///< the program called accept
    handed_over,  ///< it got a descriptor; `dead` if that connection was already reset
    discarded,    ///< the lab threw a dead connection away, as this flavour's kernel would
    failed,       ///< the call returned `errno_value`
    unseen,       ///< it can accept where the lab does not see it: it set up an io_uring
                  ///< (seccomp(2) does not see what a ring does), or its listener could not be copied
  };
  kind what{};
  trace::time_point when{};
  std::uint64_t packets = 0;  ///< packets that had crossed the cable by then
  int errno_value = 0;
  bool dead = false;
};

}  // namespace halfopen::lab

#endif
