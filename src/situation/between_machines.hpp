#ifndef HALFOPEN_SRC_SITUATION_BETWEEN_MACHINES_HPP
#define HALFOPEN_SRC_SITUATION_BETWEEN_MACHINES_HPP

/// The format of the data between machines that are in fact unlike: the pair, compiled for each.

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "report/table.hpp"
#include "situation/catalogue.hpp"
#include "situation/machine.hpp"
#include "situation/result.hpp"

namespace halfopen::situation {

/// Every machine's client with every machine's server, in every format. Owns what its choices refer to.
class machine_matrix {
 public:
  explicit machine_matrix(std::vector<machine> machines);

  [[nodiscard]] std::span<const machine> machines() const noexcept { return machines_; }

  /// The cells that can be played.
  [[nodiscard]] std::vector<choice> choices();

  /// The others that these pairs would have played: not applicable, and why.
  [[nodiscard]] std::vector<result> not_applicable(std::span<const pair_kind> pairs) const;

  /// A row a client's machine, a column a server's, a line a format; then, line by line, what was
  /// on the wire for each wrong sum.
  [[nodiscard]] std::string table(std::span<const result> results, const report::canvas& where) const;

 private:
  std::vector<machine> machines_;
  std::deque<std::string> texts_;
  std::deque<variant> variants_;
};

/// The machines that cannot play, a line each with what to install; empty if all can.
[[nodiscard]] std::string machines_missing(std::span<const machine> machines);

/// The bytes of a request on each machine that can play, side by side, asked of its own program.
/// An error, if one does not say.
[[nodiscard]] std::expected<std::string, std::string> explain_bytes(std::span<const machine> machines,
                                                                    const report::canvas& where);

}  // namespace halfopen::situation

#endif
