#ifndef HALFOPEN_SRC_SITUATION_ENDINGS_TABLE_HPP
#define HALFOPEN_SRC_SITUATION_ENDINGS_TABLE_HPP

#include <span>
#include <string>

#include "report/table.hpp"
#include "report/terminal.hpp"
#include "situation/result.hpp"

namespace halfopen::situation {

/// The three views of how each connection of the robust pair ended, a row a variant; below it
/// the reasons where the words differ and yet agree, and "29 of 29 agree". Empty if the robust
/// pair did not play.
[[nodiscard]] std::string endings_table(std::span<const result> results, const report::canvas& where);

}  // namespace halfopen::situation

#endif
