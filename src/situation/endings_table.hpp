#ifndef HALFOPEN_SRC_SITUATION_ENDINGS_TABLE_HPP
#define HALFOPEN_SRC_SITUATION_ENDINGS_TABLE_HPP

#include <span>
#include <string>

#include "report/table.hpp"
#include "report/terminal.hpp"
#include "situation/result.hpp"
#include "situation/tally.hpp"

namespace halfopen::situation {

/// The three views of how each connection of the robust pair ended, a row a variant; below it
/// the reasons where the words differ and yet agree. In a narrow window only these: the rest is in the
/// summary's rows. Empty if the robust pair did not play.
[[nodiscard]] std::string endings_table(std::span<const result> results, const report::canvas& where);

/// "29 of 29 agree"; empty if the robust pair did not play.
[[nodiscard]] std::string agreements_in_words(std::span<const result> results);

/// The three views in one cell: "yes: done peer_reset, the packets tell peer_reset, ...".
[[nodiscard]] report::cell views_cell(const rounds& played);

}  // namespace halfopen::situation

#endif
