// One thread, one loop: the experiment's. Lines that come meanwhile wait in the server until the world stands
// still, so each deed happens at one exact place in the stream of packets, as a fault of a case does. What
// takes a while must not keep the next deed from being done: the dependency is to be healed while an ask
// hangs.

#include "control/reins.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "halfopen/lab/error.hpp"
#include "judge/pair.hpp"
#include "play/words.hpp"

namespace halfopen::control {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// Jobs and programs that wait to be started again are looked at so often; what else happens, wakes the loop.
constexpr milliseconds look_again{20};
constexpr milliseconds until_restart{1000};
/// What a system may need until its first ask is served.
constexpr milliseconds to_settle{15'000};

milliseconds ago(trace::time_point when) {
  return std::chrono::round<milliseconds>(lab::experiment::now() - when);
}

std::string asked_in_words(const request& r) {
  if (const auto* d = std::get_if<do_request>(&r.what)) return fmt::format("do {}", fmt::join(d->words, " "));
  if (const auto* a = std::get_if<ask_request>(&r.what))
    return a->what == judge::probe_kind::probe ? "ask" : fmt::format("ask {}", to_string(a->what));
  if (const auto* e = std::get_if<exec_request>(&r.what))
    return fmt::format("exec {} -- {}", e->host, fmt::join(e->argv, " "));
  return std::holds_alternative<down_request>(r.what) ? "down" : "state";
}

/// One line for the one who watches.
std::string answer_in_words(const json& answer) {
  if (!answer.value("ok", false)) return "refused: " + answer["error"].value("says", "");
  if (answer.contains("ask")) {
    const json& a = answer["ask"];
    const std::string says = a.value("says", "");
    return fmt::format("{} after {}{}", a.value("how", ""),
                       play::in_words(milliseconds(a.value("took_ms", 0))), says.empty() ? "" : ": " + says);
  }
  if (answer.contains("exit")) return play::end_in_words(answer.value("exit", 0), answer.value("signal", 0));
  return answer.value("says", "");
}

}  // namespace

reins::reins(judge::scene& s, held_by by, std::function<void(const std::string&)> say)
    : scene_(s), say_(std::move(say)), server_(s.lab, std::move(by.listener)), by_(std::move(by)) {
  for (auto& [what, listener] : by_.published) {
    const auto to = [this, name = what.host]() -> lab::host& {
      const auto moved = moved_.find(name);
      return scene_.host(moved == moved_.end() ? name : moved->second);
    };
    relays_.push_back(std::make_unique<relay>(scene_.lab, scene_.user, to, what, std::move(listener)));
  }
  if (by_.until_end_of < 0) return;
  scene_.lab.watch(by_.until_end_of, EPOLLIN, [this](std::uint32_t) {
    char buffer[4096];
    const ssize_t n = ::read(by_.until_end_of, buffer, sizeof buffer);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) return;
    scene_.lab.unwatch(by_.until_end_of);
    ::kill(::getpid(), SIGTERM);  // as anybody else would end it, while it is still starting too
  });
}

reins::~reins() {
  for (pending& p : jobs_) p.what->give_up();
  if (by_.until_end_of >= 0) scene_.lab.unwatch(by_.until_end_of);
}

void reins::start() {
  for (const judge::system_host* h : scene_.description.start_order()) {
    scene_.begin(h->name, h->name);
    started_[h->name] = lab::experiment::now();
    wanted_.insert(h->name);
    const auto took = scene_.until_ready(h->name, h->name, scene_.description.clean_limit);
    std::string listens;
    for (const std::string& l : look_at(scene_.host(h->name)).listens)
      listens += (listens.empty() ? ", listens at " : ", ") + l;
    say_(fmt::format("{} is ready after {}{}", h->name, play::in_words(took), listens));
  }
}

std::optional<std::string> reins::learn() {
  std::optional<std::string> problem;
  for (judge::asker& a : scene_.askers) {
    const auto began = lab::experiment::now();
    judge::ask first = scene_.ask_alone(a);
    while (first.how != judge::ask_end::served && first.code != 127 && ago(began) < to_settle && !end_) {
      scene_.go_on(300ms);
      first = scene_.ask_alone(a);
    }
    if (first.how != judge::ask_end::served) {
      if (a.what() != judge::probe_kind::probe) continue;
      steady_ = false;
      problem = fmt::format("{} after {}: {}", to_string(first.how), play::in_words(first.took), first.says);
      continue;
    }
    judge::usual_answer usual{.output = a.last_output(), .took = first.took};
    if (scene_.ask_alone(a).how == judge::ask_end::served) {
      usual.varies = a.last_output() != usual.output;
      usual.same_shape = judge::shape_of(a.last_output()) == judge::shape_of(usual.output);
    }
    if (!usual.unpredictable()) usual_[a.what()] = std::move(usual);
  }
  return problem;
}

bool reins::has_something_to_do() const {
  return end_ || server_.has_line();
}

void reins::run() {
  while (!end_) {
    while (const auto line = server_.next()) take(*line);
    look_at_jobs();
    look_after_programs();
    if (end_) break;
    const bool waits_to_restart = std::ranges::any_of(wanted_, [&](const std::string& h) {
      return role_of(h)->restart && !runs(h) && scene_.host(h).is_up();
    });
    const auto ended_before = told_.size();
    const bool looks_often = !jobs_.empty() || waits_to_restart;
    scene_.lab.until(
        [&] {
          look_after_programs();
          return has_something_to_do() || told_.size() != ended_before;
        },
        looks_often ? look_again : milliseconds(60'000));
  }
  server_.finish();
}

// ---- what is asked for

known_names reins::known() const {
  known_names names;
  for (const auto& h : scene_.lab.hosts())
    if (is_shown(*h)) names.hosts.push_back(h->name());
  for (const judge::system_host& h : scene_.description.hosts)
    for (const std::string& needed : h.needs) names.links.push_back({h.name, needed});
  return names;
}

void reins::refuse(server::client to, std::optional<std::int64_t> id, const refusal& why) {
  json answer{{"version", protocol_version},
              {"ok", false},
              {"error", {{"kind", to_string(why.why)}, {"says", why.says}}}};
  if (id) answer["id"] = *id;
  server_.tell(to, answer);
}

void reins::take(const server::incoming& line) {
  const auto r = read_request(line.line);
  if (!r) return refuse(line.from, std::nullopt, r.error());
  try {
    take(line, *r);
  } catch (const not_now& e) {
    say_(asked_in_words(*r) + ": refused: " + e.why.says);
    refuse(line.from, r->id, e.why);
  } catch (const lab::error& e) {
    say_(asked_in_words(*r) + ": failed: " + e.what());
    refuse(line.from, r->id, {refusal::kind::failed, e.what()});
  }
}

void reins::take(const server::incoming& line, const request& r) {
  std::unique_ptr<job> begun;
  if (const auto* d = std::get_if<do_request>(&r.what)) {
    begun = begin(*d);
  } else if (const auto* a = std::get_if<ask_request>(&r.what)) {
    begun = begin(*a);
  } else if (const auto* e = std::get_if<exec_request>(&r.what)) {
    begun = begin(*e, line.from, r.id);
  } else if (std::holds_alternative<state_request>(r.what)) {
    begun = done(json{{"ok", true}, {"state", to_json_value(look())}});
  } else {
    end_ = true;
    begun = done(json{{"ok", true}, {"capture", by_.capture.empty() ? json(nullptr) : json(by_.capture)}});
  }
  if (!std::holds_alternative<state_request>(r.what)) say_(asked_in_words(r));
  jobs_.push_back({line.from, r.id, std::move(begun)});
  look_at_jobs();
}

void reins::look_at_jobs() {
  for (auto p = jobs_.begin(); p != jobs_.end();) {
    auto answer = p->what->look();
    const bool gone = !server_.is_there(p->for_whom);
    if (!answer && !gone) {
      ++p;
      continue;
    }
    if (answer) {
      (*answer)["version"] = protocol_version;
      if (p->id) (*answer)["id"] = *p->id;
      server_.tell(p->for_whom, *answer);
      const std::string words = answer_in_words(*answer);
      if (!words.empty()) say_("  " + words);
    } else {
      p->what->give_up();
    }
    p = jobs_.erase(p);
  }
}

// ---- looking after it

/// Says which commands have ended, and starts again what is started again by somebody.
void reins::look_after_programs() {
  for (const auto& h : scene_.lab.hosts()) {
    const lab::process* p = scene_.program(h->name());
    if (p == nullptr || !p->ended()) continue;
    if (told_.insert(p).second)
      say_(fmt::format("the command of {} has ended: {}", h->name(),
                       play::end_in_words(p->ended()->code, p->ended()->signal)));
    const judge::system_host* role = role_of(h->name());
    if (!role->restart || !wanted_.contains(h->name()) || !h->is_up() ||
        ago(p->ended()->when) < until_restart)
      continue;
    say_("the command of " + h->name() + " is started again (restart = true)");
    scene_.begin(h->name(), role->name);
    started_[h->name()] = lab::experiment::now();
  }
}

}  // namespace halfopen::control
