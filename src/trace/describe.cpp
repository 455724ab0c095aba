// A story in plain lines, for a terminal and for a test's message.
//
// Whoever wants the facts in a form for programs takes them from the story
// itself; these lines are for people, and their wording may change.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/trace/story.hpp"

namespace halfopen::trace {
namespace {

std::string readable(std::chrono::nanoseconds d) {
  const double seconds = std::chrono::duration<double>(d).count();
  if (std::abs(seconds) < 1e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (std::abs(seconds) < 1) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (std::abs(seconds) < 120) return fmt::format("{:.2f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

std::string counted(std::uint64_t n, std::string_view thing) {
  return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s");
}

class describer {
 public:
  explicit describer(const story& s) : s_{s}, c_{s.what} {}

  std::vector<std::string> lines() {
    opening();
    said(side::opener);
    said(side::responder);
    slowness();
    notices();
    ending_line();
    lines_.push_back("  why: " + s_.why);
    for (const auto& m : s_.manners)
      if (m.why != s_.why) lines_.push_back(fmt::format("  {}: {}", to_string(m.what), m.why));
    for (const auto& d : s_.doubts)
      if (d.what != doubt::still_open) lines_.push_back("  uncertain: " + d.why);
    knowledge();
    proof();
    return std::move(lines_);
  }

 private:
  [[nodiscard]] std::string_view name(side s) const { return s_.names.of(s); }

  void opening() {
    const std::string who = fmt::format("{} ({}) -> {} ({})", name(side::opener), c_.opener.to_string(),
                                        name(side::responder), c_.responder.to_string());
    const auto& syn = c_.of(side::opener).syn;
    if (!syn) {
      lines_.push_back(who + ": the capture begins after the SYN");
    } else if (!c_.handshake_done) {
      lines_.push_back(fmt::format("{}: SYN in packet {}, no complete handshake", who, syn->number));
    } else {
      lines_.push_back(fmt::format("{}: SYN in packet {}, handshake done in packet {}, after {}", who,
                                   syn->number, c_.handshake_done->number,
                                   readable(c_.handshake_done->when - syn->when)));
    }
  }

  /// Round trips on either side of the capture point, and who kept the other waiting.
  void slowness() {
    const flow &opener = c_.of(side::opener), &responder = c_.of(side::responder);
    std::string line;
    const auto add = [&](const std::string& part) { line += (line.empty() ? "  took " : ", ") + part; };
    if (opener.syn && responder.syn && responder.syn->when > opener.syn->when)
      add(fmt::format("{} from here to {} and back", readable(responder.syn->when - opener.syn->when),
                      name(side::responder)));
    if (responder.syn && c_.handshake_done)
      add(fmt::format("{} from here to {}", readable(c_.handshake_done->when - responder.syn->when),
                      name(side::opener)));
    if (opener.first_data && responder.first_data && responder.first_data->when > opener.first_data->when)
      add(readable(responder.first_data->when - opener.first_data->when) +
          " to the first byte of the answer");
    if (!line.empty()) lines_.push_back(std::move(line));
    for (const side s : {side::opener, side::responder}) pause_of(s);
  }

  void pause_of(side s) {
    const pause& p = c_.of(s).longest_pause;
    if (p.lasted < least_pause) return;
    const std::string why =
        p.waited_for == pause::reason::itself   ? "nobody held it up: all was acknowledged, the window open"
        : p.waited_for == pause::reason::window ? fmt::format("the window of {} was closed", name(other(s)))
                                                : "it waited for an acknowledgement";
    lines_.push_back(fmt::format("  {} paused in the middle for {} until packet {}: {}", name(s),
                                 readable(p.lasted), p.until.number, why));
  }

  void said(side s) {
    const flow& f = c_.of(s);
    std::string line = fmt::format("  {} sent {} in {}, {} acknowledged", name(s), counted(f.bytes, "byte"),
                                   counted(f.segments, "segment"), f.acked);
    if (f.retransmissions > 0) line += ", " + counted(f.retransmissions, "retransmission");
    if (f.keepalive_probes > 0) line += ", " + counted(f.keepalive_probes, "keepalive probe");
    if (f.duplicates > 0) line += ", " + counted(f.duplicates, "packet") + " captured twice";
    if (f.fin) line += fmt::format(", FIN in packet {}", f.fin->number);
    if (f.rst) line += fmt::format(", RST in packet {}", f.rst->number);
    lines_.push_back(std::move(line));
  }

  void notices() {
    if (!c_.first_icmp) return;
    lines_.push_back(fmt::format("  {} from {}, first in packet {}", counted(c_.icmp_count, "ICMP error"),
                                 c_.first_icmp->router.to_string(), c_.first_icmp->where.number));
  }

  void ending_line() {
    if (!s_.ended) {
      lines_.emplace_back("  not ended when the capture stopped");
      return;
    }
    const std::string by = s_.by == culprit::opener      ? std::string(name(side::opener))
                           : s_.by == culprit::responder ? std::string(name(side::responder))
                                                         : std::string{to_string(s_.by)};
    std::string line = fmt::format("  ended: {}, by {}", to_string(s_.how), by);
    if (s_.sure != confidence::certain || s_.sure_by != confidence::certain)
      line += fmt::format(" ({}{})", to_string(std::max(s_.sure, s_.sure_by)),
                          s_.sure == confidence::certain ? " that it was" : "");
    for (std::size_t i = 0; i < s_.also_possible.size(); ++i)
      line += fmt::format("{}{}", i == 0 ? "; the packets also fit " : ", ", to_string(s_.also_possible[i]));
    lines_.push_back(std::move(line));
  }

  void knowledge() {
    if (!s_.ended) return;
    std::string line;
    for (const side s : {side::opener, side::responder}) {
      const auto& m = s_.could_know[static_cast<std::size_t>(s)];
      line += fmt::format(
          "{}{} {}", line.empty() ? "  could know: " : ", ", name(s),
          m ? fmt::format("from packet {} on, after {}", m->number, readable(m->when - c_.first.when))
            : std::string{"not at all"});
    }
    lines_.push_back(std::move(line));
  }

  void proof() {
    if (s_.half_open_for) lines_.push_back("  half-open for " + readable(*s_.half_open_for));
    if (s_.proof.empty()) return;
    std::string line = "  proof: packets ";
    for (std::size_t i = 0; i < s_.proof.size(); ++i)
      line += fmt::format("{}{}", i == 0 ? "" : ", ", s_.proof[i]);
    lines_.push_back(std::move(line));
  }

  /// Linux's shortest timeout of a retransmission (include/net/tcp.h, TCP_RTO_MIN): below it
  /// nobody has waited for one.
  static constexpr std::chrono::milliseconds least_pause{200};

  const story& s_;
  const connection& c_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> describe(const story& s) {
  return describer{s}.lines();
}

}  // namespace halfopen::trace
