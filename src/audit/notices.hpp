#ifndef HALFOPEN_SRC_AUDIT_NOTICES_HPP
#define HALFOPEN_SRC_AUDIT_NOTICES_HPP

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "halfopen/audit.hpp"
#include "halfopen/unique_fd.hpp"

namespace halfopen::audit {

/// What the kernel says when it destroys a TCP socket (SKNLGRP_INET_TCP_DESTROY, sock_diag(7)), of each
/// network namespace that can be entered. No privilege is needed for the caller's own. Not thread-safe.
class destroy_notices {
 public:
  /// Namespaces that are new are listened to from now on, those that are gone no longer.
  void follow(const snapshot& s);

  /// Waits at most so long for one of them or for one of `others` to be readable.
  void wait(milliseconds most, const std::vector<int>& others = {}) const;

  /// All that have come; with the namespace's name.
  void drain(const std::function<void(const tcp_socket&, const std::string& network)>& take);

  /// How often the kernel had to drop some, since they were not read fast enough.
  [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }

  /// One namespace at least is listened to.
  [[nodiscard]] bool any() const noexcept { return !all_.empty(); }

 private:
  struct one {
    std::uint64_t network = 0;
    std::string name;
    unique_fd socket;
  };
  std::vector<one> all_;
  std::vector<char> buffers_;
  std::uint64_t losses_ = 0;
};

}  // namespace halfopen::audit

#endif
