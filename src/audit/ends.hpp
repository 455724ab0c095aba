#ifndef HALFOPEN_SRC_AUDIT_ENDS_HPP
#define HALFOPEN_SRC_AUDIT_ENDS_HPP

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "audit/notices.hpp"
#include "audit/tracepoints.hpp"

namespace halfopen::audit {

/// Every end of a connection, once: by sock_diag's destroy notifications, and by the tracepoints where there
/// are some. Not thread-safe.
class ends {
 public:
  explicit ends(std::optional<tracepoints> of_kernel) : kernel_{std::move(of_kernel)} {}

  struct one {
    const tcp_socket* last = nullptr;      ///< the kernel's last words; nothing: the socket is still there
    const traced* told = nullptr;          ///< nothing: the tracepoints did not tell of it
    const std::string* network = nullptr;  ///< its name, if it has one
  };
  using take_end = std::function<void(const one&)>;

  /// The network namespaces whose connections are meant, from now on.
  void follow(const snapshot& s);

  /// Waits at most so long for news, or for one of `others` to be readable.
  void wait(milliseconds most, std::vector<int> others) const;

  void drain(const take_end& take);

  /// How often the kernel had to drop some.
  [[nodiscard]] std::uint64_t losses() const;

  [[nodiscard]] const std::optional<tracepoints>& kernel() const noexcept { return kernel_; }

 private:
  struct known {
    traced what;
    bool was_told = false;
  };
  void take_traced(traced&& t, const take_end& take);
  void take_notice(const tcp_socket& last, const std::string& network, const take_end& take);

  std::optional<tracepoints> kernel_;
  destroy_notices notices_;
  std::unordered_map<std::uint64_t, std::string> networks_;    ///< names, by inode
  std::unordered_map<std::uint64_t, known> known_;             ///< by cookie, until it is destroyed
  std::vector<std::pair<tcp_socket, std::string>> destroyed_;  ///< kept for its memory
};

}  // namespace halfopen::audit

#endif
