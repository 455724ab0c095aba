#include "judge/stage.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <regex>
#include <thread>

#include "halfopen/lab/error.hpp"
#include "halfopen/trace/story.hpp"
#include "judge/client_row.hpp"
#include "judge/diagnosis.hpp"
#include "judge/real_part.hpp"
#include "judge/waits.hpp"

namespace halfopen::judge {
namespace {

constexpr std::size_t output_kept = 64 * 1024;
/// A pause on the connection from which on it counts as idle.
constexpr milliseconds idle_pause{300};

std::string kept(const std::string& text) {
  if (text.size() <= output_kept) return text;
  return text.substr(0, output_kept) + fmt::format("\n[{} more bytes]\n", text.size() - output_kept);
}

}  // namespace

lab::options stage::lab_options(const judge_case& what) {
  lab::options made;
  made.hosts = {"client", "server", "witness"};
  made.ip = under_test.ip;
  made.recorder = [this](const lab::record& r) {
    capture_.take(r);
    packets_.take(r);
  };
  if (!under_test.virtual_clock)  // there nobody waits for a processor
    made.excused = [this] { return kept_waiting_.up_to_now(); };
  if (what.prepare != nullptr && faulty()) what.prepare(made);
  return made;
}

stage::stage(const pair& who, const baseline& normal, const judge_case& what,
             const std::filesystem::path& capture)
    : capture_(capture, fmt::format("halfopen test: {}: {}", what.id, what.done)),
      sheet_(what),
      the_case(what),
      under_test(who),
      base(normal),
      soon(std::max<milliseconds>(5s, 10 * normal.took)),
      lab(lab_options(what)),
      client(lab.at("client")),
      server(lab.at("server")),
      witness(lab.at("witness")),
      proofs_(lab, sheet_.facts.checks, soon),
      parts_(normal),
      kept_waiting_({&client, &server, &witness}) {
  sheet_.facts.evidence = capture;
  std::map<trace::ip_address, std::string> names{{lab.router(), "router"}};
  for (const auto& h : lab.hosts()) names[h->address()] = h->name();
  packets_.know(std::move(names), client.address(), server.address());
  capture_.describe(lab);
}

lab::process& stage::serve(std::optional<lab::accept_flavour> accept_like, bool watch_accepts) {
  lab::program what = server_program(under_test);
  what.accept_like = accept_like;
  what.watch_accepts = watch_accepts;
  lab::process& s = server.start(std::move(what));
  programs_.emplace_back(&s, false);
  const auto limit = std::max(soon, 10 * base.start);
  const bool listens =
      lab.until([&] { return s.ended() || std::ranges::count(server.listening_ports(), port()) > 0; }, limit);
  if (!listens || s.ended())
    throw does_not_listen(
        fmt::format("the server {} port {}: {}",
                    s.ended() ? "ended and does not listen on" : "does not listen on", port(), s.errors()),
        s.ended().has_value());
  if (!under_test.ready.empty()) {
    const std::regex ready(under_test.ready);
    const auto says_so = [&] {
      return std::regex_search(s.output(), ready) || std::regex_search(s.errors(), ready);
    };
    if (!lab.until(says_so, limit))
      throw does_not_listen("the server never said what --ready waits for", false);
  }
  lab.run_for(settled);
  return s;
}

const lab::process* stage::serve_beside() {
  const auto listening = [&] {
    return std::ranges::count_if(server.sockets(), [&](const lab::socket_view& v) {
      return v.state == TCP_LISTEN && v.local.port == port();
    });
  };
  const auto before = listening();
  lab::process& s = server.start(server_program(under_test));
  programs_.emplace_back(&s, false);
  lab.until([&] { return s.ended() || listening() > before; }, std::max(soon, 10 * base.start));
  lab.run_for(settled);
  return s.ended() || listening() <= before ? nullptr : &s;
}

lab::process& stage::call_from(lab::host& where) {
  lab::process& c = where.start(client_program(under_test));
  c.close_input();
  programs_.emplace_back(&c, false);
  return c;
}

void stage::hold_server() {
  const auto alive = [](pid_t pid) { return std::strchr("ZX", process_state(pid)) == nullptr; };
  const auto connections = [&] {
    std::vector<std::uint64_t> open;
    for (const lab::socket_view& v : server.sockets())
      if (v.state == TCP_ESTABLISHED && v.inode != 0) open.push_back(v.inode);
    return open;
  };
  for (int tries = 0; tries < 3; ++tries) {  // without the lab: nothing arrives meanwhile
    const auto pids = server.pids();
    const auto before = connections();
    lab::freeze(server);
    lab::thaw(server);
    std::this_thread::sleep_for(15ms);
    const auto after = connections();
    const bool kept =
        std::ranges::all_of(before, [&](auto inode) { return std::ranges::count(after, inode) > 0; });
    if (!std::ranges::all_of(pids, alive) || !kept)
      throw no_verdict(
          obstacle::no_means,
          "this case has to stop the server's processes for a moment, and it does not bear that: a "
          "system call in which it waits fails with EINTR (signal(7)), and it gives up");
  }
  lab::freeze(server);
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
  inject([&] { told = lab::terminate(server); });
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
  lab::thaw(server);
}

asked stage::need_request(std::size_t at_least, std::size_t reply_at_least) const {
  const auto& c = base.said.main();
  const bool of_client = the_case.subject == subject::client;
  const auto at = of_client ? base.request_turn(the_case.request) : base.request_to_server();
  if (!at && the_case.request > 0 && !c.requests().empty())
    throw no_verdict(obstacle::not_there, fmt::format("there is no request {}: the client makes {}",
                                                      the_case.request, c.requests().size()));
  if (!at) throw no_verdict(obstacle::not_there, "the client says nothing that the server answers");
  if (c.turns[*at].bytes.size() < at_least)
    throw no_verdict(obstacle::not_there, "the request is too short to be cut");
  std::size_t reply = c.turns[*at + 1].bytes.size();
  if (base.by_chance)  // this connection's first request may be another one's
    for (const recorded_connection& other : base.said.connections)
      if (const auto all = other.requests(); !all.empty())
        reply = std::min(reply, other.turns[all.front() + 1].bytes.size());
  if (reply < reply_at_least) throw no_verdict(obstacle::not_there, "the reply is too short to be cut");
  return {*at, c.turns[*at].bytes, reply, c.said_before(speaker::client, *at),
          c.said_before(speaker::server, *at)};
}

std::size_t stage::need_idle_turn() const {
  const auto& turns = base.said.main().turns;
  for (std::size_t i = turns.size(); i-- > 0;)
    if (turns[i].by == speaker::client && turns[i].pause >= idle_pause) return i;
  throw no_verdict(
      obstacle::not_there,
      "the client never keeps its connection idle: a command that pauses between two requests would");
}

void stage::need_replay_to_server() const {
  if (!base.no_replay_to_server.empty()) throw no_verdict(obstacle::no_replay, base.no_replay_to_server);
}

void stage::need_replay_to_client() const {
  if (!base.no_replay_to_client.empty()) throw no_verdict(obstacle::no_replay, base.no_replay_to_client);
}

std::unique_ptr<server_part> stage::play_server(bool needs_the_program, bool shall_end) {
  if (!needs_the_program && under_test.peer == player::recording) need_replay_to_client();
  if (!needs_the_program && base.no_replay_to_client.empty())
    return std::make_unique<stand_in_server>(stand_in_for_server());
  sheet_.facts.peer = player::program;
  return std::make_unique<real_server>(*this, shall_end);
}

std::unique_ptr<client_part> stage::play_client(lab::host& from) {
  if (base.no_replay_to_server.empty() || under_test.peer == player::recording)
    return std::make_unique<stand_in_client>(stand_in(from));
  sheet_.facts.peer = player::program;
  return std::make_unique<real_client>(*this, from, need_request());
}

lab::match stage::on_main() const {
  return lab::match(
      [this](const lab::arrival& a) { return a.connection != nullptr && a.connection == find_main(&a); });
}

const trace::connection* stage::find_main(const lab::arrival* now) const {
  return main_ != nullptr ? main_ : main_of(client, {}, now);
}

const trace::connection* stage::main_of(const lab::host& from,
                                        std::span<const trace::connection* const> but_for,
                                        const lab::arrival* now) const {
  auto opened = lab.traffic().connections();
  std::erase_if(opened, [&](const trace::connection* c) {
    return c->opener.address != from.address() || c->responder.port != port() ||
           std::ranges::count(but_for, c) > 0;
  });
  return parts_.main_of(std::move(opened), packets_.heard(), now);
}

bool stage::prove_on_its_way(const asked& request) {
  const bool there = prove_before(lab::from(client) && lab::payload() && on_main() &&
                                      lab::said(client, request.client_before + 1 + base.client_differs),
                                  "the request is on its way");
  if (there) keep_main(lab.current_connection());
  return there;
}

bool stage::until_said(std::size_t by_client, std::size_t by_server, milliseconds limit) {
  return lab.until(
      [&] {
        const trace::connection* c = main_connection();
        return c != nullptr && c->of(trace::side::opener).acked + base.client_differs >= by_client &&
               c->of(trace::side::responder).acked + base.server_differs >= by_server;
      },
      limit);
}

bool stage::reboot_server() {
  std::vector<trace::endpoint> far_ends;
  for (const trace::connection* one : lab.traffic().connections())
    if (one->responder.address == server.address()) far_ends.push_back(one->opener);
  lab::reboot(server, disk());
  lab.release();
  const auto known = server.sockets();
  const bool forgotten = std::ranges::none_of(
      known, [&](const lab::socket_view& v) { return std::ranges::count(far_ends, v.remote) > 0; });
  (void)serve();
  return forgotten;
}

stand_in_client stage::stand_in(lab::host& from) {
  (void)need_request();
  need_replay_to_server();
  sheet_.facts.peer = player::recording;
  stand_in_client made(from, server, port(), base.said.main());
  if (!made.until_request(soon))
    throw no_verdict(obstacle::no_replay, "the server did not answer what comes before the request");
  return made;
}

stand_in_server stage::stand_in_for_server(int backlog) {
  sheet_.facts.peer = player::recording;
  stand_in_server made(server, base.said, backlog);
  guessed_ = made.guesses();
  if (base.replay_in_segments) made.say_in_segments();
  return made;
}

void stage::prove_unanswered(lab::host& which) {
  proofs_.prove_unanswered(witness, which);
}

void stage::prove_gone(lab::host& which, const trace::connection* c, trace::side its_side) {
  prove(c != nullptr && play::silent_since(*c, its_side, fault_at_),
        fmt::format("not a segment more of the connection came from the {}'s host", which.name()));
  prove_unanswered(which);
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

void stage::fault() {
  keep_main();
  look_around();
  faulted_ = true;
  fault_at_ = lab::experiment::now();
}

void stage::look_around() {
  const lab::host& judged = the_case.subject == subject::server ? server : client;
  if (judged.is_up()) deaths_.look(judged);
  next_look_ = lab::experiment::now() + 50ms;
}

/// Of the program itself it is told already, by its end.
void stage::judge_deaths() {
  if (sheet_.says_enough()) return;
  const bool by_its_pipe =
      the_case.subject == subject::client && hides_exit_status(under_test.client_command);
  for (const death& d : deaths_.found()) {
    const death_seen seen{d.signal, by_its_pipe};
    const finding f = decide(seen);
    if (f.verdict != verdict::pass) sheet_.conclude(f, say(seen, f, d.program));
  }
}

bool stage::wait(const std::function<bool()>& condition, milliseconds limit) {
  return lab.until(
      [&] {
        note_ends();
        if (lab::experiment::now() >= next_look_) look_around();
        return condition();
      },
      limit);
}

void stage::play() {
  try {
    if (the_case.play != nullptr)
      the_case.play(*this);
    else
      judge::play(*this, the_case.row.value());
    judge_deaths();
  } catch (const lab::error&) {
    if (the_case.subject != subject::server || !faulted_) throw;
    lab.run_for(50ms);  // an end is told a little later than its packets
    const auto ended_by_itself = [](const auto& p) {
      return p.first->ended() && p.first->ended()->signal != SIGKILL && p.first->where().name() == "server";
    };
    const auto found = std::ranges::find_if(programs_, ended_by_itself);
    if (found == programs_.end()) throw;
    (void)lives(*found->first);
  }
}

/// The ends of programs are part of the ladder.
void stage::note_ends() {
  for (auto& [program, noted] : programs_) {
    if (noted || !program->ended()) continue;
    noted = true;
    const auto& end = *program->ended();
    sheet_.facts.ends.push_back(
        {packets_.milliseconds_at(end.when).value_or(0), program->where().name(), end.code, end.signal});
  }
}

std::size_t stage::opened_by_client() const {
  return static_cast<std::size_t>(std::ranges::count_if(lab.traffic().connections(), [&](const auto* one) {
    return one->opener.address == client.address() && one->responder.port == port() && one->handshake_done;
  }));
}

case_result stage::finish() {
  note_ends();
  lab.end_recording();
  case_result& facts = sheet_.facts;
  const auto all = lab.traffic().connections();
  if (!all.empty()) {
    const auto of_the_case =
        std::ranges::find(all, client.address(), [](const auto* c) { return c->opener.address; });
    trace::story_hints hints;
    hints.names = {"client", "server"};
    facts.story =
        trace::describe(trace::tell(of_the_case == all.end() ? *all.front() : **of_the_case, hints));
  }
  for (const auto& [program, noted] : programs_)
    facts.outputs.push_back({program->where().name(), kept(program->output()), kept(program->errors())});
  prove(lab.lost_to_capture() == 0, "the capture is complete");
  if (const auto problem = capture_.close()) throw lab::error(*problem);
  if (faulted_) facts.fault_at_ms = packets_.milliseconds_at(fault_at_);
  facts.packets = packets_.give();
  facts.kept_waiting = std::chrono::round<milliseconds>(kept_waiting_.so_far());
  return std::move(sheet_).finish();
}

}  // namespace halfopen::judge
