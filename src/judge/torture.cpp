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
#include <signal.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <random>

#include "halfopen/lab/error.hpp"
#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

struct loss_words {
  std::string_view name, of_server, of_client;
};
constexpr std::array<loss_words, 5> words{{
    {"kill", "the server is killed", "the client is killed"},
    {"reset", "the server's host resets the connection", "the client's host resets the connection"},
    {"crash", "the server's host vanishes", "the client's host vanishes"},
    {"reboot", "the server's host reboots; the server is started again", "the client's host reboots"},
    {"cut", "the server's cable is cut", "the client's cable is cut"},
}};
constexpr std::array losses{loss::kill, loss::reset, loss::crash, loss::reboot, loss::cut};

constexpr const char* rule =
    "a peer may be lost at any moment, and a program then recovers or reports, but never hangs, crashes or "
    "takes a part for the whole (RFC 9293 section 3.5.1; a byte stream keeps no message boundaries, section "
    "3.8)";

const loss_words& words_of(loss how) {
  return words.at(static_cast<std::size_t>(how));
}

/// What the host had said on each of its connections when it was lost.
struct last_words {
  const trace::connection* on = nullptr;
  bool was_open = false;   ///< established, and the host had not ended its side
  bool was_reset = false;  ///< by it
};

class loser {
 public:
  /// `stand_in`: plays the server's part, if it is not the program.
  loser(stage& s, const place& p, stand_in_server* stand_in = nullptr)
      : stage_(s),
        how_(p.how),
        host_(p.lost == subject::server ? s.server : s.client),
        side_(p.lost == subject::server ? trace::side::responder : trace::side::opener),
        stand_in_(stand_in) {}

  void lose() {
    for (const trace::connection* c : stage_.lab.traffic().connections()) {
      const trace::flow& f = c->of(side_);
      before_.push_back({c, c->handshake_done && !f.fin && !f.rst, f.rst.has_value()});
    }
    stage_.inject([&] { do_it(); });
  }

  /// The packets show that it was lost so. At the end: silence is proved by what never came.
  void prove() {
    for (const last_words& b : before_) {
      const trace::flow& now = b.on->of(side_);
      if (how_ == loss::crash || how_ == loss::cut)
        stage_.prove_gone(host_, b.on, side_);
      else if (how_ == loss::kill && b.was_open)
        stage_.prove(now.fin || now.rst, "FIN or RST from the kernel of what was killed");
    }
    if (how_ == loss::reboot) stage_.prove(done_, fmt::format("the {}'s host has rebooted", host_.name()));
    if (how_ == loss::kill)
      stage_.prove(done_, fmt::format("no process was left on the {}'s host", host_.name()));
    if (how_ != loss::reset) return;
    const auto reset_since = [this](const last_words& b) { return !b.was_reset && b.on->of(side_).rst; };
    stage_.prove(std::ranges::any_of(before_, reset_since), "RST from there");
  }

 private:
  void do_it() {
    switch (how_) {
      case loss::kill:
        stand_in_ != nullptr ? stand_in_->die() : kill_all();
        done_ = stand_in_ != nullptr || host_.is_empty();
        break;
      case loss::reset:
        reset();
        break;
      case loss::crash:
        lab::crash(host_);
        break;
      case loss::reboot:
        reboot();
        break;
      case loss::cut:
        lab::unplug(host_);
        break;
    }
  }

  void reboot() {
    if (side_ == trace::side::responder) {
      done_ = stage_.reboot_server();
      return;
    }
    lab::reboot(host_, stage_.disk());
    done_ = host_.sockets().empty();
  }

  void reset() {
    if (stand_in_ != nullptr)
      stand_in_->reset();
    else if (lab::reset_connections(host_) == 0)
      throw no_verdict(verdict::not_applicable, "there is no connection here that could be reset");
  }

  void kill_all() {
    stage_.lab.note("SIGKILL to the " + host_.name() + "'s processes");
    for (const pid_t pid : host_.pids()) ::kill(pid, SIGKILL);
    stage_.lab.until([&] { return host_.is_empty(); }, stage_.soon);
  }

  stage& stage_;
  loss how_;
  lab::host& host_;
  trace::side side_;
  stand_in_server* stand_in_;
  std::vector<last_words> before_;
  bool done_ = false;
};

void at_packet(stage& s, const place& p) {
  const lab::process& server = s.serve();
  const lab::process& client = s.call();
  const auto is_it = [&](const lab::arrival& a) { return a.packet->number >= p.at; };
  if (!s.lab.before(is_it, s.base.took + s.soon))
    throw no_verdict(verdict::not_applicable, fmt::format("this exchange had no packet {}", p.at));
  s.until_idle();  // or it would be chance whether a reply was written already
  const std::string where = s.lab.current().source == s.client.address() ? "client" : "server";
  s.prove(s.lab.current().number == p.at,
          fmt::format("packet {}, from the {}, is on its way", s.lab.current().number, where));

  std::vector<trace::endpoint> ends;
  for (const trace::connection* c : s.lab.traffic().connections()) ends.push_back(c->opener);
  loser peer(s, p);
  peer.lose();
  if (p.lost == subject::server)
    s.judge_client(client);
  else
    s.judge_server(server, ends);
  peer.prove();
}

/// A recording plays the server; one that is started again is the real one from the beginning.
void at_byte(stage& s, const place& p) {
  if (p.how == loss::reboot) {
    const lab::process& client = s.until_replied(s.need_request(1, p.at), p.at);
    loser host(s, p);
    host.lose();
    s.judge_client(client);
    return host.prove();
  }
  s.need_replay_to_client();
  const asked request = s.need_request(1, p.at);
  stand_in_server peer = s.play_server();
  const lab::process& client = s.call();
  s.prove(
      p.at == 0 ? peer.until_request(request.turn, s.soon) : peer.until_replied(request.turn, p.at, s.soon),
      fmt::format("{} bytes of the reply have arrived", p.at));
  loser host(s, p, &peer);
  host.lose();
  s.judge_client(client);
  host.prove();
}

void play(stage& s) {
  const place p = parse_place(s.the_case.id).value();
  if (p.in_reply)
    at_byte(s, p);
  else
    at_packet(s, p);
}

/// "fail: false success: exit 0", without what differs from run to run.
std::string outcome_of(const case_result& r) {
  const std::string& said = what_happened(r);
  return fmt::format("{}: {} {}", to_string(r.what), shape_of(said.substr(0, said.find(" after "))),
                     shape_of(r.length.words));
}

}  // namespace

std::optional<place> parse_place(std::string_view id) {
  if (id.starts_with(torture_prefix)) id.remove_prefix(torture_prefix.size());
  const auto dash = id.find('-');
  const auto at = id.find('@');
  if (dash == std::string_view::npos || at == std::string_view::npos || at < dash) return std::nullopt;
  place p;
  const auto known = std::ranges::find(words, id.substr(0, dash), &loss_words::name);
  const std::string_view who = id.substr(dash + 1, at - dash - 1);
  if (known == words.end() || (who != "server" && who != "client")) return std::nullopt;
  p.how = losses.at(static_cast<std::size_t>(known - words.begin()));
  p.lost = who == "server" ? subject::server : subject::client;
  std::string_view number = id.substr(at + 1);
  p.in_reply = number.starts_with('b');
  if (p.in_reply) number.remove_prefix(1);
  const auto read = std::from_chars(number.data(), number.data() + number.size(), p.at);
  if (read.ec != std::errc() || read.ptr != number.data() + number.size()) return std::nullopt;
  if (p.in_reply ? p.lost == subject::client : p.at == 0) return std::nullopt;
  return p;
}

std::string id_of(const place& p) {
  return fmt::format("{}{}-{}@{}{}", torture_prefix, words_of(p.how).name, to_string(p.lost),
                     p.in_reply ? "b" : "", p.at);
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
  const std::string_view what =
      p.lost == subject::server ? words_of(p.how).of_server : words_of(p.how).of_client;
  k.done = p.in_reply ? fmt::format("{} when {} bytes of the reply have arrived", what, p.at)
                      : fmt::format("{} when packet {} is on its way", what, p.at);
  k.made = {k.id, p.lost == subject::server ? subject::client : subject::server, k.done, rule, play};
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
  for (const case_result& r : results) {
    const auto p = r.id.starts_with(torture_prefix) ? parse_place(r.id) : std::nullopt;
    if (!p) continue;
    const bool goes_on = before && before->how == p->how && before->lost == p->lost &&
                         before->in_reply == p->in_reply && outcome_of(*made.back().last) == outcome_of(r);
    if (!goes_on) made.push_back({&r, &r, 0});
    made.back().last = &r;
    ++made.back().places;
    before = p;
  }
  return made;
}

}  // namespace halfopen::judge
