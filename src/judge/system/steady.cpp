// A system with nothing wrong: what its probe prints, where its service connects to, and whether what it
// prints outlives a restart of each dependency, which is nothing to accuse the service of.

#include "judge/system/steady.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "halfopen/lab/fault.hpp"
#include "judge/pair.hpp"
#include "judge/recording.hpp"
#include "judge/system/link_traffic.hpp"
#include "judge/system/scene.hpp"
#include "play/words.hpp"

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;

/// How long a system may need until its first ask is served.
constexpr milliseconds to_settle{30'000};

no_baseline problem_with(const not_ready& e, const scene& s) {
  using why = not_ready::why;
  const lab::process* p = s.program(e.host);
  const int code = p != nullptr && p->ended() ? p->ended()->code : 0;
  const auto problem = e.how == why::ended && code == 127   ? baseline_problem::command_not_found
                       : e.how == why::ended && code == 126 ? baseline_problem::not_executable
                       : e.how == why::ended                ? baseline_problem::server_ended
                       : e.how == why::does_not_listen      ? baseline_problem::does_not_listen
                                                            : baseline_problem::never_says_ready;
  const std::string hint =
      e.how == why::ended
          ? "a host's command stays in the foreground, and connects to the hosts that it needs by their names"
      : e.how == why::does_not_listen
          ? "it must listen at 0.0.0.0 or ::, not at 127.0.0.1; a program that serves nobody, such as a "
            "worker "
            "of a queue, is declared with serves = false"
          : "ready is a regular expression (ECMAScript) that is looked for in the host's output, below";
  no_baseline made(
      problem,
      std::string(e.what()) +
          (p != nullptr && p->ended() ? ": " + play::end_in_words(code, p->ended()->signal) : ""),
      hint);
  made.server_name = "host '" + e.host + "'";
  if (p != nullptr) {
    made.server_output = p->output();
    made.server_errors = p->errors();
  }
  return made;
}

no_baseline problem_with(const ask& last, const asker& who, const scene& s) {
  const std::string name(to_string(who.what()));
  const bool hung = last.how == ask_end::hung;
  const bool missing = last.code == 127;
  no_baseline made(
      missing ? baseline_problem::command_not_found
      : hung  ? baseline_problem::client_never_ends
              : baseline_problem::client_failed,
      hung ? fmt::format("the {} did not end within {}", name, play::in_words(last.took))
           : fmt::format("the {} never ended with exit 0: {}", name,
                         play::end_in_words(last.code, last.signal)),
      "it runs on a host of its own, on which the names of all hosts resolve: curl -fsS "
      "http://service:3000/, for instance; is its command right, and can the service be reached?");
  made.client_name = name;
  made.output = who.last_output();
  made.errors = who.last_errors();
  for (const system_host& h : s.description.hosts)
    if (const lab::process* p = s.program(h.name); p != nullptr && h.judged && !h.needs.empty()) {
      made.server_name = "host '" + h.name + "'";
      made.server_output = p->output();
      made.server_errors = p->errors();
    }
  return made;
}

class rehearsal {
 public:
  explicit rehearsal(const system& what)
      : scene_(what, what.clean_limit,
               [this](const lab::record& r) {
                 for (auto& [name, traffic] : traffic_) traffic.take(r);
               }),
        what_(what) {
    for (const link& l : what.links())
      traffic_[l.name()].know(scene_.host(l.from).address(), scene_.host(l.to).address(), {},
                              scene_.lab.hosts().size());
  }

  void start() {
    try {
      for (const system_host* h : what_.start_order()) {
        scene_.begin(h->name, h->name);
        made_.start[h->name] = scene_.until_ready(h->name, h->name, what_.clean_limit);
      }
    } catch (const not_ready& e) {
      throw problem_with(e, scene_);
    }
  }

  void ask_some_times(bool all) {
    for (asker& a : scene_.askers) {
      usual_answer usual = first_answer(a);
      if (a.what() == probe_kind::probe) count_packets();
      const int more = all ? 4 : 0;
      for (int i = 0; i < more && (i + 1) * usual.took < 3s; ++i) {
        if (i % 2 == 0) scene_.go_on(1100ms);  // one that tells seconds says so
        const ask again = scene_.ask_alone(a);
        if (again.how != ask_end::served) throw problem_with(again, a, scene_);
        usual.varies |= a.last_output() != usual.output;
        usual.same_shape &= shape_of(a.last_output()) == shape_of(usual.output);
        usual.took = std::max(usual.took, again.took);
      }
      of(a.what()) = std::move(usual);
    }
  }

  /// By the connections that the asks made, or the service's own.
  void find_ports() {
    for (const link& l : what_.links()) {
      auto& ports = made_.ports[l.name()];
      for (const trace::connection* c : scene_.lab.traffic().connections())
        if (c->handshake_done && c->opener.address == scene_.host(l.from).address() &&
            c->responder.address == scene_.host(l.to).address() &&
            std::ranges::count(ports, c->responder.port) == 0)
          ports.push_back(c->responder.port);
      if (ports.empty())
        throw no_baseline(baseline_problem::client_never_connected,
                          fmt::format("host '{}' needs '{}', and never connected to it", l.from, l.to),
                          "its command must name the dependency by its host's name, and the probe should ask "
                          "for something that needs it");
    }
  }

  /// What a service and its dependency need of packets until it serves.
  void count_packets() {
    for (const auto& [name, traffic] : traffic_)
      made_.packets[name] = traffic.delivered({}, scene_.lab.packets());
  }

  void ask_at_once() { made_.concurrent = scene_.ask_at_once(4); }

  /// Each dependency is started anew, and then whoever needs it: is the answer still the usual one?
  void restart_each() {
    std::vector<std::string> dependencies;
    for (const link& l : what_.links())
      if (std::ranges::count(dependencies, l.to) == 0) dependencies.push_back(l.to);
    for (const std::string& d : dependencies)
      if (!answers_after_restart(d)) made_.forgetful.insert(d);
  }

  [[nodiscard]] bool same_as(const steady_state& usual) {
    const usual_answer& now = made_.probe;
    return usual.probe.fits(now.output);
  }

  [[nodiscard]] steady_state take() {
    made_.cost = 300ms;
    return std::move(made_);
  }

 private:
  usual_answer& of(probe_kind k) {
    return k == probe_kind::probe ? made_.probe : k == probe_kind::health ? made_.health : made_.other;
  }

  /// Who has just been started may refuse at first.
  usual_answer first_answer(asker& a) {
    const auto began = lab::experiment::now();
    for (;;) {
      const ask first = scene_.ask_alone(a);
      if (first.how == ask_end::served) return {.output = a.last_output(), .took = first.took};
      if (first.code == 127 || first.how == ask_end::hung || lab::experiment::now() - began > to_settle)
        throw problem_with(first, a, scene_);
      scene_.go_on(500ms);
    }
  }

  void end(const std::string& name) {
    lab::kill(scene_.host(name));
    scene_.go_on(5s, [&] { return scene_.host(name).is_empty(); });
  }

  bool answers_after_restart(const std::string& dependency) {
    std::vector<std::string> anew;
    for (const system_host* h : what_.start_order()) {
      const bool needs_one_of_them = std::ranges::any_of(
          h->needs, [&](const std::string& n) { return std::ranges::count(anew, n) > 0; });
      if (h->name == dependency || needs_one_of_them) anew.push_back(h->name);
    }
    for (const std::string& name : anew) end(name);
    try {
      for (const std::string& name : anew) {
        scene_.begin(name, name);
        scene_.until_ready(name, name, what_.clean_limit);
      }
      return made_.probe.fits(first_answer(scene_.probe()).output);
    } catch (const not_ready&) {
      return false;
    } catch (const no_baseline&) {
      return false;
    }
  }

  std::map<std::string, link_traffic> traffic_;  // by a link's name; before the scene, which fills it
  scene scene_;
  const system& what_;
  steady_state made_;
};

void to_json(nlohmann::json& j, const usual_answer& u) {
  j = {{"output", to_hex(u.output)},
       {"varies", u.varies},
       {"same_shape", u.same_shape},
       {"took_ms", u.took.count()}};
}
void from_json(const nlohmann::json& j, usual_answer& u) {
  u.output = from_hex(j.at("output").get<std::string>());
  j.at("varies").get_to(u.varies);
  j.at("same_shape").get_to(u.same_shape);
  u.took = milliseconds(j.at("took_ms").get<std::int64_t>());
}

}  // namespace

milliseconds steady_state::start_of(const std::string& host) const {
  const auto found = start.find(host);
  return found == start.end() ? milliseconds::zero() : found->second;
}

void to_json(nlohmann::json& j, const steady_state& s) {
  nlohmann::json probe, health, other;
  to_json(probe, s.probe);
  to_json(health, s.health);
  to_json(other, s.other);
  j = {{"probe", probe},   {"health", health},     {"other", other},           {"concurrent", s.concurrent},
       {"ports", s.ports}, {"packets", s.packets}, {"forgetful", s.forgetful}, {"cost_ms", s.cost.count()}};
  j["start_ms"] = nlohmann::json::object();
  for (const auto& [name, took] : s.start) j["start_ms"][name] = took.count();
}

void from_json(const nlohmann::json& j, steady_state& s) {
  from_json(j.at("probe"), s.probe);
  from_json(j.at("health"), s.health);
  from_json(j.at("other"), s.other);
  j.at("concurrent").get_to(s.concurrent);
  j.at("ports").get_to(s.ports);
  j.at("packets").get_to(s.packets);
  j.at("forgetful").get_to(s.forgetful);
  s.cost = milliseconds(j.at("cost_ms").get<std::int64_t>());
  for (const auto& [name, took] : j.at("start_ms").items())
    s.start[name] = milliseconds(took.get<std::int64_t>());
}

steady_state record_steady_state(const system& what) {
  rehearsal r(what);
  r.start();
  r.ask_some_times(true);
  r.ask_at_once();
  r.find_ports();
  r.restart_each();
  return r.take();
}

bool answers_the_same(const system& what, const steady_state& usual) {
  rehearsal r(what);
  r.start();
  r.ask_some_times(false);
  return r.same_as(usual);
}

}  // namespace halfopen::judge
