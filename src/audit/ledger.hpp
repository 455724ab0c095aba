#ifndef HALFOPEN_SRC_AUDIT_LEDGER_HPP
#define HALFOPEN_SRC_AUDIT_LEDGER_HPP

/// \file
/// What changes between looks: connections that came, that ended and why, and what became wrong. Pure: it is
/// given what was read, and reads nothing itself. Not thread-safe.

#include <chrono>
#include <functional>
#include <string>
#include <unordered_map>

#include "audit/ending.hpp"
#include "halfopen/audit.hpp"

namespace halfopen::audit {

struct event {
  enum class kind : std::uint8_t { opened, ended, wrong, recovered };
  kind what{};
  std::chrono::system_clock::time_point when;
  tcp_socket socket;    ///< `process` is no index here
  pid_t pid = 0;        ///< 0: not known
  std::string name;     ///< of the process
  std::string network;  ///< of a named one
  risk at_risk;
  death ended;                 ///< of `ended`
  fault found;                 ///< of `wrong` and `recovered`
  bool between_looks = false;  ///< of `ended`: no look has shown it
};
[[nodiscard]] std::string_view to_string(event::kind k) noexcept;

class ledger {
 public:
  using clock = std::chrono::system_clock;
  using take_event = std::function<void(event&&)>;

  explicit ledger(const patience& p) : patience_{p} {}

  /// A look: what it shows and the one before did not. The first one tells of what is wrong only.
  void take(const snapshot& s, clock::time_point now, const take_event& tell);

  /// The kernel has destroyed a socket. Of one that no look has shown the tracepoints alone know whose it
  /// was, if they told of it.
  void take_end(const tcp_socket& last, const std::string& network, clock::time_point now,
                const take_event& tell, const traced* told = nullptr);

  /// What the tracepoints told of a connection whose socket may live on.
  void take_end(const traced& told, const std::string& network, clock::time_point now,
                const take_event& tell);

  [[nodiscard]] std::size_t size() const noexcept { return known_.size(); }

 private:
  struct entry {
    tcp_socket socket;
    pid_t pid = 0;
    std::string name, network;
    risk at_risk;
    std::uint32_t faults = 0;  ///< bits
    std::uint64_t look = 0;    ///< the last one that showed it
    bool is_to_tell = false;   ///< that it was opened

    void see(const tcp_socket& now, const risk& would);
  };
  event about(const entry& e, event::kind what, clock::time_point now) const;
  void compare(entry& e, const std::vector<fault>& faults, clock::time_point now,
               const take_event& tell) const;

  patience patience_;
  std::unordered_map<std::uint64_t, entry> known_;  ///< by the kernel's cookie
  std::uint64_t looks_ = 0;
};

}  // namespace halfopen::audit

#endif
