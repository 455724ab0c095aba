#include "judge/system/scene.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <chrono>
#include <regex>

#include "halfopen/lab/error.hpp"
#include "judge/pair.hpp"

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds longest_interval{60'000};
/// How often those are looked at that run without an event of their own.
constexpr milliseconds look_again{100};

std::vector<std::string> joined(const std::vector<std::string>& all, const std::vector<std::string>& own) {
  std::vector<std::string> made = all;
  made.insert(made.end(), own.begin(), own.end());
  return made;
}

}  // namespace

lab::options scene::options(std::function<void(const lab::record&)> recorder,
                            const std::vector<std::string>& spares_for) {
  lab::options made;
  made.hosts.clear();
  for (const system_host& h : description.hosts) made.hosts.push_back(h.name);
  for (const std::string& name : spares_for) made.hosts.push_back(spare_of(name));
  made.hosts.emplace_back(user_host);
  made.hosts.emplace_back(witness_host);
  made.ip = description.ip;
  made.recorder = std::move(recorder);
  if (!description.virtual_clock)  // there nobody waits for a processor
    made.excused = [this] { return waits_ ? waits_->up_to_now() : std::chrono::nanoseconds::zero(); };
  return made;
}

scene::scene(const system& what, milliseconds ask_limit, std::function<void(const lab::record&)> recorder,
             const std::vector<std::string>& spares_for)
    : description(what),
      lab(options(std::move(recorder), spares_for)),
      user(lab.at(user_host)),
      witness(lab.at(witness_host)) {
  std::vector<const lab::host*> all;
  for (const auto& h : lab.hosts()) all.push_back(h.get());
  waits_.emplace(std::move(all));
  const auto add = [&](probe_kind kind, const std::string& command) {
    if (!command.empty()) askers.emplace_back(user, *waits_, kind, command, what.environment, ask_limit);
  };
  add(probe_kind::probe, what.ask.probe);
  add(probe_kind::health, what.ask.health);
  add(probe_kind::other, what.ask.other);
}

lab::process* scene::program(const std::string& host_name) const {
  const auto found = programs_.find(host_name);
  return found == programs_.end() ? nullptr : found->second;
}

lab::process& scene::begin(const std::string& host_name, const std::string& role) {
  const system_host& h = *description.find(role);
  lab::program what;
  what.argv = {"/bin/sh", "-c", h.command};
  what.environment = joined(description.environment, h.environment);
  what.root = h.root;
  lab::process& p = host(host_name).start(std::move(what));
  p.close_input();
  programs_[host_name] = &p;
  return p;
}

bool scene::listens(const std::string& host_name, const std::string& role) {
  const auto wanted = description.find(role)->port;
  return std::ranges::any_of(host(host_name).listeners(), [&](const lab::listener& l) {
    return l.what == lab::listener::protocol::tcp && l.reachable_from_others() &&
           (!wanted || *wanted == l.at.port);
  });
}

bool scene::is_ready(const std::string& host_name, const std::string& role) {
  const system_host& h = *description.find(role);
  if (h.serves && !listens(host_name, role)) return false;
  if (h.ready.empty()) return true;
  const std::regex ready(h.ready);
  const lab::process& p = *program(host_name);
  return std::regex_search(p.output(), ready) || std::regex_search(p.errors(), ready);
}

milliseconds scene::until_ready(const std::string& host_name, const std::string& role, milliseconds limit) {
  const system_host& h = *description.find(role);
  const lab::process& p = *program(host_name);
  const auto began = lab::experiment::now();
  go_on(limit, [&] { return p.ended() || is_ready(host_name, role); });
  // Who opens several ports opens them one after the other. Where the user says what ready is, that is it.
  if (!p.ended() && !h.port && h.ready.empty()) go_on(settled);
  if (p.ended())
    throw not_ready(host_name, not_ready::why::ended, "the command of host '" + host_name + "' has ended");
  if (h.serves && !listens(host_name, role))
    throw not_ready(host_name, not_ready::why::does_not_listen,
                    "the command of host '" + host_name + "' does not listen where others could reach it");
  if (!is_ready(host_name, role))
    throw not_ready(host_name, not_ready::why::never_says_ready,
                    "host '" + host_name + "' never printed what ready = \"" + h.ready + "\" waits for");
  return std::chrono::round<milliseconds>(lab::experiment::now() - began);
}

void scene::start_all(const std::vector<std::string>& but) {
  for (const system_host* h : description.start_order()) {
    if (std::ranges::count(but, h->name) > 0) continue;
    begin(h->name, h->name);
    until_ready(h->name, h->name, description.clean_limit);
  }
}

void scene::ask_from(trace::time_point since) {
  asking_since_ = since;
  next_ask_ = since;
}

void scene::pace_asks(milliseconds least, std::size_t most) noexcept {
  least_interval_ = std::max(least_interval_, least);
  most_at_once_ = most;
}

void scene::stop_asking() {
  asking_since_.reset();
}

/// Ends are told by events, which wake the lab; the rest is looked at when it is due.
void scene::look_at_asks() {
  const auto now = lab::experiment::now();
  for (asker& a : askers) a.look(asks);
  if (!asking_since_ || now < next_ask_) return;
  for (asker& a : askers)
    if (a.under_way_since(*asking_since_) < most_at_once_) a.ask_now();
  const auto since = std::chrono::round<milliseconds>(now - *asking_since_);
  next_ask_ = now + std::clamp(since / 20, least_interval_, std::max(least_interval_, longest_interval));
}

milliseconds scene::next_thing(milliseconds left) const {
  const auto now = lab::experiment::now();
  auto due = now + left;
  if (asking_since_) due = std::min(due, next_ask_);
  for (const asker& a : askers)
    if (const auto limit = a.next_limit()) due = std::min(due, *limit + 1ms);
  const auto pause = std::chrono::ceil<milliseconds>(due - now);
  const auto long_since =
      asking_since_ ? std::chrono::round<milliseconds>(now - *asking_since_) / 50 : look_again;
  const milliseconds longest = meanwhile ? std::max(look_again, long_since) : left;
  return std::clamp(pause, 1ms, std::max(longest, 1ms));
}

bool scene::go_on(milliseconds how_long, const std::function<bool()>& until) {
  const auto began = lab::experiment::now();
  const auto excused_now = [&] {
    return description.virtual_clock ? std::chrono::nanoseconds::zero() : waits_->up_to_now();
  };
  const auto excused_before = excused_now();
  for (;;) {
    look_at_asks();
    if (meanwhile) meanwhile();
    if (until && until()) return true;
    const auto excused = until ? excused_now() - excused_before : std::chrono::nanoseconds::zero();
    const auto left = std::chrono::round<milliseconds>(how_long + excused - (lab::experiment::now() - began));
    if (left <= milliseconds::zero()) return false;
    const auto ended = asks.size();
    lab.until(
        [&] {
          for (asker& a : askers) a.look(asks);
          return asks.size() != ended || (until && until());
        },
        next_thing(left));
  }
}

ask scene::ask_alone(asker& who) {
  const auto before = asks.size();
  who.ask_now();
  go_on(2 * description.clean_limit, [&] { return who.under_way() == 0; });
  ask made = before < asks.size() ? asks.back() : ask{.how = ask_end::cut_short};
  asks.resize(before);
  return made;
}

bool scene::until_steady(milliseconds limit) {
  const auto began = lab::experiment::now();
  for (std::size_t in_a_row = 0; in_a_row < steady_asks;) {
    in_a_row = ask_alone(probe()).how == ask_end::served ? in_a_row + 1 : 0;
    if (in_a_row > 0) continue;
    if (lab::experiment::now() - began > limit) return false;
    go_on(200ms);
  }
  return true;
}

bool scene::ask_at_once(std::size_t count, const lab::match* slow) {
  const auto before = asks.size();
  if (slow != nullptr) lab.hold(*slow);
  for (std::size_t i = 0; i < count; ++i) probe().ask_now();
  if (slow != nullptr) {
    lab.until_quiet(200ms, 800ms);
    lab.release();
  }
  go_on(2 * description.clean_limit, [&] { return probe().under_way() == 0; });
  const bool all = std::all_of(asks.begin() + static_cast<std::ptrdiff_t>(before), asks.end(),
                               [](const ask& a) { return a.how == ask_end::served; });
  asks.resize(before);
  return all;
}

}  // namespace halfopen::judge
