#ifndef HALFOPEN_SRC_JUDGE_SENTENCES_HPP
#define HALFOPEN_SRC_JUDGE_SENTENCES_HPP

/// \file
/// Everything that is said of what a program did: made last, from what was seen and what was concluded of
/// it (judge/decide). Nothing is ever read back from these. Pure functions; thread-safe.

#include <string>
#include <string_view>

#include "judge/decide/client.hpp"
#include "judge/decide/server.hpp"
#include "judge/result.hpp"
#include "play/words.hpp"

namespace halfopen::judge {

using play::in_words;

/// What is said of one finding.
struct wording {
  std::string happened{};
  std::string cure{};    ///< empty for a pass
  std::string reason{};  ///< of an inconclusive one
  std::string length{};  ///< "ended after 15 min 24 s (measured)"; empty if there is none to tell
};

/// "FIN in packet 12 and 14 new connections since"; "nothing reached it".
[[nodiscard]] std::string in_words(const told_since& t);

/// How long a program that was left waiting was seen to wait: "still waiting after 20.0 s". Empty if it was
/// not, or if nobody wrote down when it was looked at.
[[nodiscard]] std::string still_in_words(const case_result& r);
/// How long it would have been, or was: "would wait 15 min 24 s (computed)"; empty if that is not known.
[[nodiscard]] std::string outlook_in_words(const case_result& r);

/// `cure_of_giving_up`: what to change if it must succeed.
[[nodiscard]] wording say(const client_seen& seen, const finding& f, const std::string& cure_of_giving_up);
/// `when`: "after the fault".
[[nodiscard]] wording say(const other_client& seen, const finding& f, std::string_view when);
[[nodiscard]] wording say_end(const lab::exit_status& end);
/// `limit`: within which the user wants a server to know.
[[nodiscard]] wording say(const held_sockets& seen, const finding& f, milliseconds limit);
/// `when`: "at its limit ", or nothing.
[[nodiscard]] wording say(const load_seen& seen, const finding& f, std::string_view when,
                          const std::string& cure);
/// `program`: the process's name.
[[nodiscard]] wording say(const death_seen& seen, const finding& f, const std::string& program);

[[nodiscard]] wording say(const request_at_stop& seen, const finding& f);

/// "with SO_KEEPALIVE, TCP_KEEPIDLE=... and TCP_USER_TIMEOUT=... it would have known after 20 s"
[[nodiscard]] std::string options_that_notice(milliseconds within);

/// Who played the peer to the byte at which the case falls; empty if nobody had to.
[[nodiscard]] std::string_view peer_in_words(const case_result& r) noexcept;

/// Why an accusation is taken back after a second playing, under the virtual clock or alone.
[[nodiscard]] std::string say_refuted(const case_result& first, const case_result& second,
                                      bool virtual_clock);
/// ... and without one; `why`: "it was not played again".
[[nodiscard]] std::string say_unconfirmed(const case_result& first, std::string_view why);

}  // namespace halfopen::judge

#endif
