#ifndef HALFOPEN_SRC_AUDIT_METRICS_HPP
#define HALFOPEN_SRC_AUDIT_METRICS_HPP

#include <map>
#include <span>
#include <string>
#include <utility>

#include "audit/ledger.hpp"
#include "halfopen/audit.hpp"

namespace halfopen::audit {

/// What `watch --metrics` counts from its start on.
struct totals {
  std::map<std::pair<std::string, std::string>, std::uint64_t> ended;  ///< by ending ("unknown") and by whom
  std::uint64_t opened = 0;
  std::uint64_t lost_notices = 0;
  /// By the tracepoints; without them there is nothing of these.
  bool traced = false;
  std::map<std::string, std::uint64_t> between_looks;  ///< ended, and no look has shown them; by process
  std::map<std::string, std::uint64_t> resets_sent;    ///< by the kernel's reason, "" where it gives none
  std::uint64_t segments_repeated = 0;                 ///< of the machine
  void take(const event& e);
};

/// Prometheus' text format 0.0.4: connections by process and risk (against that limit), what is wrong, ends.
[[nodiscard]] std::string metrics_text(const snapshot& s, std::span<const group> all, const totals& t,
                                       milliseconds limit);

}  // namespace halfopen::audit

#endif
