#include "judge/baseline.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/fault.hpp"
#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr milliseconds to_start{30'000};
/// A server that opens several ports opens them one after the other.
constexpr milliseconds settled{200};

/// The lab of a run without a fault, and the recorder at its cable.
class rehearsal {
 public:
  explicit rehearsal(const pair& who)
      : who_(who),
        lab_(options()),
        client_(lab_.at("client")),
        server_(lab_.at("server")),
        witness_(lab_.at("witness")),
        recorder_(server_.address()) {}

  baseline play() {
    start_server();
    baseline made;
    lab::process& first = run_client(client_);
    made.start = start_;
    made.took = std::chrono::round<milliseconds>(first.ended()->when - began_);
    made.output = first.output();
    made.said = take_recording();
    made.packets = lab_.packets();
    lab::process& second = run_client(witness_);
    made.varies = second.output() != made.output;
    try_replay_to_server(made);
    try_two_at_once(made);
    lab::reboot(server_);
    try_replay_to_client(made);
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
    return o;
  }

  [[noreturn]] void give_up(const std::string& what, const std::string& hint,
                            const lab::process* c = nullptr) {
    no_baseline e(what, hint);
    if (program_ != nullptr) {
      e.server_output = program_->output();
      e.server_errors = program_->errors();
    }
    if (c != nullptr) {
      e.output = c->output();
      e.errors = c->errors();
    }
    throw no_baseline(e);
  }

  lab::program shell(const std::string& command) const {
    lab::program p;
    p.argv = {"/bin/sh", "-c", command};
    p.environment = who_.environment;
    return p;
  }

  bool listens() const {
    const auto ports = server_.listening_ports();
    return who_.port ? std::ranges::count(ports, *who_.port) > 0 : !ports.empty();
  }

  void start_server() {
    const auto before = lab::experiment::now();
    program_ = &server_.start(shell(who_.server_command));
    lab_.until([&] { return program_->ended() || listens(); }, to_start);
    if (program_->ended() && !listens())
      give_up(fmt::format("the server ended at once, with exit {}", program_->ended()->code),
              "it must stay in the foreground: look for an option such as --nodaemon");
    if (!listens())
      give_up(
          fmt::format("the server does not listen on {} after {}",
                      who_.port ? "port " + std::to_string(*who_.port) : "any TCP port", in_words(to_start)),
          "it must listen on all addresses of its host, not on 127.0.0.1 alone");
    start_ = std::chrono::round<milliseconds>(lab::experiment::now() - before);
    if (!who_.ready.empty()) {
      const std::regex ready(who_.ready);
      const auto says_so = [&] {
        return std::regex_search(program_->output(), ready) || std::regex_search(program_->errors(), ready);
      };
      if (!lab_.until(says_so, to_start))
        give_up("the server never said what --ready waits for", "look at its output");
    }
    lab_.run_for(settled);
  }

  lab::process& run_client(lab::host& where) {
    began_ = lab::experiment::now();
    lab::process& c = where.start(shell(who_.client_command));
    c.close_input();
    if (!lab_.until_ended(c, who_.limit))
      give_up(fmt::format("the client has not ended after {}, with nothing wrong", in_words(who_.limit)),
              "it must be a command that does its work and ends", &c);
    if (const int signal = deadly_signal(*c.ended()); signal != 0)
      give_up("the client was killed by " + signal_name(signal) + ", with nothing wrong",
              "try it without halfopen", &c);
    if (c.ended()->code != 0)
      give_up(
          fmt::format("the client failed with exit {}, with nothing wrong", c.ended()->code),
          "the server's host is named 'server'; is that what the client connects to? If the server is not "
          "ready when it begins to listen, say --ready",
          &c);
    return c;
  }

  recording take_recording() {
    lab_.run_for(settled);
    const auto made = recorder_.made();
    records_ = false;
    if (!made)
      give_up("the client ended well, but opened no TCP connection to the server",
              "the server's host is named 'server', and there is no other network");
    return *made;
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
      if (!c.until_request(stage::soon)) {
        made.no_replay_to_server =
            "the server does not answer a repetition of what the client said to open the exchange";
        return;
      }
      c.send(c.request());
      const std::string reply = c.receive({std::max<std::size_t>(1, usual / 2), usual}, stage::soon);
      if (reply.empty() || reply.size() < usual / 2)
        made.no_replay_to_server = "the server does not answer a repetition of the client's request";
      made.reply = {std::min(usual, reply.size()), std::max(usual, reply.size())};
    } catch (const lab::error& e) {
      made.no_replay_to_server = e.what();
    }
  }

  /// One client is connected and has not finished its request, another one comes.
  void try_two_at_once(baseline& made) {
    if (!made.no_replay_to_server.empty()) return;
    stand_in_client idle(client_, server_, made.said.port, made.said.main());
    (void)idle.until_request(stage::soon);
    lab::process& c = witness_.start(shell(who_.client_command));
    c.close_input();
    made.concurrent = lab_.until_ended(c, std::max<milliseconds>(3s, 3 * made.took + 1s));
    if (!made.concurrent) c.signal(SIGKILL);
  }

  void try_replay_to_client(baseline& made) {
    stand_in_server s(server_, made.said);
    lab::process& c = client_.start(shell(who_.client_command));
    c.close_input();
    const bool ended = s.until([&] { return c.ended().has_value(); }, who_.limit);
    if (!ended)
      made.no_replay_to_client = "the client waits for more than a repetition of what the server said";
    else if (c.ended()->code != 0 || c.ended()->signal != 0 || !made.same_output(c.output()))
      made.no_replay_to_client = "the client does not accept a repetition of what the server said";
    if (!ended) c.signal(SIGKILL);
  }

  const pair& who_;
  lab::experiment lab_;
  lab::host &client_, &server_, &witness_;
  recorder recorder_;
  bool records_ = true;
  lab::process* program_ = nullptr;
  milliseconds start_{};
  trace::time_point began_{};
};

}  // namespace

nlohmann::json json_of(const no_baseline& e) {
  return {{"failed", e.what()},
          {"hint", e.hint},
          {"server_out", e.server_output},
          {"server_err", e.server_errors},
          {"out", e.output},
          {"err", e.errors}};
}

no_baseline no_baseline_of(const nlohmann::json& j) {
  no_baseline e(j.at("failed").get<std::string>(), j.at("hint").get<std::string>());
  j.at("server_out").get_to(e.server_output);
  j.at("server_err").get_to(e.server_errors);
  j.at("out").get_to(e.output);
  j.at("err").get_to(e.errors);
  return e;
}

baseline record_baseline(const pair& who) {
  return rehearsal(who).play();
}

}  // namespace halfopen::judge
