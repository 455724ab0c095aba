#include "judge/stage.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <regex>
#include <thread>

#include "halfopen/lab/error.hpp"
#include "halfopen/trace/story.hpp"
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
  if (what.prepare != nullptr) what.prepare(made);
  return made;
}

stage::stage(const pair& who, const baseline& normal, const judge_case& what,
             const std::filesystem::path& capture)
    : capture_(open_capture(capture, fmt::format("halfopen test: {}: {}", what.id, what.done))),
      the_case(what),
      under_test(who),
      base(normal),
      lab(lab_options(what)),
      client(lab.at("client")),
      server(lab.at("server")),
      witness(lab.at("witness")) {
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
  if (!decoded || sheet_.packets.size() >= packets_drawn) return;
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

lab::process& stage::serve(std::optional<lab::accept_flavour> accept_like, bool watch_accepts) {
  lab::program what = shell(under_test.server_command, under_test.environment);
  what.accept_like = accept_like;
  what.watch_accepts = watch_accepts;
  lab::process& s = server.start(std::move(what));
  programs_.emplace_back(&s, false);
  const auto limit = std::max<milliseconds>(soon, 10 * base.start);
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

void stage::resume_server() {
  for (const pid_t pid : server.pids()) ::kill(pid, SIGCONT);
}

const std::string& stage::need_request(std::size_t at_least) const {
  const auto& c = base.said.main();
  const auto at = c.request();
  if (!at) throw no_verdict(verdict::not_applicable, "the client says nothing that the server answers");
  if (c.turns[*at].bytes.size() < at_least)
    throw no_verdict(verdict::not_applicable, "the request is too short to be cut");
  return c.turns[*at].bytes;
}

std::size_t stage::need_reply(std::size_t at_least) const {
  (void)need_request(0);
  const auto& c = base.said.main();
  const std::size_t size = c.turns[*c.request() + 1].bytes.size();
  if (size < at_least) throw no_verdict(verdict::not_applicable, "the reply is too short to be cut");
  return size;
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

void stage::need_concurrent_server() const {
  if (!base.concurrent)
    throw no_verdict(verdict::not_applicable, "the server serves one client after the other");
}

stand_in_client stage::stand_in(lab::host& from) {
  (void)need_request();
  need_replay_to_server();
  stand_in_client made(from, server, port(), base.said.main());
  if (!made.until_request(soon))
    throw no_verdict(verdict::inconclusive, "the server did not answer what comes before the request");
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

void stage::prove_ending(ending how, const trace::connection* c) {
  if (c == nullptr) {
    prove(false, "the connection is in the capture");
    return;
  }
  const trace::story told = trace::tell(*c);
  prove(told.ended && told.could_be(how), fmt::format("the packets tell {}: {}", to_string(how), told.why));
}

void stage::told(verdict v, std::string happened, std::string cure) {
  if (v < sheet_.what || (v == sheet_.what && !sheet_.happened.empty())) return;
  sheet_.what = v;
  sheet_.happened = std::move(happened);
  sheet_.cure = std::move(cure);
}

void stage::pass(std::string happened) {
  if (sheet_.what == verdict::pass && sheet_.happened.empty()) sheet_.happened = std::move(happened);
}
void stage::warn(std::string happened, std::string cure) {
  sheet_.checks.push_back({happened, false, false});
  told(verdict::warn, std::move(happened), std::move(cure));
}
void stage::fail(std::string happened, std::string cure) {
  sheet_.checks.push_back({happened, false, false});
  told(verdict::fail, std::move(happened), std::move(cure));
}

bool stage::require(bool holds, std::string what, std::string cure) {
  if (holds)
    sheet_.checks.push_back({std::move(what), true, false});
  else
    fail("not so: " + what, std::move(cure));
  return holds;
}

void stage::fault() {
  look_for_deaths();
  fault_at_ = lab::experiment::now();
}

void stage::look_for_deaths() {
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
    if (d.signal == SIGPIPE)  // a process a connection may do with that; one that serves several must not
      warn(std::move(happened),
           "send with MSG_NOSIGNAL, or ignore SIGPIPE in every process that writes to sockets");
    else
      fail(std::move(happened), "find out why it crashes when its peer goes");
  }
}

bool stage::wait(const std::function<bool()>& condition, milliseconds limit) {
  return lab.until(
      [&] {
        note_ends();
        if (lab::experiment::now() >= next_look_) look_for_deaths();
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
    if (the_case.who != subject::server) throw;
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
  }
  return std::move(sheet_);
}

int deadly_signal(const lab::exit_status& end) noexcept {
  if (end.signal != 0) return end.signal;
  constexpr int unmistakable[]{SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGPIPE, SIGSYS};
  for (const int s : unmistakable)
    if (end.code == 128 + s) return s;
  return 0;
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(number);
}

std::string in_words(milliseconds d) {
  const auto ms = d.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 120'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  const auto s = (ms + 500) / 1000;
  if (s < 7200) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
}

}  // namespace halfopen::judge
