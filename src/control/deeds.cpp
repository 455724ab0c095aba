// What is asked for is done here: one thing at a time, while the world stands still.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/reins.hpp"
#include "halfopen/lab/error.hpp"
#include "halfopen/lab/fault.hpp"
#include "play/words.hpp"

namespace halfopen::control {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

[[noreturn]] void not_in_this_state(std::string says) {
  throw not_now{{refusal::kind::wrong_state, std::move(says)}};
}

std::vector<std::string> joined(std::vector<std::string> all, const std::vector<std::string>& own) {
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

}  // namespace

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

}  // namespace halfopen::control
