#ifndef HALFOPEN_SRC_SITUATION_AGREEMENT_HPP
#define HALFOPEN_SRC_SITUATION_AGREEMENT_HPP

/// Three views of how a connection ended (what was done, what the packets tell, what the
/// programs report) and whether all of them can be true.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/fate.hpp"
#include "halfopen/trace/story.hpp"
#include "situation/reported.hpp"
#include "situation/result.hpp"

namespace halfopen::situation {

/// Whether a view allows what was done, and why although the words differ.
struct opinion {
  bool agrees = false;
  std::string_view because{};  ///< a sentence that lives for ever; empty if the words are the same
};

[[nodiscard]] opinion packets_allow(ending done, const trace::story& told);
[[nodiscard]] opinion report_allows(ending done, const report_line& said);

/// What one program said of the connection.
struct testimony {
  std::string who;                 ///< "client"
  std::vector<report_line> lines;  ///< usually one
  /// Why the program cannot have seen the connection; empty if it can. Then it must
  /// say nothing of it.
  std::string_view never_shown{};
};

/// The views of one connection.
struct connection_views {
  ending done{};
  trace::story packets;
  std::vector<testimony> programs;
};

/// Of all connections that a run judges, usually one. They agree if each view of each
/// connection allows what was done to it, and some program was asked.
[[nodiscard]] three_views compare(std::span<const connection_views> connections);

/// "done peer_reset, the packets tell peer_reset, the client reported peer_vanished"
[[nodiscard]] std::string in_words(const three_views& v);

}  // namespace halfopen::situation

#endif
