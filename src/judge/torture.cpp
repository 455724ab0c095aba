// A packet is named by its number in the exchange, counted from the first SYN: two real programs
// talk, and when the packet stands at the cable, not yet delivered, the peer is lost. How many
// packets carry a bare ACK depends on who was faster, so a number may mean the neighbouring
// packet in another run; the report therefore says which packet it was. A byte of the reply is
// exact: there the recording plays the server (replay.hpp).
//
// The alternative, to play both sides from the recording, would be exact everywhere and
// would test no real peer: what a server still says while it dies is part of the fault.

#include "judge/torture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <random>

#include "judge/client_row.hpp"
#include "judge/loss.hpp"
#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

struct loss_words {
  std::string_view name, of_server, of_client, again;
};
constexpr std::array<loss_words, 5> losses_in_words{{
    {"kill", "the server is killed", "the client is killed", "the program of the dependency is killed again"},
    {"reset", "the server's host resets the connection", "the client's host resets the connection",
     "the connections of the service are reset"},
    {"crash", "the server's host vanishes", "the client's host vanishes",
     "the host of the dependency vanishes"},
    {"reboot", "the server's host reboots; the server is started again", "the client's host reboots", ""},
    {"cut", "the server's cable is cut", "the client's cable is cut",
     "the link between the service and the dependency is cut"},
}};
constexpr std::array losses{loss::kill, loss::reset, loss::crash, loss::reboot, loss::cut};

constexpr const char* rule =
    "a peer may be lost at any moment, and a program then recovers or reports, but never hangs, crashes or "
    "takes a part for the whole (RFC 9293 section 3.5.1; a byte stream keeps no message boundaries, section "
    "3.8)";

/// Those that a service's dependency can be lost by again, and how a system plays them.
constexpr std::array losses_again{
    std::pair{loss::kill, outage::killed}, std::pair{loss::reset, outage::reset},
    std::pair{loss::crash, outage::vanished}, std::pair{loss::cut, outage::link_cut}};

/// Before it is complete there is no connection to reset.
constexpr std::size_t handshake_packets = 3;

constexpr const char* rule_again =
    "what is lost may be lost again at any moment, while the service reconnects too: it then tries once more";

const loss_words& words_of(loss how) {
  return losses_in_words.at(static_cast<std::size_t>(how));
}

void at_packet(stage& s, const place& p) {
  const lab::process& server = s.serve();
  const lab::process& client = s.call();
  const auto is_it = [&](const lab::arrival& a) { return a.packet->number >= p.at; };
  if (!s.lab.before(is_it, s.base.took + s.soon))
    throw no_verdict(obstacle::not_there, fmt::format("this exchange had no packet {}", p.at));
  s.until_idle();  // or it would be chance whether a reply was written already
  const std::string where = s.lab.current().source == s.client.address() ? "client" : "server";
  s.prove(s.lab.current().number == p.at,
          fmt::format("packet {}, from the {}, is on its way", s.lab.current().number, where));

  std::vector<trace::endpoint> ends;
  for (const trace::connection* c : s.lab.traffic().connections()) ends.push_back(c->opener);
  lost_peer peer(s, p.how, p.lost);
  peer.lose();
  peer.prove_at_once();
  if (p.lost == subject::server)
    s.judge_client(client);
  else
    s.judge_server(server, ends);
  peer.prove_silence();
}

void play_place(stage& s) {
  const place p = parse_place(s.the_case.id).value();
  if (!p.in_reply) return at_packet(s, p);
  play(s, client_row{moment::mid_reply, p.how, p.at});
}

/// What happened, without what differs from run to run.
bool same_outcome(const case_result& a, const case_result& b) {
  const auto end_of = [](const case_result& r) {
    const auto end = std::ranges::find(r.ends, to_string(r.subject), &program_end::host);
    return end == r.ends.end() ? std::pair(-1, 0) : std::pair(end->code, end->signal);
  };
  return a.verdict == b.verdict && a.did == b.did && a.why == b.why && a.length.how == b.length.how &&
         a.length.ends.has_value() == b.length.ends.has_value() && end_of(a) == end_of(b) &&
         shape_of(a.reason) == shape_of(b.reason);
}

}  // namespace

std::optional<place> parse_place(std::string_view id) {
  id = without_link(id).first;
  if (id.starts_with(torture_prefix)) id.remove_prefix(torture_prefix.size());
  const auto dash = id.find('-');
  const auto at = id.find('@');
  if (dash == std::string_view::npos || at == std::string_view::npos || at < dash) return std::nullopt;
  place p;
  const auto known = std::ranges::find(losses_in_words, id.substr(0, dash), &loss_words::name);
  const std::string_view who = id.substr(dash + 1, at - dash - 1);
  p.again = who == "again";
  if (known == losses_in_words.end() || (who != "server" && who != "client" && !p.again)) return std::nullopt;
  p.how = losses.at(static_cast<std::size_t>(known - losses_in_words.begin()));
  p.lost = who == "client" ? subject::client : subject::server;
  if (p.again && known->again.empty()) return std::nullopt;
  std::string_view number = id.substr(at + 1);
  p.in_reply = number.starts_with('b');
  if (p.in_reply) number.remove_prefix(1);
  const auto read = std::from_chars(number.data(), number.data() + number.size(), p.at);
  if (read.ec != std::errc() || read.ptr != number.data() + number.size()) return std::nullopt;
  if (p.in_reply ? p.lost == subject::client || p.again : p.at == 0) return std::nullopt;
  return p;
}

std::pair<std::string_view, std::string_view> without_link(std::string_view id) noexcept {
  const auto first = id.find('@');
  const auto second = first == std::string_view::npos ? first : id.find('@', first + 1);
  if (second == std::string_view::npos) return {id, {}};
  return {id.substr(0, second), id.substr(second + 1)};
}

std::string_view what_is_lost(const place& p) noexcept {
  if (p.again) return words_of(p.how).again;
  return p.lost == subject::server ? words_of(p.how).of_server : words_of(p.how).of_client;
}

std::string name_of(const place& p) {
  return fmt::format("{}-{}", words_of(p.how).name, p.again ? "again" : to_string(p.lost));
}

std::string id_of(const place& p) {
  return fmt::format("{}{}@{}{}", torture_prefix, name_of(p), p.in_reply ? "b" : "", p.at);
}

const judge_case& case_at(const place& p) {
  struct kept {
    std::string id, done;
    judge_case made;
  };
  static std::map<std::string, kept> all;  // nothing in a map ever moves
  kept& k = all[id_of(p)];
  if (!k.id.empty()) return k.made;
  k.id = id_of(p);
  const std::string_view what = what_is_lost(p);
  if (p.again) {
    k.done = fmt::format(
        "the program of the dependency is killed and started again; {} at packet {} of the "
        "reconnection, and it comes back",
        what, p.at);
    k.made = {k.id, subject::service, k.done, rule_again};
    const auto how = std::ranges::find(losses_again, p.how, &std::pair<loss, outage>::first)->second;
    k.made.outage =
        outage_row{outage::killed, outage_moment::idle, outage_length::brief, lost_once_more{how, p.at}};
    return k.made;
  }
  k.done = p.in_reply ? fmt::format("{} when {} bytes of the reply have arrived", what, p.at)
                      : fmt::format("{} when packet {} is on its way", what, p.at);
  k.made = {k.id, p.lost == subject::server ? subject::client : subject::server, k.done, rule, play_place};
  return k.made;
}

std::vector<place> all_places(std::size_t packets, std::optional<std::size_t> reply_bytes) {
  std::vector<place> all;
  for (const subject lost : {subject::server, subject::client})
    for (const loss how : losses)
      for (std::size_t at = 1; at <= packets; ++at) all.push_back({how, lost, false, at});
  if (reply_bytes)
    for (const loss how : losses)
      for (std::size_t at = 0; at <= *reply_bytes; ++at) all.push_back({how, subject::server, true, at});
  return all;
}

std::vector<place> all_places_again(std::size_t packets) {
  std::vector<place> all;
  for (const auto& [how, played] : losses_again)
    for (std::size_t at = how == loss::reset ? handshake_packets + 1 : 1; at <= packets; ++at)
      all.push_back({how, subject::server, false, at, true});
  return all;
}

std::vector<const judge_case*> sample(const std::vector<const judge_case*>& cases, std::size_t count,
                                      std::uint64_t seed) {
  std::mt19937_64 chance(seed);
  std::vector<const judge_case*> chosen;
  std::ranges::sample(cases, std::back_inserter(chosen), static_cast<std::ptrdiff_t>(count), chance);
  return chosen;
}

std::vector<stretch> stretches_of(std::span<const case_result> results) {
  std::vector<stretch> made;
  std::optional<place> before;
  std::string_view link_before;
  for (const case_result& r : results) {
    const std::string_view link = without_link(r.id).second;
    const auto p = r.id.starts_with(torture_prefix) ? parse_place(r.id) : std::nullopt;
    if (!p) continue;
    const bool goes_on = before && name_of(*before) == name_of(*p) && link == link_before &&
                         before->in_reply == p->in_reply && same_outcome(*made.back().last, r);
    if (!goes_on) made.push_back({&r, &r, 0});
    made.back().last = &r;
    ++made.back().places;
    before = p;
    link_before = link;
  }
  return made;
}

}  // namespace halfopen::judge
