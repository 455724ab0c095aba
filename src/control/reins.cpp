// One thread, one loop: the experiment's. Lines that come meanwhile wait in the server until the world stands
// still, so each deed happens at one exact place in the stream of packets, as a fault of a case does. What
// takes a while must not keep the next deed from being done: the dependency is to be healed while an ask
// hangs.

#include "control/reins.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/fault.hpp"
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

/// A deed that cannot be done now.
struct not_now {
  refusal why;
};
[[noreturn]] void not_in_this_state(std::string says) {
  throw not_now{{refusal::kind::wrong_state, std::move(says)}};
}

milliseconds ago(trace::time_point when) {
  return std::chrono::round<milliseconds>(lab::experiment::now() - when);
}

std::vector<std::string> joined(std::vector<std::string> all, const std::vector<std::string>& own) {
  all.insert(all.end(), own.begin(), own.end());
  return all;
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
    end_ = true;
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

// ---- doing it

std::unique_ptr<job> reins::begin(const do_request& r) {
  const auto d = read_deed(r.words, known());
  if (!d) throw not_now{d.error()};
  return is_of_a_link(d->what) ? do_to_link(*d) : do_to_host(*d, r.wait);
}

std::unique_ptr<job> reins::begin(const ask_request& r) {
  const auto usual = usual_.find(r.what);
  return one_ask(scene_, r.what, usual == usual_.end() ? std::nullopt : std::optional(usual->second));
}

std::unique_ptr<job> reins::begin(const exec_request& r, server::client for_whom,
                                  std::optional<std::int64_t> id) {
  const auto names = known();
  if (std::ranges::count(names.hosts, r.host) == 0)
    throw not_now{
        {refusal::kind::unknown_host, fmt::format("there is no host '{}'; there are: {}",
                                                  r.host.substr(0, 60), fmt::join(names.hosts, ", "))}};
  lab::host& h = scene_.host(r.host);
  if (!h.is_up()) not_in_this_state("host " + r.host + " is down: halfopen do reboot " + r.host);
  const judge::system_host* role = role_of(r.host);
  auto environment = joined(scene_.description.environment,
                            role != nullptr ? role->environment : std::vector<std::string>{});
  return command_on(h, r.argv, std::move(environment), r.input, [this, for_whom, id](json what) {
    what["version"] = protocol_version;
    if (id) what["id"] = *id;
    server_.tell(for_whom, what);
  });
}

bool reins::runs(const std::string& host) const {
  const lab::process* p = scene_.program(host);
  return p != nullptr && !p->ended();
}

const judge::system_host* reins::role_of(const std::string& host) const {
  if (const auto* own = scene_.description.find(host)) return own;
  for (const judge::system_host& h : scene_.description.hosts)
    if (judge::spare_of(h.name) == host) return &h;
  return nullptr;
}

std::unique_ptr<job> reins::start_program(lab::host& on, const std::string& role, bool wait) {
  scene_.begin(on.name(), role);
  started_[on.name()] = lab::experiment::now();
  wanted_.insert(on.name());
  if (!wait) return done("the command of " + on.name() + " is started");
  return until_ready(scene_, on.name(), role);
}

std::unique_ptr<job> reins::do_to_host(const deed& d, bool wait) {
  lab::host& h = scene_.host(d.host);
  const judge::system_host* role = role_of(d.host);
  const bool needs_it_up = d.what != action::start && d.what != action::reboot && d.what != action::move;
  if (needs_it_up && !h.is_up())
    not_in_this_state("host " + d.host + " is down: halfopen do reboot " + d.host);
  switch (d.what) {
    case action::kill:
      lab::kill(h);
      return wait ? until_empty(h, std::nullopt) : done("SIGKILL to the programs of " + d.host);
    case action::crash:
      wanted_.erase(d.host);
      frozen_.erase(d.host);
      lab::crash(h);
      return done(d.host + " is gone");
    case action::stop:
      wanted_.erase(d.host);
      frozen_.erase(d.host);
      lab::terminate(h);
      lab::thaw(h);  // what stands still could not even take the signal
      return wait ? until_empty(h, 5000ms) : done("SIGTERM to the programs of " + d.host);
    case action::freeze:
      lab::freeze(h);
      frozen_.insert(d.host);
      return done("the programs of " + d.host + " stand still");
    case action::thaw:
      lab::thaw(h);
      frozen_.erase(d.host);
      return done("the programs of " + d.host + " go on");
    case action::start:
      if (role == nullptr) not_in_this_state("host " + d.host + " has no command");
      if (h.is_up() && runs(d.host)) not_in_this_state("the command of " + d.host + " runs already");
      if (!h.is_up()) lab::reboot(h, lab::disk::kept);
      return start_program(h, role->name, wait);
    case action::reboot:
      frozen_.erase(d.host);
      lab::reboot(h, scene_.description.disk_lost ? lab::disk::lost : lab::disk::kept);
      if (role == nullptr) return done(d.host + " is back");
      return start_program(h, role->name, wait);
    case action::move:
      return move(d, wait);
    default:
      throw lab::error("nobody does that to a host");
  }
}

std::unique_ptr<job> reins::move(const deed& d, bool wait) {
  const judge::system_host* role = scene_.description.find(d.host);
  if (role == nullptr || !role->serves)
    not_in_this_state("host " + d.host + " has no name that could move: it serves nobody");
  const bool away = moved_.contains(d.host);
  if (away && !d.back)
    not_in_this_state(
        fmt::format("the name {} has moved already; home again: halfopen do move {} back", d.host, d.host));
  if (!away && d.back) not_in_this_state("the name " + d.host + " has not moved");
  lab::host& to = scene_.host(d.back ? d.host : judge::spare_of(d.host));
  lab::move_name(scene_.host(d.host), to);
  if (d.back)
    moved_.erase(d.host);
  else
    moved_[d.host] = to.name();
  if (!to.is_up()) lab::reboot(to, lab::disk::kept);
  if (runs(to.name())) return done(fmt::format("the name {} gives the address of {}", d.host, to.name()));
  return start_program(to, d.host, wait);
}

std::unique_ptr<job> reins::do_to_link(const deed& d) {
  lab::host &from = scene_.host(d.link.from), &to = scene_.host(d.link.to);
  const std::string name = d.link.name();
  const auto connections = [](std::size_t n, const char* done_to_them) {
    return done(json{{"ok", true},
                     {"says", fmt::format("{} connection{} {}", n, n == 1 ? "" : "s", done_to_them)},
                     {"connections", n}});
  };
  switch (d.what) {
    case action::cut:
      if (d.after_bytes == 0) {
        lab::cut(from, to);
        return done(name + " is cut");
      }
      lab::cut_after(from, to, scene_.host(d.after_from), d.after_bytes);
      return done(fmt::format("{} will be cut after {} bytes from {}", name, d.after_bytes, d.after_from));
    case action::heal:
      lab::heal(from, to);
      return done(name + " is whole");
    case action::unreachable:
      lab::make_unreachable(from, to, lab::unreachable_kind::host);
      return done(name + " is cut, and a router says so");
    case action::delay:
      lab::delay(from, to, d.by);
      return done(fmt::format("{}: each packet takes {} longer", name, play::in_words(d.by)));
    case action::lose:
      lab::lose(from, to, d.share);
      return done(fmt::format("{}: {}% of the packets are lost", name, d.share * 100));
    case action::reset:
      if (!to.is_up()) not_in_this_state("host " + d.link.to + " is down: it has no connections");
      return connections(lab::reset_connections(to, from), "reset");
    case action::forget:
      return connections(lab::forget_connections(
                             from, to, d.with_reset ? lab::forgotten::with_reset : lab::forgotten::silently),
                         "forgotten");
    default:
      throw lab::error("nobody does that to a link");
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
