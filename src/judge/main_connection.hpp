#ifndef HALFOPEN_SRC_JUDGE_MAIN_CONNECTION_HPP
#define HALFOPEN_SRC_JUDGE_MAIN_CONNECTION_HPP

#include <string>
#include <vector>

#include "halfopen/lab/match.hpp"
#include "judge/pair.hpp"

namespace halfopen::judge {

/// Which live connection plays the part of the baseline's main one. Not thread-safe.
class parts_of_connections {
 public:
  explicit parts_of_connections(const baseline& base);

  /// Of these, in the order in which they were opened; null if there is none yet. `heard`: what has crossed
  /// the cable. `now`: the packet at the cable, which is not among that yet.
  [[nodiscard]] const trace::connection* main_of(std::vector<const trace::connection*> opened,
                                                 const recorder& heard,
                                                 const lab::arrival* now = nullptr) const;

 private:
  std::vector<std::string> recorded_;
  std::size_t main_;
  bool by_chance_;
};

}  // namespace halfopen::judge

#endif
