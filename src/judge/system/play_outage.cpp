// One outage, from a steady system to a steady system, or to the end of patience.

#include "judge/system/play_outage.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <tuple>

#include "halfopen/lab/error.hpp"
#include "halfopen/trace/story.hpp"
#include "judge/busy.hpp"
#include "judge/sentences.hpp"
#include "judge/sheet.hpp"
#include "judge/stage.hpp"
#include "judge/system/hung_ask.hpp"
#include "judge/system/lost_dependency.hpp"
#include "judge/system/outage_sentences.hpp"
#include "judge/system/service_looks.hpp"
#include "judge/system/usual_request.hpp"
#include "play/capture.hpp"

namespace halfopen::judge {
namespace {

namespace fs = std::filesystem;

/// Longer than any timer of the kernel at its defaults but keepalive's two hours.
constexpr milliseconds lasting_virtual = std::chrono::minutes(30);
/// "Never" is said after so long.
constexpr milliseconds watched_virtual = std::chrono::hours(3);
/// So long a use of a connection that was forgotten is waited for.
constexpr milliseconds until_unused(5'000);
constexpr std::size_t many = 10;

class outage_play {
 public:
  outage_play(const judge_case& c, const system& what, const steady_state& usual, const fs::path& capture)
      : case_(c),
        row_(*c.outage),
        name_{std::string(c.link_from), std::string(c.link_to)},
        usual_(usual),
        capture_(capture, fmt::format("halfopen test: {}: {}", c.id, c.done)),
        sheet_(c),
        soon_(std::max<milliseconds>(5s, 10 * usual.probe.took)),
        scene_(
            what, what.patience(),
            [this](const lab::record& r) {
              capture_.take(r);
              seen_packets_.take(r);
              packets_.take(r);
            },
            row_.how == outage::moved ? std::vector<std::string>{name_.to} : std::vector<std::string>{}),
        proofs_(scene_.lab, sheet_.facts.checks, soon_),
        link_{scene_, usual, proofs_, packets_, name_, soon_},
        service_(link_.service()),
        dependency_(link_, row_.how),
        hung_(link_, row_.how) {
    sheet_.facts.evidence = capture;
    std::map<trace::ip_address, std::string> names{{scene_.lab.router(), "router"}};
    for (const auto& h : scene_.lab.hosts()) names[h->address()] = h->name();
    const auto& to = scene_.host(name_.to).address();
    seen_packets_.know(std::move(names), service_.address(), to);
    std::optional<trace::ip_address> spare;
    if (row_.how == outage::moved) spare = scene_.host(spare_of(name_.to)).address();
    packets_.know(service_.address(), to, spare, scene_.lab.hosts().size());
    capture_.describe(scene_.lab);
    for (asker& a : scene_.askers) {
      if (is_away_for_all(row_.how))
        a.asks_itself = [this] { return !sockets_to_dependency(scene_.user, link_).empty(); };
      a.expect(a.what() == probe_kind::probe    ? usual.probe
               : a.what() == probe_kind::health ? usual.health
                                                : usual.other);
    }
    scene_.pace_asks(2 * usual.probe.took, usual.concurrent ? 8 : 1);
    scene_.meanwhile = [this] { look_after_programs(); };
  }

  case_result play() {
    if (row_.how == outage::not_there_yet)
      begin_without_it();
    else
      begin();
    if (row_.how == outage::ten_times)
      lose_ten_times();
    else
      lose_once();
    until_settled();
    return conclude();
  }

 private:
  const system& what() const { return scene_.description; }

  // ---- to a steady state

  void begin() {
    scene_.start_all();
    if (row_.how == outage::moved) {
      scene_.begin(spare_of(name_.to), name_.to);
      scene_.until_ready(spare_of(name_.to), name_.to, what().clean_limit);
    }
    if (!scene_.until_steady(what().clean_limit))
      throw lab::error("the system did not come to a steady state: " + scene_.probe().last_errors());
    // A call may have a limit that is shorter than that: whether these are served is not asked.
    const lab::match replies = link_.to_service() && lab::payload();
    if (usual_.concurrent && !scene_.ask_at_once(4, &replies) && !scene_.until_steady(what().clean_limit))
      throw lab::error("the system did not come back to a steady state after four asks at one time");
    accept_what_time_changed();
    if (row_.when == outage_moment::in_flight) request_.emplace(link_);
    if (!what().virtual_clock && length() >= 5s) {
      const busy_watch watch(service_);
      scene_.go_on(500ms);
      busy_before_ = watch.share(too_busy).value_or(0);
    }
  }

  /// What is told of a health endpoint's or another one's output is the exit status, if it changes by itself.
  void accept_what_time_changed() {
    for (asker& a : scene_.askers)
      if (a.what() != probe_kind::probe && scene_.ask_alone(a).how == ask_end::wrong) a.expect_anything();
  }

  /// The service, and whoever needs it, are started while the dependency is away.
  void begin_without_it() {
    std::vector<std::string> later{name_.to, name_.from};
    for (const system_host* h : what().start_order())
      for (const std::string& needed : h->needs)
        if (std::ranges::count(later, needed) > 0 && std::ranges::count(later, h->name) == 0)
          later.push_back(h->name);
    if (what().without_fault) std::erase(later, name_.to);
    scene_.start_all(later);
    later_ = later;
  }

  // ---- the outage

  [[nodiscard]] milliseconds length() const {
    const milliseconds shortened = what().limit + 3s;
    switch (row_.length) {
      case outage_length::none:
        return milliseconds(0);
      case outage_length::brief:
        return 1s;
      case outage_length::some:
        return 5s;
      case outage_length::half_minute:
        return what().virtual_clock ? milliseconds(30s) : std::min<milliseconds>(30s, shortened);
      case outage_length::lasting:
        break;
    }
    return what().virtual_clock ? lasting_virtual : shortened;
  }

  void mark_fault() {
    fault_at_ = lab::experiment::now();
    if (usual_.forgetful.contains(name_.to)) scene_.probe().expect_anything();
    for (asker& a : scene_.askers) a.count_from(fault_at_);
    faulted_ = true;
    if (!row_.unasked) scene_.ask_from(fault_at_);
  }

  /// Whoever listens is asked from then on; it may as well wait for its dependency first.
  void start_service() {
    scene_.begin(name_.from, name_.from);
    for (const std::string& name : later_)  // whoever needs it starts in the meantime
      if (name != name_.to && name != name_.from) scene_.begin(name, name);
    const auto started = std::max<milliseconds>(3s, 3 * usual_.start_of(name_.from));
    const bool serves = what().find(name_.from)->serves;
    listened_ = serves && scene_.go_on(started, [&] {
      return scene_.program(name_.from)->ended() || scene_.listens(name_.from, name_.from);
    });
  }

  void lose_once() {
    flight_began_ = lab::experiment::now();
    reach(row_.when, link_);
    if (row_.how == outage::not_there_yet) start_service();
    mark_fault();
    dependency_.lose();
    dependency_.prove_lost();
    if (row_.when == outage_moment::mid_reply) scene_.lab.release();
    scene_.go_on(length());
    hung_.look_at_the_end(fault_at_);
    if (length() >= 5s && !what().virtual_clock) look_who_burns();
    if (row_.how == outage::lost_again) lose_at_each_packet();
    if (row_.again) lose_once_more(*row_.again);
    give_back();
  }

  /// While nobody asks: what asks cost is no loop of the service's own.
  void look_who_burns() {
    scene_.stop_asking();
    scene_.go_on(what().patience() + 1s, [&] { return nobody_asks(); });
    const busy_watch watch(service_);
    scene_.go_on(1s);
    if (nobody_asks() && busy_before_ < too_busy / 2) seen_.busy = watch.share(too_busy);
  }

  [[nodiscard]] bool nobody_asks() const {
    return std::ranges::all_of(scene_.askers, [](const asker& a) { return a.under_way() == 0; });
  }

  /// The dependency is back; the service finds it when somebody looks, and not before.
  void let_it_reconnect() {
    if (!what().without_fault) lab::cut(service_, link_.dependency());
    dependency_.give_back();
    if (!what().without_fault) lab::heal(service_, link_.dependency());
    scene_.probe().ask_now();
  }

  /// While the service reconnects: at its SYN, at the end of the handshake, at its first words.
  void lose_at_each_packet() {
    const lab::match own = link_.to_dependency();
    bool hit = false;
    for (const auto& [which, name] : {std::pair{own && lab::syn(), "SYN"},
                                      std::pair{own && lab::flags(trace::ack) && !lab::payload(), "ACK"},
                                      std::pair{own && lab::payload(), "first words"}}) {
      let_it_reconnect();
      if (scene_.lab.before(which, soon_))
        hit = proofs_.prove(true, fmt::format("lost again at its {}", name));
      dependency_.lose();
      scene_.go_on(1s);
    }
    proofs_.prove(hit, "it was lost again while the service reconnected");
  }

  /// The service has come so far that a packet of its new connections is on the cable; to be reset, one of
  /// them must be complete, which comes later if several are opened at one time.
  void lose_once_more(const lost_once_more& again) {
    let_it_reconnect();
    std::size_t seen = 0;
    std::uint64_t last = scene_.lab.packets();
    bool complete = again.how != outage::reset;
    const lab::match on_link = link_.to_dependency() || link_.to_service();
    const lab::match it([&](const lab::arrival& a) {
      if (a.packet->number <= last || !on_link(a)) return false;
      last = a.packet->number;
      const bool hit = ++seen >= again.at && complete;
      complete = complete || !link_.open_connections().empty();
      return hit;
    });
    if (!scene_.lab.before(it, what().patience())) {
      if (what().without_fault)
        return void(proofs_.prove(false, "a packet of the reconnection is on its way"));
      // A service that died of the first loss comes to no second one: what it did is judged.
      if (is_gone()) return;
      throw no_verdict(obstacle::not_there,
                       fmt::format("the reconnection of {} had no packet {}{}", name_.from, again.at,
                                   complete ? "" : " of a connection that was complete"));
    }
    proofs_.prove_current(
        fmt::format("packet {} of the reconnection, from {}, is on its way", seen,
                    scene_.lab.current().source == service_.address() ? name_.from : name_.to));
    lost_once_more_.emplace(link_, again.how);
    lost_once_more_->lose();
    lost_once_more_->prove_lost();
    scene_.go_on(1s);
  }

  [[nodiscard]] lost_dependency& lost_last() { return lost_once_more_ ? *lost_once_more_ : dependency_; }

  void lose_ten_times() {
    seen_.after_each.push_back(possessions_of(service_));
    mark_fault();
    for (std::size_t i = 0; i < many; ++i) {
      scene_.stop_asking();
      scene_.go_on(2 * what().clean_limit, [&] { return scene_.probe().under_way() == 0; });
      const bool kill = i % 2 == 0;
      lost_dependency once(link_, kill ? outage::killed : outage::reset);
      if (!kill && link_.open_connections().empty()) continue;
      once.lose();
      if (i < 2) once.prove_lost();
      scene_.ask_from(lab::experiment::now());
      scene_.go_on(500ms);
      once.give_back();
      const auto back = lab::experiment::now();
      scene_.ask_from(back);
      scene_.go_on(what().recover, [&] { return steady_since(back); });
      scene_.stop_asking();
      scene_.go_on(1s);
      seen_.after_each.push_back(possessions_of(service_));
    }
    seen_.back = since_fault();
    scene_.ask_from(lab::experiment::now());
    dependency_.prove_back();
  }

  void give_back() {
    lost_last().give_back();
    for (const std::string& name : later_)
      if (scene_.program(name) == nullptr) scene_.begin(name, name);
    seen_.back = row_.length == outage_length::none ? milliseconds(0) : since_fault();
    const bool came_and_went = row_.how == outage::lost_again || row_.again;
    if (seen_.back > 0ms && !came_and_went) seen_.away = seen_.back;
    scene_.ask_from(lab::experiment::now());
    dependency_.prove_back();
  }

  // ---- after

  [[nodiscard]] milliseconds since_fault() const {
    return std::chrono::round<milliseconds>(lab::experiment::now() - fault_at_);
  }

  [[nodiscard]] bool steady_since(trace::time_point when) const {
    return served_again(scene_.asks, std::chrono::round<milliseconds>(when - fault_at_)).has_value();
  }

  /// Served again, and some at one time, so that every connection of a pool is tried.
  bool is_settled() {
    const auto back = fault_at_ + seen_.back;
    if (!steady_since(back)) return false;
    if (!burst_ && usual_.concurrent && std::ranges::count(scene_.asks, probe_kind::probe, &ask::what) > 0) {
      burst_ = true;
      for (int i = 0; i < 4; ++i) scene_.probe().ask_now();
      return false;
    }
    if (dependency_.unused() && since_fault() < seen_.back + until_unused) return false;
    return scene_.probe().under_way() == 0;
  }

  /// It was asked for some time, and no ask met what was forgotten.
  void need_a_use() const {
    const bool all_served = std::ranges::all_of(
        seen_.asks, [](const ask& a) { return a.what != probe_kind::probe || a.how == ask_end::served; });
    if (what().without_fault || !all_served || !dependency_.unused()) return;
    throw no_verdict(
        obstacle::not_there,
        fmt::format("{} keeps idle connections to {}, and none of {} asks used one of them: each was put "
                    "on another connection",
                    name_.from, name_.to, std::ranges::count(seen_.asks, probe_kind::probe, &ask::what)));
  }

  void until_settled() {
    // What is only a first look is watched to its end under the virtual clock.
    const bool first_look = what().patience() < what().limit;
    const milliseconds patience = what().virtual_clock ? watched_virtual
                                  : first_look         ? what().recover + what().patience()
                                               : std::max<milliseconds>(6 * what().recover, what().limit);
    scene_.go_on(patience, [&] {
      if (is_gone()) return true;
      return is_settled();
    });
    seen_.watched = since_fault() - seen_.back;
    scene_.stop_asking();
    scene_.go_on(what().patience() + 1s, [&] { return nobody_asks(); });
    for (asker& a : scene_.askers) a.give_up(scene_.asks);
  }

  // ---- what is seen of the service

  /// The service has ended, and nobody starts it again.
  [[nodiscard]] bool is_gone() const {
    return scene_.program(name_.from)->ended() && !what().find(name_.from)->restart;
  }

  /// Their ends, and who starts them again.
  void look_after_programs() {
    if (!faulted_) return;
    hung_.look(fault_at_);
    for (const system_host& h : what().hosts) {
      const lab::process* p = scene_.program(h.name);
      if (h.name == name_.to || p == nullptr || !p->ended()) continue;
      if (h.name == name_.from) note_end_of_service(*p);
      if (!h.restart || lab::experiment::now() - p->ended()->when < pause_before_restart(h.name)) continue;
      if (h.name == name_.from) seen_.restarted = true;
      scene_.begin(h.name, h.name);
    }
  }

  /// Longer each time, up to five seconds.
  milliseconds pause_before_restart(const std::string& host) {
    const lab::process* now = scene_.program(host);
    auto& [last, times] = restarts_[host];
    if (last != now) {
      last = now;
      times = std::min(times + 1, 5);
    }
    return 1s * times;
  }

  void note_end_of_service(const lab::process& p) {
    if (!seen_.ended) {
      seen_.ended = p.ended();
      seen_.ended_at = std::chrono::round<milliseconds>(p.ended()->when - fault_at_);
    }
    note_end(p);
  }

  /// A third host of the system has ended, and nobody starts it again.
  void need_the_others() const {
    for (const system_host& h : what().hosts) {
      const lab::process* p = scene_.program(h.name);
      if (h.name == name_.from || h.name == name_.to || p == nullptr || !p->ended() || h.restart) continue;
      if (!served_again(seen_))
        throw no_verdict(obstacle::no_means,
                         fmt::format("the command of host '{}' has ended, so that nobody can see "
                                     "what {} does; if somebody starts it again, say restart = true",
                                     h.name, name_.from));
    }
  }

  void note_end(const lab::process& p) {
    const auto at = seen_packets_.milliseconds_at(p.ended()->when).value_or(0);
    auto& ends = sheet_.facts.ends;
    if (!ends.empty() && ends.back().at_ms == at) return;
    ends.push_back({at, name_.from, p.ended()->code, p.ended()->signal});
  }

  // ---- the verdict

  case_result conclude() {
    scene_.meanwhile = {};
    look_after_programs();
    seen_.asks = scene_.asks;
    // Until it listens, nothing of it can be served; nor of those that are started after it.
    const bool others_wait = later_.size() > 2;
    const milliseconds there = others_wait ? served_again(seen_).value_or(milliseconds::max()) : seen_.back;
    if (!listened_ || others_wait)
      std::erase_if(seen_.asks, [&](const ask& a) { return a.what == probe_kind::other && a.begun < there; });
    seen_.limit = what().patience();
    seen_.recover = what().recover;
    seen_.serves = what().find(name_.from)->serves;
    seen_.usual_probe = usual_.probe.took;
    seen_.usual_other = usual_.other.took;
    seen_.moved = row_.how == outage::moved;
    seen_.fresh_data = row_.how == outage::moved || what().disk_lost || usual_.forgetful.contains(name_.to);
    seen_.stands_behind = std::ranges::any_of(
        what().hosts, [&](const system_host& h) { return std::ranges::count(h.needs, name_.from) > 0; });
    seen_.spoke_again = packets_.spoke_since(fault_at_ + seen_.back);
    need_the_others();
    need_a_use();
    seen_.waits = hung_.waits();
    seen_.attempts = attempts_since(fault_at_, link_);
    seen_.stale_uses = packets_.stale_uses(scene_.lab.traffic().connections(), fault_at_);
    if (row_.how != outage::ten_times) {
      if (request_) seen_.requests = request_->said_since(flight_began_);
      dependency_.prove_afterwards();
    }
    for (const look_finding& f : decide(seen_)) conclude(f);
    return finish();
  }

  void conclude(const look_finding& f) {
    const outage_names names{name_.from, name_.to, what().limit, what().virtual_clock};
    wording said = say(seen_, f, names);
    sheet_.facts.looks.push_back({f.at, f.found.verdict, f.found.did, said.happened});
    sheet_.note(f.found, std::move(said));
  }

  case_result finish() {
    proofs_.prove(scene_.lab.lost_to_capture() == 0, "the capture is complete");
    scene_.lab.end_recording();
    case_result& facts = sheet_.facts;
    if (const auto problem = capture_.close()) throw lab::error(*problem);
    facts.fault_at_ms = seen_packets_.milliseconds_at(fault_at_);
    facts.asks = seen_.asks;
    facts.back_after = seen_.back;
    facts.connections = connections_since(fault_at_, link_, dependency_.now().address());
    facts.happened = summary_of(seen_, {name_.from, name_.to, what().limit, what().virtual_clock});
    facts.provisional = what().patience() < what().limit;
    facts.packets = seen_packets_.give();
    for (const auto& h : what().hosts)
      if (const lab::process* p = scene_.program(h.name))
        facts.outputs.push_back({h.name, p->output(), p->errors()});
    facts.kept_waiting = std::chrono::round<milliseconds>(scene_.kept_waiting().so_far());
    const std::string served = facts.happened;
    case_result made = std::move(sheet_).finish();
    if (made.verdict == verdict::pass) made.happened = served;
    made.provisional = made.provisional && needs_confirmation(made.verdict, made.rests_on);
    return made;
  }

  const judge_case& case_;
  const outage_row row_;
  const link name_;
  const steady_state& usual_;
  play::capture capture_;
  packets_seen seen_packets_;
  link_traffic packets_;
  sheet sheet_;
  const milliseconds soon_;
  scene scene_;
  play::proofs proofs_;
  judged_link link_;
  lab::host& service_;
  lost_dependency dependency_;
  hung_ask hung_;
  std::optional<lost_dependency> lost_once_more_;
  outage_seen seen_;
  std::vector<std::string> later_;
  std::optional<usual_request> request_;
  trace::time_point fault_at_ = lab::experiment::now(), flight_began_{};
  std::map<std::string, std::pair<const lab::process*, int>> restarts_;
  double busy_before_ = 0;
  bool faulted_ = false, burst_ = false, listened_ = true;
};

}  // namespace

case_result play_outage(const judge_case& c, const system& what, const steady_state& usual,
                        const fs::path& capture) {
  return outage_play(c, what, usual, capture).play();
}

}  // namespace halfopen::judge
