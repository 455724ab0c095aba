#ifndef HALFOPEN_SRC_AUTOPSY_REPORT_HPP
#define HALFOPEN_SRC_AUTOPSY_REPORT_HPP

/// What was found, for a terminal, for programs and for a browser.

#include <span>
#include <string>

#include "autopsy/examine.hpp"
#include "autopsy/summary.hpp"
#include "report/ladder.hpp"
#include "report/table.hpp"

namespace halfopen::autopsy {

/// "2024-05-01T12:00:00.123456789Z"
[[nodiscard]] std::string utc(trace::time_point t);

/// " by opener", ", probably by opener", or that nobody knows.
[[nodiscard]] std::string by_whom(const trace::story& s);

/// "195 (IEEE 802.15.4)"
[[nodiscard]] std::string link_name(std::uint16_t type);

/// What is to be said of the capture before its connections: from when to when, how much
/// was read, and what was not; a line each.
[[nodiscard]] std::vector<std::string> remarks_on(const reading& r);

/// What whoever is called at night wants first, in one window: how many connections, how they ended,
/// on which hosts, and the worst groups of stories, each in two lines with an example.
[[nodiscard]] std::string first_screen(const summary& all, const reading& r, const report::canvas& where);

/// The rows are worst first.
[[nodiscard]] std::string story_table(std::span<const trace::file_entry> worst, const reading& r,
                                      const report::canvas& where);

/// Counts by ending and by host; `hosts` of them at most, the most unhappy first.
[[nodiscard]] std::string summary_tables(const summary& all, const reading& r, std::size_t hosts,
                                         const report::canvas& where);

/// One connection in one line, as --follow prints it.
[[nodiscard]] std::string one_line(const trace::file_entry& c);

/// The story in plain lines, and its ladder.
[[nodiscard]] std::string portrait(const trace::file_entry& c, const reading& r, const report::canvas& where);

/// The ladder, with the capture's comments as marks.
[[nodiscard]] report::ladder ladder_of(const trace::file_entry& c, const reading& r);

/// One connection as a line of JSON; its fields are described in docs/autopsy.md.
[[nodiscard]] std::string json_line(const trace::file_entry& c);

/// A page that needs nothing but itself: summary, table, and a ladder for each connection
/// that has steps.
[[nodiscard]] std::string html_page(const std::string& title, const summary& all,
                                    std::span<const trace::file_entry> worst, const reading& r);

}  // namespace halfopen::autopsy

#endif
