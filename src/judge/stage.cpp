#include "judge/stage.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <regex>
#include <thread>

#include "halfopen/lab/error.hpp"
#include "halfopen/trace/story.hpp"
#include "judge/diagnosis.hpp"
#include "judge/waits.hpp"

namespace halfopen::judge {
namespace {

constexpr std::size_t packets_drawn = 2000;
constexpr std::size_t output_kept = 64 * 1024;
/// A pause on the connection from which on it counts as idle.
constexpr milliseconds idle_pause{300};

std::optional<report::pcapng_writer> open_capture(const std::filesystem::path& path, std::string_view title) {
  if (path.empty()) return std::nullopt;
  auto made = report::pcapng_writer::create(path, title);
  if (!made) throw lab::error(made.error());
  return std::move(*made);
}

std::string label_of(const trace::packet& p) {
  if (p.what == trace::packet::kind::icmp)
    return p.icmp == trace::unreachable::net ? "ICMP: network unreachable" : "ICMP: host unreachable";
  std::string label;
  constexpr std::pair<std::uint8_t, const char*> names[]{
      {trace::syn, "SYN"}, {trace::fin, "FIN"}, {trace::rst, "RST"}, {trace::ack, "ACK"}};
  for (const auto& [bit, name] : names)
    if (p.tcp.has(bit)) label += (label.empty() ? "" : " ") + std::string(name);
  if (p.tcp.length > 0) label += fmt::format(", {} byte{}", p.tcp.length, p.tcp.length == 1 ? "" : "s");
  return label;
}

/// The maximum segment size that a SYN offers (RFC 9293 section 3.2); nothing if it offers none.
std::optional<std::uint16_t> mss_of_syn(std::span<const std::byte> ethernet_frame, bool v6) {
  const auto octet = [&](std::size_t at) {
    return at < ethernet_frame.size() ? std::to_integer<std::size_t>(ethernet_frame[at]) : 0;
  };
  constexpr std::size_t ethernet = 14;
  const std::size_t tcp = ethernet + (v6 ? 40 : (octet(ethernet) & 15U) * 4);
  const std::size_t end = std::min(tcp + (octet(tcp + 12) >> 4U) * 4, ethernet_frame.size());
  for (std::size_t at = tcp + 20; at + 3 < end && octet(at) != 0;) {
    if (octet(at) == 2) return static_cast<std::uint16_t>(octet(at + 2) << 8U | octet(at + 3));
    at += octet(at) == 1 ? 1 : std::max<std::size_t>(2, octet(at + 1));
  }
  return std::nullopt;
}

std::string kept(const std::string& text) {
  if (text.size() <= output_kept) return text;
  return text.substr(0, output_kept) + fmt::format("\n[{} more bytes]\n", text.size() - output_kept);
}

lab::program shell(const std::string& command, const std::vector<std::string>& environment) {
  lab::program made;
  made.argv = {"/bin/sh", "-c", command};
  made.environment = environment;
  return made;
}

}  // namespace

lab::options stage::lab_options(const judge_case& what) {
  lab::options made;
  made.hosts = {"client", "server", "witness"};
  made.ip = under_test.ip;
  made.recorder = [this](const lab::record& r) { draw(r); };
  if (!under_test.virtual_clock)  // there nobody waits for a processor
    made.excused = [this] { return kept_waiting_.up_to_now(); };
  if (what.prepare != nullptr && faulty()) what.prepare(made);
  return made;
}

stage::stage(const pair& who, const baseline& normal, const judge_case& what,
             const std::filesystem::path& capture)
    : capture_(open_capture(capture, fmt::format("halfopen test: {}: {}", what.id, what.done))),
      the_case(what),
      under_test(who),
      base(normal),
      soon(std::max<milliseconds>(5s, 10 * normal.took)),
      lab(lab_options(what)),
      client(lab.at("client")),
      server(lab.at("server")),
      witness(lab.at("witness")),
      kept_waiting_({&client, &server, &witness}) {
  heard_.of_server(server.address());
  sheet_.id = what.id;
  sheet_.who = what.who;
  sheet_.done = what.done;
  sheet_.rule = what.rule;
  sheet_.what = verdict::pass;
  sheet_.evidence = capture;
  if (!capture_) return;
  for (const auto& h : lab.hosts()) {
    capture_->add_interface(h->name(), "what the " + h->name() + " host sends");
    capture_->name(h->address(), h->name());
  }
  capture_->add_interface("router", "what the router between the hosts sends");
  capture_->name(lab.router(), "router");
}

/// Takes each packet: into the capture, and into the ladder.
void stage::draw(const lab::record& r) {
  if (capture_)
    (void)capture_->packet(static_cast<std::uint32_t>(r.sender), r.when, r.frame, r.notes,
                           report::direction::outbound);  // it keeps its first failure
  if (!first_packet_) first_packet_ = r.when;
  const auto decoded = trace::decode(r.frame, trace::link::ethernet, r.number, r.when);
  if (!decoded) return;
  note_segment(*decoded);
  if (decoded->what == trace::packet::kind::tcp && decoded->tcp.has(trace::syn) &&
      (decoded->source == client.address() || decoded->destination == client.address()))
    if (const auto mss = mss_of_syn(r.frame, decoded->source.is_v6())) offered_mss_.push_back(*mss);
  if (sheet_.packets.size() >= packets_drawn) return;
  const auto name_of = [&](const trace::ip_address& a) {
    for (const auto& h : lab.hosts())
      if (h->address() == a) return h->name();
    return a == lab.router() ? std::string("router") : a.to_string();
  };
  drawn_packet p;
  p.number = r.number;
  p.at_ms = std::chrono::duration<double, std::milli>(r.when - *first_packet_).count();
  p.from = name_of(decoded->source);
  p.to = name_of(decoded->destination);
  p.label = label_of(*decoded);
  p.notes = r.notes;
  sheet_.packets.push_back(std::move(p));
}

void stage::note_segment(const trace::packet& p) {
  heard_.take(p);
  if (p.what != trace::packet::kind::tcp || p.tcp.length == 0) return;
  const bool of_client = p.tcp.destination.address == server.address();
  seen_segment made;
  made.number = p.number;
  made.when = p.when;
  made.length = p.tcp.length;
  made.opener = of_client ? p.tcp.source : p.tcp.destination;
  made.of = of_client ? trace::side::opener : trace::side::responder;
  segments_.push_back(made);
}

lab::process& stage::serve(std::optional<lab::accept_flavour> accept_like, bool watch_accepts) {
  lab::program what = shell(under_test.server_command, under_test.environment);
  what.accept_like = accept_like;
  what.watch_accepts = watch_accepts;
  lab::process& s = server.start(std::move(what));
  programs_.emplace_back(&s, false);
  const auto limit = std::max(soon, 10 * base.start);
  const bool listens =
      lab.until([&] { return s.ended() || std::ranges::count(server.listening_ports(), port()) > 0; }, limit);
  if (!listens || s.ended())
    throw lab::error(fmt::format("the server {} port {}: {}",
                                 s.ended() ? "ended and does not listen on" : "does not listen on", port(),
                                 s.errors()));
  if (!under_test.ready.empty()) {
    const std::regex ready(under_test.ready);
    const auto says_so = [&] {
      return std::regex_search(s.output(), ready) || std::regex_search(s.errors(), ready);
    };
    if (!lab.until(says_so, limit)) throw lab::error("the server never said what --ready waits for");
  }
  lab.run_for(settled);
  return s;
}

lab::process& stage::call_from(lab::host& where) {
  lab::process& c = where.start(shell(under_test.client_command, under_test.environment));
  c.close_input();
  programs_.emplace_back(&c, false);
  return c;
}

void stage::hold_server() {
  const auto stands = [](pid_t pid) { return std::strchr("TtZX", process_state(pid)) != nullptr; };
  const auto all = server.pids();
  for (const pid_t pid : all) ::kill(pid, SIGSTOP);
  const auto all_stand = [&] { return std::ranges::all_of(all, stands); };
  // At first without the lab: no packet arrives between the signal and its effect.
  for (int tries = 0; tries < 500 && !all_stand(); ++tries) std::this_thread::sleep_for(1ms);
  if (!lab.until(all_stand, soon)) throw lab::error("the server's processes do not stand still");
}

void stage::until_idle() {
  const auto waits = [](pid_t pid) { return process_state(pid) != 'R'; };
  for (int tries = 0; tries < 200; ++tries) {  // without the lab: nothing is delivered meanwhile
    std::this_thread::sleep_for(1ms);
    if (std::ranges::all_of(lab.hosts(),
                            [&](const auto& h) { return std::ranges::all_of(h->pids(), waits); }))
      return;
  }
}

/// Without the fault it is not sent, and then it is not proved.
void stage::terminate_server() {
  std::size_t told = 0;
  inject([&] {
    lab.note("SIGTERM to every process of the server host");
    for (const pid_t pid : server.pids())
      if (::kill(pid, SIGTERM) == 0) ++told;
  });
  prove(told > 0, fmt::format("SIGTERM was delivered to {} process{}", told, told == 1 ? "" : "es"));
}

bool stage::until_read(const lab::host& where, const trace::endpoint& far_end, milliseconds limit) {
  const auto all_read = [&] {
    return std::ranges::none_of(where.sockets(), [&](const lab::socket_view& s) {
      return s.state != TCP_LISTEN && (s.remote == far_end || s.local == far_end) && s.unread > 0;
    });
  };
  return lab.until(all_read, limit);
}

void stage::resume_server() {
  for (const pid_t pid : server.pids()) ::kill(pid, SIGCONT);
}

asked stage::need_request(std::size_t at_least, std::size_t reply_at_least) const {
  const auto& c = base.said.main();
  const bool of_client = the_case.who == subject::client;
  const auto at = of_client ? base.request_turn(the_case.request) : c.request();
  if (!at && the_case.request > 0 && !c.requests().empty())
    throw no_verdict(verdict::not_applicable, fmt::format("there is no request {}: the client makes {}",
                                                          the_case.request, c.requests().size()));
  if (!at) throw no_verdict(verdict::not_applicable, "the client says nothing that the server answers");
  if (c.turns[*at].bytes.size() < at_least)
    throw no_verdict(verdict::not_applicable, "the request is too short to be cut");
  const std::size_t reply = c.turns[*at + 1].bytes.size();
  if (reply < reply_at_least) throw no_verdict(verdict::not_applicable, "the reply is too short to be cut");
  return {*at, c.turns[*at].bytes, reply, c.said_before(speaker::client, *at),
          c.said_before(speaker::server, *at)};
}

std::size_t stage::need_idle_turn() const {
  const auto& turns = base.said.main().turns;
  for (std::size_t i = turns.size(); i-- > 0;)
    if (turns[i].who == speaker::client && turns[i].pause >= idle_pause) return i;
  throw no_verdict(
      verdict::not_applicable,
      "the client never keeps its connection idle: a command that pauses between two requests would");
}

void stage::need_replay_to_server() const {
  if (!base.no_replay_to_server.empty()) throw no_verdict(verdict::inconclusive, base.no_replay_to_server);
}

void stage::need_replay_to_client() const {
  if (!base.no_replay_to_client.empty()) throw no_verdict(verdict::inconclusive, base.no_replay_to_client);
}

stand_in_client stage::stand_in(lab::host& from) {
  (void)need_request();
  need_replay_to_server();
  stand_in_client made(from, server, port(), base.said.main());
  if (!made.until_request(soon))
    throw no_verdict(verdict::inconclusive, "the server did not answer what comes before the request");
  return made;
}

stand_in_server stage::play_server(int backlog) {
  stand_in_server made(server, base.said, backlog);
  guessed_ = made.guesses();
  if (base.replay_in_segments) made.say_in_segments();
  return made;
}

bool stage::prove(bool holds, std::string what) {
  sheet_.checks.push_back({std::move(what), holds, true});
  return holds;
}

bool stage::prove_after(const lab::match& which, const std::string& what) {
  const bool seen = lab.after(which, soon);
  return prove(seen, seen ? fmt::format("{} (packet {})", what, lab.current().number) : what);
}

bool stage::prove_before(const lab::match& which, const std::string& what) {
  const bool seen = lab.before(which, soon);
  return prove(seen, seen ? fmt::format("{} (packet {})", what, lab.current().number) : what);
}

void stage::prove_gone(lab::host& which, const trace::connection* c, trace::side its_side) {
  const auto said_since = [&] {
    const auto& last = c->of(its_side).last_heard;
    return last && last->when > fault_at_;
  };
  prove(c != nullptr && !said_since(),
        fmt::format("not a segment more of the connection came from the {}'s host", which.name()));
  constexpr std::uint16_t nobodys_port = 1;
  const lab::unique_fd probe = witness.begin_to_connect(which, nobodys_port);
  const auto answered = [&] {
    pollfd ready{probe.get(), POLLOUT, 0};
    return ::poll(&ready, 1, 0) > 0;
  };
  const bool asked = lab.after(lab::from(witness) && lab::syn() && lab::to_port(nobodys_port), soon);
  const auto number = asked ? lab.current().number : 0;
  const bool silent = !lab.until(answered, 300ms);
  prove(asked && silent,
        fmt::format("a SYN to the {}'s host is not answered (packet {})", which.name(), number));
}

void stage::prove_forgotten(lab::host& which, const trace::endpoint& far_end, const trace::connection* c,
                            trace::side its_side) {
  const auto all = which.sockets();
  prove(c != nullptr && c->handshake_done && std::ranges::count(all, far_end, &lab::socket_view::remote) == 0,
        fmt::format("the {}'s kernel knows the connection no more", which.name()));
  const bool said_so = c != nullptr && ((c->of(its_side).fin && c->of(its_side).fin->when > fault_at_) ||
                                        (c->of(its_side).rst && c->of(its_side).rst->when > fault_at_ &&
                                         c->of(its_side).rst_kind == trace::reset_kind::live_socket));
  prove(!said_so, fmt::format("neither FIN nor RST of its own came from the {}'s host", which.name()));
}

std::vector<data_segment> stage::segments(const trace::endpoint& opener, trace::side of) const {
  std::vector<data_segment> found;
  for (const seen_segment& s : segments_)
    if (s.opener == opener && s.of == of) found.push_back(s);
  return found;
}

void stage::told(verdict v, std::string happened, std::string cure, basis rests_on) {
  const bool surer = v == sheet_.what && rests_on == basis::event && sheet_.rests_on != basis::event;
  if (v < sheet_.what || (v == sheet_.what && !sheet_.happened.empty() && !surer)) return;
  sheet_.what = v;
  sheet_.rests_on = rests_on;
  sheet_.happened = std::move(happened);
  sheet_.cure = std::move(cure);
}

void stage::pass(std::string happened) {
  if (sheet_.what == verdict::pass && sheet_.happened.empty()) sheet_.happened = std::move(happened);
}
void stage::warn(std::string happened, std::string cure, basis rests_on) {
  sheet_.checks.push_back({happened, false, false});
  told(verdict::warn, std::move(happened), std::move(cure), rests_on);
}
void stage::fail(std::string happened, std::string cure, basis rests_on) {
  sheet_.checks.push_back({happened, false, false});
  told(verdict::fail, std::move(happened), std::move(cure), rests_on);
}

bool stage::require(bool holds, std::string what, std::string cure, basis rests_on) {
  if (holds)
    sheet_.checks.push_back({std::move(what), true, false});
  else
    fail("not so: " + what, std::move(cure), rests_on);
  return holds;
}

void stage::fault() {
  look_around();
  faulted_ = true;
  fault_at_ = lab::experiment::now();
}

void stage::look_around() {
  const lab::host& judged = the_case.who == subject::server ? server : client;
  if (judged.is_up()) deaths_.look(judged);
  next_look_ = lab::experiment::now() + 50ms;
}

/// Of the program itself it is told already, by its end.
void stage::judge_deaths() {
  if (sheet_.what == verdict::fail) return;
  for (const death& d : deaths_.found()) {
    std::string happened =
        fmt::format("one of its processes, {}, was killed by {}", d.program, signal_name(d.signal));
    const bool by_its_pipe = the_case.who == subject::client && hides_exit_status(under_test.client_command);
    if (d.signal == SIGPIPE && by_its_pipe) continue;  // curl | head
    if (d.signal == SIGPIPE)  // a process a connection may do with that; one that serves several must not
      warn(std::move(happened),
           "send with MSG_NOSIGNAL, or ignore SIGPIPE in every process that writes to sockets", basis::event);
    else
      fail(std::move(happened), "find out why it crashes when its peer goes", basis::event);
  }
}

bool stage::wait(const std::function<bool()>& condition, milliseconds limit) {
  return lab.until(
      [&] {
        note_ends();
        if (lab::experiment::now() >= next_look_) look_around();
        if (meanwhile_) meanwhile_();
        return condition();
      },
      limit);
}

void stage::play() {
  try {
    the_case.play(*this);
    judge_deaths();
  } catch (const lab::error&) {
    if (the_case.who != subject::server || !faulted_) throw;
    lab.run_for(50ms);  // an end is told a little later than its packets
    const auto ended_by_itself = [](const auto& p) {
      return p.first->ended() && p.first->ended()->signal != SIGKILL && p.first->where().name() == "server";
    };
    const auto found = std::ranges::find_if(programs_, ended_by_itself);
    if (found == programs_.end()) throw;
    (void)lives(*found->first);
  }
}

std::optional<milliseconds> stage::since_fault(std::optional<trace::time_point> when) const {
  if (!when) return std::nullopt;
  return std::chrono::round<milliseconds>(*when - fault_at_);
}

/// The ends of programs are part of the ladder.
void stage::note_ends() {
  for (auto& [program, noted] : programs_) {
    if (noted || !program->ended()) continue;
    noted = true;
    const auto& end = *program->ended();
    const double at =
        first_packet_ ? std::chrono::duration<double, std::milli>(end.when - *first_packet_).count() : 0.0;
    sheet_.events.push_back(
        {at, program->where().name(),
         end.signal != 0 ? "killed by " + signal_name(end.signal) : "exit " + std::to_string(end.code)});
  }
}

case_result stage::finish() {
  note_ends();
  lab.end_recording();
  const auto all = lab.traffic().connections();
  if (!all.empty()) {
    const auto of_the_case =
        std::ranges::find(all, client.address(), [](const auto* c) { return c->opener.address; });
    sheet_.story = trace::describe(trace::tell(of_the_case == all.end() ? *all.front() : **of_the_case),
                                   "client", "server");
  }
  for (const auto& [program, noted] : programs_)
    sheet_.outputs.push_back({program->where().name(), kept(program->output()), kept(program->errors())});
  prove(lab.lost_to_capture() == 0, "the capture is complete");
  if (capture_) {
    if (const auto closed = capture_->close(); !closed) throw lab::error(closed.error());
  }
  const auto unproved =
      std::ranges::find_if(sheet_.checks, [](const check& c) { return c.is_proof && !c.holds; });
  if (unproved != sheet_.checks.end()) {
    sheet_.what = verdict::inconclusive;
    sheet_.reason = "not proved: " + unproved->what;
    sheet_.may_be_load = true;
  }
  const bool accuses = sheet_.what == verdict::fail || sheet_.what == verdict::warn;
  if (accuses && sheet_.rests_on != basis::event) sheet_.confirmed = confirmation::wanted;
  sheet_.kept_waiting = std::chrono::round<milliseconds>(kept_waiting_.so_far());
  return std::move(sheet_);
}

}  // namespace halfopen::judge
