#ifndef HALFOPEN_SRC_AUDIT_REPORT_HPP
#define HALFOPEN_SRC_AUDIT_REPORT_HPP

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "audit/ledger.hpp"
#include "halfopen/audit.hpp"
#include "report/table.hpp"

namespace halfopen::audit {

struct report_options {
  std::size_t top = 20;         ///< groups shown; 0: all
  milliseconds within{30'000};  ///< for the cures
  bool cures = true;
};

/// The table, what to change, and what was not seen.
[[nodiscard]] std::string table_of(const snapshot& s, std::span<const group> all, const report_options& how,
                                   const report::canvas& where);

/// Its columns and rows alone.
[[nodiscard]] report::text_table rows_of(const snapshot& s, std::span<const group> all);

/// Who was not looked at, in lines of whole sentences.
[[nodiscard]] std::string not_seen(const snapshot& s);

/// "120 connections of 14 processes; 40 would never notice while idle ...".
[[nodiscard]] std::string sum_of(std::span<const group> all);

/// A line of JSON a connection, one a listener with faults, one a process that was not seen, and one for all;
/// docs/audit.md has the fields.
void each_json_line(const snapshot& s, std::span<const group> all, std::optional<milliseconds> limit,
                    const std::function<void(const std::string&)>& take);

/// One event in one line, as `watch` prints it; and as JSON, whose fields docs/audit.md has.
[[nodiscard]] std::string line_of(const event& e);
[[nodiscard]] std::string json_line(const event& e);

/// Connections that came and went between two looks, and ended in order: how many, by process ("": not
/// known).
using passed = std::map<std::string, std::uint64_t>;
[[nodiscard]] std::string line_of(const passed& p);
[[nodiscard]] std::string json_line(const passed& p);

[[nodiscard]] nlohmann::json json_of(const notice& n);
[[nodiscard]] nlohmann::json json_of(const tcp_socket& s, const snapshot& in);

}  // namespace halfopen::audit

#endif
