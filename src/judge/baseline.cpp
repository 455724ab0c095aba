// The pair with nothing wrong. The two runs that are compared have a fresh server and a fresh client
// each, so that what differs between them differs by itself and not for what the first one left.

#include "judge/baseline.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <optional>
#include <regex>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/fault.hpp"
#include "judge/main_connection.hpp"
#include "judge/protocol.hpp"
#include "judge/recording.hpp"
#include "judge/roles.hpp"
#include "judge/waits.hpp"
#include "lab/waiting_for_processor.hpp"
#include "play/words.hpp"

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds to_start{30'000};
/// Who has a UDP socket or listens on loopback does what it was told to; it need not be waited for so long.
constexpr milliseconds to_start_elsewhere{8'000};
/// Two programs that wait for each other without a limit, and nothing crosses: they will not go on.
constexpr milliseconds to_stand_still{10'000};

/// The lab of a run without a fault, and the recorder at its cable.
class rehearsal {
 public:
  explicit rehearsal(const pair& who)
      : who_(who),
        lab_(options()),
        client_(lab_.at("client")),
        server_(lab_.at("server")),
        witness_(lab_.at("witness")),
        kept_waiting_({&client_, &server_, &witness_}) {
    recorder_.of_server(server_.address());
  }
  /// The lab's last packets come when it ends.
  ~rehearsal() { lab_.end_recording(); }
  rehearsal(const rehearsal&) = delete;
  rehearsal& operator=(const rehearsal&) = delete;

  std::string play_once() {
    start_server();
    return run_client(client_).output();
  }

  baseline play() {
    start_server();
    baseline made;
    const lab::process& first = run_client(client_);
    made.took = std::chrono::round<milliseconds>(first.ended()->when - began_);
    made.output = first.output();
    made.said = take_recording();
    made.packets = lab_.packets();
    made.output_again = run_client(witness_).output();
    soon_ = std::max(soon_, 10 * made.took);
    const bool alike = later_ones_are_alike(made);
    if (who_.peer == player::program)
      made.no_replay_to_server = made.no_replay_to_client = "no recording is played, as --peer program asks";
    else
      try_replay_to_server(made);
    try_two_at_once(made);
    renew();
    start_server();
    recorder_ = recorder();
    recorder_.of_server(server_.address());
    records_ = true;
    const std::string fresh = run_client(client_).output();
    made.same_shape = alike && shape_of(fresh) == shape_of(made.output);
    made.varies = fresh != made.output || !alike;
    const recording again = in_order_of(made.said, take_recording());
    made.by_chance = made.said.connections.size() > 1 && !share_out_alike(made.said, again);
    take_differences(made, again);
    if (made.no_replay_to_server.empty()) take_reply_size(made, again);
    made.start = start_;
    renew();
    if (who_.peer != player::program) try_replay_to_client(made);
    made.last_awaited = last_awaited(made);
    if (who_.each_connection) {
      for (made.said.chosen = 0; *made.said.chosen < made.said.connections.size(); ++*made.said.chosen)
        made.last_awaited_on.push_back(last_awaited(made));
      made.said.chosen.reset();
    }
    if (!made.no_replay_to_server.empty()) take_real_reply_size(made, again);
    return made;
  }

 private:
  lab::options options() {
    lab::options o;
    o.hosts = {"client", "server", "witness"};
    o.ip = who_.ip;
    o.recorder = [this](const lab::record& r) {
      const auto p = trace::decode(r.frame, trace::link::ethernet, r.number, r.when);
      if (p && records_) recorder_.take(*p);
    };
    if (!who_.virtual_clock)  // there nobody waits for a processor
      o.excused = [this] { return kept_waiting_.up_to_now(); };
    return o;
  }

  /// Two outputs may agree by chance: where an exchange is short, some more are looked at. Figures may
  /// differ, as one that counts visits.
  bool later_ones_are_alike(const baseline& made) {
    constexpr milliseconds in_all{1500};
    for (int more = 0; more < 4 && (more + 1) * made.took < in_all; ++more)
      if (shape_of(run_client(witness_).output()) != shape_of(made.output_again)) return false;
    return true;
  }

  /// Both hosts as they were at first, their disks too.
  void renew() {
    lab::reboot(server_, lab::disk::lost);
    lab::reboot(client_, lab::disk::lost);
  }

  [[noreturn]] void give_up(no_baseline why, const lab::process* c = nullptr) {
    lab_.run_for(50ms);  // the last words are told a little later than the end
    if (program_ != nullptr) {
      why.server_output = program_->output();
      why.server_errors = program_->errors();
    }
    if (c != nullptr) {
      why.output = c->output();
      why.errors = c->errors();
    }
    throw no_baseline(std::move(why));
  }

  [[nodiscard]] std::vector<open_port> open_ports() const {
    std::vector<open_port> all;
    for (const lab::listener& l : server_.listeners())
      all.push_back({l.at.port, l.what == lab::listener::protocol::udp, !l.reachable_from_others()});
    return all;
  }

  [[nodiscard]] server_start look_at_server(lab::experiment::duration waited) const {
    return {program_->ended(), !server_.is_empty(), open_ports(), who_.port,
            std::chrono::round<milliseconds>(waited)};
  }

  void start_server() {
    const auto before = lab::experiment::now();
    const auto since = [&] { return lab::experiment::now() - before; };
    program_ = &server_.start(server_program(who_));
    const auto over = [&] {
      if (program_->ended()) return true;
      const auto ports = open_ports();
      const bool up = std::ranges::any_of(ports, [&](const open_port& p) {
        return !p.udp && !p.loopback && (!who_.port || *who_.port == p.port);
      });
      // Of who opens other ports first it is not known whether it is done.
      return up || (!who_.port && !ports.empty() && since() > to_start_elsewhere &&
                    waits_without_limit(server_) == true);
    };
    lab_.until(over, to_start);
    start_ = std::max(start_, std::chrono::round<milliseconds>(since()));
    lab_.run_for(settled);  // what opens several ports, or goes to the background, is done with it
    if (auto why = problem_of(look_at_server(since()))) give_up(std::move(*why));
    if (!who_.ready.empty()) wait_until_ready();
  }

  void wait_until_ready() {
    const std::regex ready(who_.ready);
    const auto says_so = [&] {
      return std::regex_search(program_->output(), ready) || std::regex_search(program_->errors(), ready);
    };
    if (lab_.until([&] { return says_so() || program_->ended(); }, to_start) && says_so()) return;
    give_up(
        {baseline_problem::never_says_ready,
         fmt::format("the server never printed what --ready waits for: {}", who_.ready),
         "--ready is a regular expression (ECMAScript) that is looked for in the server's output, below"});
  }

  /// Both programs wait without a limit, and nothing has crossed the cable for some seconds.
  [[nodiscard]] bool stands_still() const {
    return lab_.packets() == packets_then_ && lab::experiment::now() - moved_ > to_stand_still &&
           waits_without_limit(client_) == true && waits_without_limit(server_) == true;
  }

  bool until_ended_or_still(const lab::process& c) {
    moved_ = lab::experiment::now();
    packets_then_ = lab_.packets();
    auto next_look = moved_ + to_stand_still;
    still_ = false;
    lab_.until(
        [&] {
          if (c.ended()) return true;
          const auto now = lab::experiment::now();
          if (lab_.packets() != packets_then_) {
            packets_then_ = lab_.packets();
            moved_ = now;
          }
          if (now < next_look) return false;
          next_look = now + 500ms;
          return still_ = stands_still();
        },
        who_.clean_limit);
    return c.ended().has_value();
  }

  lab::process& start_client(lab::host& where) {
    lab::process& c = where.start(client_program(who_));
    c.close_input();
    return c;
  }

  lab::process& run_client(lab::host& where) {
    const std::size_t before = lab_.traffic().connections().size();
    began_ = lab::experiment::now();
    lab::process& c = start_client(where);
    until_ended_or_still(c);
    client_run seen = look_at_client(c, before);
    if (!problem_of(seen)) return c;
    if (c.ended()) seen.well_later = does_well_later(where);
    give_up(*problem_of(seen), &c);
  }

  [[nodiscard]] client_run look_at_client(const lab::process& c, std::size_t connections_before) {
    lab_.run_for(20ms);  // its last packets
    client_run seen;
    seen.ended = c.ended();
    seen.waited = std::chrono::round<milliseconds>(lab::experiment::now() - began_);
    seen.stands_still = still_;
    seen.server_ports = open_ports();
    seen.server_ended = program_->ended();
    seen.errors = c.errors();
    const auto all = lab_.traffic().connections();
    for (std::size_t i = connections_before; i < all.size(); ++i) {
      const trace::connection& one = *all[i];
      if (one.opener.address != c.where().address()) continue;
      const bool refused = one.of(trace::side::responder).rst_kind == trace::reset_kind::to_syn;
      seen.attempts.push_back({one.responder.port, one.responder.address == server_.address(),
                               one.handshake_done ? attempt::outcome::connected
                               : refused          ? attempt::outcome::refused
                                                  : attempt::outcome::unanswered});
    }
    return seen;
  }

  /// A moment later, with the same server.
  bool does_well_later(lab::host& where) {
    if (program_->ended()) return false;
    lab_.run_for(2s);
    const lab::process& again = start_client(where);
    return until_ended_or_still(again) && again.ended()->code == 0 && again.ended()->signal == 0;
  }

  recording take_recording() {
    lab_.run_for(settled);
    const auto made = recorder_.made();
    records_ = false;
    if (!made)
      give_up({baseline_problem::client_never_connected,
               "the client ended well, but never opened a TCP connection to the server",
               "the server's host is named 'server', and there is no other network"});
    return *made;
  }

  /// By how much what a side says before a turn differs in length: signatures are not always as long. A bit
  /// more than was seen, since two runs do not show all.
  static void take_differences(baseline& made, const recording& again) {
    if (again.connections.size() <= made.said.main_index()) return;
    const auto &one = made.said.main(), &other = again.connections[made.said.main_index()];
    // Where both spoke at once, turns may fall otherwise: then all that was said is compared.
    const std::size_t first = one.turns.size() == other.turns.size() ? 0 : SIZE_MAX;
    const auto most = [&](speaker who) {
      constexpr std::size_t a_signature = 64;
      std::size_t found = 0;
      for (std::size_t turn = std::min(first, one.turns.size()); turn <= one.turns.size(); ++turn) {
        const std::size_t a = one.said_before(who, turn);
        const std::size_t b = other.said_before(who, first == 0 ? turn : other.turns.size());
        found = std::max(found, a > b ? a - b : b - a);
      }
      return found == 0 || found > a_signature ? 0 : 2 * found + 4;
    };
    made.client_differs = most(speaker::client);
    made.server_differs = most(speaker::server);
    // Two runs may have had signatures of one length by chance: ECDSA's are 70 to 72 bytes long, most often.
    constexpr std::size_t of_a_signature = 8;
    if (spoken(one) == trace::protocol::tls)
      made.server_differs = std::max(made.server_differs, of_a_signature);
  }

  /// Of the request on which the server is judged, if the real client makes it.
  static void take_real_reply_size(baseline& made, const recording& again) {
    const auto request = made.request_to_server();
    if (!request) return;
    const std::size_t usual = made.said.main().turns[*request + 1].bytes.size();
    made.reply = {usual, usual};
    if (again.connections.size() <= made.said.main_index()) return;
    const auto& other = again.connections[made.said.main_index()].turns;
    if (*request + 1 >= other.size()) return;
    const std::size_t then = other[*request + 1].bytes.size();
    made.reply = {std::min(usual, then), std::max(usual, then)};
    made.reply_varies = usual != then;
    if (made.reply_varies) made.reply.least = std::max<std::size_t>(1, made.reply.least / 2);
  }

  /// A reply that is not as long each time may be shorter still.
  static void take_reply_size(baseline& made, const recording& again) {
    const auto request = made.said.main().request();
    if (!request || again.connections.empty()) return;
    const auto& turns = again.main().turns;
    if (const auto now = again.main().request()) {
      made.reply.least = std::min(made.reply.least, turns[*now + 1].bytes.size());
      made.reply.most = std::max(made.reply.most, turns[*now + 1].bytes.size());
    }
    made.reply_varies = made.reply.least != made.reply.most;
    if (made.reply_varies) made.reply.least = std::max<std::size_t>(1, made.reply.least / 2);
  }

  void try_replay_to_server(baseline& made) {
    const auto& script = made.said.main();
    const auto request = script.request();
    if (!request) {
      made.no_replay_to_server = "the client says nothing that the server answers";
      return;
    }
    const std::size_t usual = script.turns[*request + 1].bytes.size();
    made.reply = {usual, usual};
    try {
      stand_in_client c(client_, server_, made.said.port, script);
      if (!c.until_request(soon_)) {
        made.no_replay_to_server =
            "the server does not answer a repetition of what the client said to open the exchange";
        return;
      }
      c.send(c.request());
      const std::string reply = c.receive({std::max<std::size_t>(1, usual / 2), usual}, soon_);
      if (reply.empty() || reply.size() < usual / 2)
        made.no_replay_to_server = "the server does not answer a repetition of the client's request";
      made.reply = {std::min(usual, reply.size()), std::max(usual, reply.size())};
      for (int more = 0; more < 4 && made.no_replay_to_server.empty(); ++more) sample_reply(made);
    } catch (const lab::error& e) {
      made.no_replay_to_server = e.what();
    }
  }

  /// Once more, for how long a reply may be.
  void sample_reply(baseline& made) {
    stand_in_client c(client_, server_, made.said.port, made.said.main());
    if (!c.until_request(soon_)) return;
    c.send(c.request());
    const std::size_t size = c.receive({1, made.reply.most}, soon_).size();
    if (size == 0) return;
    made.reply.least = std::min(made.reply.least, size);
    made.reply.most = std::max(made.reply.most, size);
  }

  /// One client is connected and has not finished its request, another one comes.
  void try_two_at_once(baseline& made) {
    if (!made.no_replay_to_server.empty()) return;
    stand_in_client idle(client_, server_, made.said.port, made.said.main());
    (void)idle.until_request(soon_);
    lab::process& c = start_client(witness_);
    made.concurrent = lab_.until_ended(c, std::max<milliseconds>(3s, 3 * made.took + 1s));
    if (!made.concurrent) c.signal(SIGKILL);
  }

  /// How a client that was played the recording ended; nothing: it did not, and is killed.
  std::optional<bool> plays_well_with(stand_in_server& s, const baseline& made, milliseconds limit) {
    began_ = lab::experiment::now();
    lab::process& c = start_client(client_);
    const bool ended = s.until([&] { return c.ended().has_value(); }, limit);
    if (!ended) {
      for (const pid_t pid : client_.pids()) ::kill(pid, SIGKILL);
      lab_.until_ended(c, soon_);
      return std::nullopt;
    }
    return c.ended()->code == 0 && c.ended()->signal == 0 && made.same_output(c.output());
  }

  /// A client that takes one read for a whole message wants the reply cut as it was.
  void try_replay_to_client(baseline& made) {
    const auto& all = made.said.connections;
    const bool side_by_side = std::ranges::any_of(all, &recorded_connection::beside_another);
    if (side_by_side && (made.by_chance || !told_apart_by_first_words(made.said))) {
      made.no_replay_to_client =
          "the client has several connections side by side, and their first words do not tell which is which";
      return;
    }
    const milliseconds limit = std::max(soon_, 2 * made.took);
    for (const bool in_segments : {false, true}) {
      stand_in_server s(server_, made.said);
      if (in_segments) s.say_in_segments();
      auto well = plays_well_with(s, made, limit);
      if (side_by_side && *s.guesses()) well = false;
      made.no_replay_to_client = well == true ? ""
                                 : well
                                     ? "the client does not accept a repetition of what the server said"
                                     : "the client waits for more than a repetition of what the server said";
      made.replay_in_segments = in_segments && well == true;
      if (well == true || !cut_somewhere(made.said)) return;
    }
  }

  static bool cut_somewhere(const recording& r) {
    return std::ranges::any_of(r.connections, [](const recorded_connection& c) {
      return std::ranges::any_of(
          c.turns, [](const turn& t) { return t.by == speaker::server && t.segments.size() > 1; });
    });
  }

  /// A client need not wait for the reply to everything that it says: what it says on leaving may be
  /// housekeeping. Where the reply is withheld and the client does as ever, nobody waits for it.
  [[nodiscard]] std::size_t last_awaited(const baseline& made) {
    const auto all = made.said.main().requests();
    if (all.empty() || made.by_chance) return 0;
    std::size_t last = all.size() - 1;
    for (; last > 0; --last) {
      const bool as_ever = made.no_replay_to_client.empty()
                               ? does_as_ever_if_the_recording_is_silent(made, all[last])
                               : does_as_ever_if_the_server_is_silent(made, all[last]);
      const auto took = lab::experiment::now() - began_;
      if (!as_ever || took > made.took + made.took / 2 + 300ms) break;  // it waited, or asked again
    }
    return last;
  }

  static milliseconds to_do_as_ever(const baseline& made) {
    return std::max<milliseconds>(1s, 2 * made.took + 500ms);
  }

  bool does_as_ever_if_the_recording_is_silent(const baseline& made, std::size_t turn) {
    stand_in_server s(server_, made.said);
    if (made.replay_in_segments) s.say_in_segments();
    s.withhold_reply_to(turn);
    return plays_well_with(s, made, to_do_as_ever(made)) == true &&
           s.connections() <= made.said.connections.size();
  }

  /// The real one answers, and the cable loses that.
  bool does_as_ever_if_the_server_is_silent(const baseline& made, std::size_t turn) {
    renew();
    start_server();
    const auto before = lab_.traffic().connections();
    const auto opened = [&] {
      std::vector<const trace::connection*> all;
      for (const trace::connection* c : lab_.traffic().connections())
        if (c->opener.address == client_.address() && c->responder.port == made.said.port &&
            std::ranges::count(before, c) == 0)
          all.push_back(c);
      return all;
    };
    recorder_ = recorder();
    recorder_.of_server(server_.address());
    records_ = true;
    const parts_of_connections parts(made);
    const lab::match on_main([&](const lab::arrival& a) {
      return a.connection != nullptr && parts.main_of(opened(), recorder_, &a) == a.connection;
    });
    const std::size_t said = made.said.main().said_before(speaker::server, turn + 1);
    lab_.lose(lab::from(server_) && lab::payload() && on_main &&
              lab::said(server_, said + 1 + made.server_differs));
    began_ = lab::experiment::now();
    lab::process& c = start_client(client_);
    const bool ended = lab_.until([&] { return c.ended().has_value(); }, to_do_as_ever(made));
    const bool well = ended && c.ended()->code == 0 && c.ended()->signal == 0 && made.same_output(c.output());
    const bool no_more = opened().size() <= made.said.connections.size();
    records_ = false;
    lab_.release();
    renew();
    return well && no_more;
  }

  const pair& who_;
  recorder recorder_;  // before the lab, whose last packets go there
  bool records_ = true;
  lab::experiment lab_;
  lab::host &client_, &server_, &witness_;
  lab::waiting_for_processor kept_waiting_;
  lab::process* program_ = nullptr;
  milliseconds start_{}, soon_{5s};
  trace::time_point began_{}, moved_{};
  std::uint64_t packets_then_ = 0;
  bool still_ = false;
};

}  // namespace

baseline record_baseline(const pair& who) {
  return rehearsal(who).play();
}

bool prints_the_same(const pair& who, const baseline& base) {
  return base.same_output(rehearsal(who).play_once());
}

}  // namespace halfopen::judge
