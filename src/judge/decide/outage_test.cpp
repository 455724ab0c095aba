#include "judge/decide/outage.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;

ask probe(milliseconds begun, ask_end how, milliseconds took = 10ms) {
  return {.what = probe_kind::probe, .begun = begun, .took = took, .how = how};
}
ask health(milliseconds begun, bool yes) {
  return {.what = probe_kind::health,
          .begun = begun,
          .took = 10ms,
          .how = yes ? ask_end::served : ask_end::refused};
}
ask other(milliseconds begun, ask_end how, milliseconds took = 10ms) {
  return {.what = probe_kind::other, .begun = begun, .took = took, .how = how};
}

/// Away for 5 s, refused meanwhile, and served from then on.
outage_seen recovering() {
  outage_seen s;
  s.back = 5s;
  s.limit = 20s;
  s.recover = 10s;
  s.watched = 3s;
  s.asks = {probe(-20ms, ask_end::refused, 30ms), probe(1s, ask_end::refused)};
  for (const milliseconds at : {5100ms, 5300ms, 5500ms}) s.asks.push_back(probe(at, ask_end::served));
  return s;
}

look_finding at(const outage_seen& seen, look l) {
  const auto all = decide(seen);
  const auto found = std::ranges::find(all, l, &look_finding::at);
  EXPECT_NE(found, all.end()) << to_string(l);
  return found == all.end() ? look_finding{} : *found;
}

void expect(const outage_seen& seen, look l, verdict v, outcome o, basis b = basis::event) {
  const look_finding f = at(seen, l);
  EXPECT_EQ(f.found.verdict, v) << to_string(l);
  EXPECT_EQ(f.found.did, o) << to_string(l);
  EXPECT_EQ(f.found.rests_on, b) << to_string(l);
}

TEST(outage, a_service_that_refuses_and_comes_back_passes_every_look) {
  const auto all = decide(recovering());
  EXPECT_EQ(all.size(), 4U);  // nobody asked the health endpoint, nothing else was counted
  for (const look_finding& f : all) EXPECT_EQ(f.found.verdict, verdict::pass) << to_string(f.at);
  expect(recovering(), look::during, verdict::pass, outcome::refuses);
  expect(recovering(), look::after, verdict::pass, outcome::serves_again);
  EXPECT_EQ(at(recovering(), look::after).figure, 110ms);
  EXPECT_EQ(at(recovering(), look::during).count, 2U);
}

TEST(outage, asks_that_are_served_meanwhile_are_the_best_answer) {
  outage_seen s = recovering();
  s.asks[0].how = s.asks[1].how = ask_end::served;
  expect(s, look::during, verdict::pass, outcome::serves_on);
}

TEST(outage, an_ask_that_hangs_fails_by_time) {
  outage_seen s = recovering();
  s.asks[1].how = ask_end::hung;
  s.asks[1].took = 20s;
  expect(s, look::during, verdict::fail, outcome::lets_hang, basis::time);
  EXPECT_EQ(at(s, look::during).example, 1U);
  s.asks[1].how = ask_end::cut_short;  // nothing is said of it
  expect(s, look::during, verdict::pass, outcome::refuses);
}

TEST(outage, of_a_hang_on_one_connection_the_kernels_length_is_told) {
  outage_seen s = recovering();
  s.asks[1].how = ask_end::hung;
  s.asks[1].took = 20s;
  EXPECT_EQ(at(s, look::during).found.length, hang_length{});
  waiting_socket one;
  one.length.by_kernel.reset();  // nothing of the kernel's would end it
  s.waits = waits_seen{.how = waits_on::unanswered, .sockets = {one}};
  EXPECT_EQ(at(s, look::during).found.length, hang_length{});
  s.waits->sockets.front().length.by_kernel = 924s;
  EXPECT_EQ(at(s, look::during).found.length, (hang_length{hang_length::source::computed, 924s}));
  s.waits->sockets.push_back(one);  // on which it waits is not known
  EXPECT_EQ(at(s, look::during).found.length, hang_length{});
}

TEST(outage, of_asks_that_wait_on_a_connection_of_their_own_nothing_is_said) {
  outage_seen s = recovering();
  s.asks[1].how = ask_end::hung;
  s.asks[1].took = 20s;
  s.asks[1].asks_itself = true;
  expect(s, look::during, verdict::inconclusive, outcome::lets_hang);
  EXPECT_EQ(at(s, look::during).found.why, obstacle::asks_itself);
  EXPECT_EQ(at(s, look::during).count, 1U);
  s.asks[0].how = ask_end::hung;  // of this one it can be said
  s.asks[0].took = 20s;
  expect(s, look::during, verdict::fail, outcome::lets_hang, basis::time);
  EXPECT_EQ(at(s, look::during).count, 1U);
  s.asks[0] = probe(-20ms, ask_end::refused, 30ms);
  s.asks[1].begun = 6s;  // the dependency was back, so that its own connection is none to wait on
  expect(s, look::during, verdict::fail, outcome::lets_hang, basis::time);
}

TEST(outage, of_several_asks_the_slowest_is_the_example) {
  outage_seen s = recovering();
  s.asks[0].took = 3s;
  EXPECT_EQ(at(s, look::during).example, 0U);
  s.asks[1].took = 4s;
  EXPECT_EQ(at(s, look::during).example, 1U);
}

TEST(outage, an_answer_that_is_wrong_fails) {
  outage_seen s = recovering();
  s.asks[1].how = ask_end::wrong;
  expect(s, look::during, verdict::fail, outcome::answers_wrong);
  s.asks[1].figures_only = true;  // and the usual figures came back
  expect(s, look::during, verdict::fail, outcome::answers_wrong);
}

TEST(outage, of_answers_whose_figures_change_for_good_nothing_is_said) {
  outage_seen s = recovering();
  for (std::size_t i = 1; i < s.asks.size(); ++i) {
    s.asks[i].how = ask_end::wrong;
    s.asks[i].figures_only = true;
  }
  expect(s, look::during, verdict::inconclusive, outcome::answers_wrong);
  EXPECT_EQ(at(s, look::during).found.why, obstacle::varies);
  expect(s, look::after, verdict::inconclusive, outcome::never_serves_again, basis::time);
  EXPECT_EQ(at(s, look::after).found.why, obstacle::varies);
  s.asks.push_back(other(6s, ask_end::wrong));
  expect(s, look::during, verdict::inconclusive, outcome::answers_wrong);
  s.asks[2].figures_only = false;
  expect(s, look::during, verdict::fail, outcome::answers_wrong);
  expect(s, look::after, verdict::fail, outcome::never_serves_again, basis::time);
}

TEST(outage, who_speaks_with_its_dependency_again_may_not_be_the_one_that_fails) {
  outage_seen s = recovering();
  for (ask& a : s.asks) a.how = ask_end::refused;
  s.stands_behind = s.fresh_data = true;
  expect(s, look::after, verdict::fail, outcome::never_serves_again, basis::time);
  s.spoke_again = true;
  EXPECT_EQ(at(s, look::after).found.why, obstacle::varies);
  s.fresh_data = false;
  EXPECT_EQ(at(s, look::after).found.why, obstacle::no_means);
  s.stands_behind = false;
  expect(s, look::after, verdict::fail, outcome::never_serves_again, basis::time);
  s.asks.clear();
  expect(s, look::after, verdict::fail, outcome::never_serves_again, basis::time);
}

TEST(outage, who_refuses_after_more_than_half_of_the_limit_is_warned) {
  outage_seen s = recovering();
  s.asks[1].took = 10s;
  expect(s, look::during, verdict::pass, outcome::refuses);
  s.asks[1].took = 10001ms;
  expect(s, look::during, verdict::warn, outcome::refuses_late, basis::time);
  s.asks[1].kept_waiting = 5s;  // by the machine
  expect(s, look::during, verdict::pass, outcome::refuses);
  s.asks[1].kept_waiting = 0ms;
  s.serves = false;  // a worker: whoever asks it waits as long as it likes
  expect(s, look::during, verdict::pass, outcome::refuses);
}

TEST(outage, of_an_ask_that_a_busy_machine_let_outlast_the_limit_nothing_is_said) {
  outage_seen s = recovering();
  s.usual_probe = 50ms;
  for (const ask_end how : {ask_end::served, ask_end::refused}) {
    s.asks[1].how = how;
    s.asks[1].took = 20051ms;
    expect(s, look::during, verdict::inconclusive, outcome::lets_hang, basis::time);
    EXPECT_EQ(at(s, look::during).found.why, obstacle::too_busy);
    EXPECT_EQ(at(s, look::during).example, 1U);
  }
  s.asks.push_back(probe(1100ms, ask_end::served, 25s));  // the longest is the example
  s.asks.push_back(probe(1200ms, ask_end::served, 21s));
  EXPECT_EQ(at(s, look::during).figure, 25s);
  s.asks[0].how = ask_end::hung;  // another one hung beyond doubt
  expect(s, look::during, verdict::fail, outcome::lets_hang, basis::time);
}

TEST(outage, while_programs_wait_for_a_processor_nobody_is_late) {
  outage_seen s = recovering();
  s.asks[1].took = 12s;
  s.asks[1].kept_waiting = 2s;
  expect(s, look::during, verdict::pass, outcome::refuses);
  s.asks[1].kept_waiting = 1999ms;
  expect(s, look::during, verdict::warn, outcome::refuses_late, basis::time);
  s.asks.push_back(other(2s, ask_end::served, 3s));
  expect(s, look::other, verdict::warn, outcome::stops_others, basis::time);
  s.asks.back().kept_waiting = 2s;
  expect(s, look::other, verdict::pass, outcome::does_as_asked);
}

TEST(outage, what_was_asked_and_answered_before_the_fault_does_not_count) {
  outage_seen s = recovering();
  s.asks[0].how = ask_end::hung;
  s.asks[0].took = 10ms;  // ended 10 ms before
  EXPECT_EQ(at(s, look::during).found.did, outcome::refuses);
  EXPECT_EQ(at(s, look::during).count, 1U);
}

TEST(outage, served_again_is_the_first_ask_after_which_all_are_served) {
  outage_seen s = recovering();
  EXPECT_EQ(served_again(s), 5110ms);
  s.asks.push_back(probe(5600ms, ask_end::refused));  // a dead connection of a pool
  EXPECT_EQ(served_again(s), std::nullopt);
  for (const milliseconds more : {6s, 7s, 8s}) s.asks.push_back(probe(more, ask_end::served));
  EXPECT_EQ(served_again(s), 6010ms);
}

TEST(outage, two_asks_are_no_steady_state) {
  outage_seen s = recovering();
  s.asks.pop_back();
  EXPECT_EQ(served_again(s), std::nullopt);
}

TEST(outage, an_ask_that_began_before_the_return_and_ended_after_it_counts) {
  outage_seen s = recovering();
  s.asks.push_back(probe(4s, ask_end::served, 1050ms));
  EXPECT_EQ(served_again(s), 5050ms);
  s.asks.push_back(probe(4s, ask_end::served));  // before it
  s.asks.push_back(other(4s, ask_end::refused));
  EXPECT_EQ(served_again(s), 5050ms);
}

TEST(outage, of_asks_that_ended_in_another_order_the_last_begin_counts) {
  outage_seen s = recovering();
  s.asks.insert(s.asks.begin(), probe(2s, ask_end::hung, 20s));
  s.asks.push_back(probe(500ms, ask_end::hung, 20s));
  EXPECT_EQ(served_again(s), 5110ms);
}

TEST(outage, a_late_recovery_is_a_warning_with_its_length) {
  outage_seen s = recovering();
  s.recover = 100ms;
  expect(s, look::after, verdict::warn, outcome::serves_again_late, basis::time);
  EXPECT_EQ(at(s, look::after).found.length, (hang_length{hang_length::source::measured, 110ms}));
}

TEST(outage, a_name_that_is_kept_shows_in_attempts_at_the_old_address) {
  outage_seen s = recovering();
  s.attempts = {200ms, 28s, 3s};
  EXPECT_EQ(asked_old_address_until(s), std::nullopt);  // it did not move
  s.moved = true;
  EXPECT_EQ(asked_old_address_until(s), 28s);
  s.attempts = {200ms};  // it had the address already
  EXPECT_EQ(asked_old_address_until(s), std::nullopt);
  s.attempts.clear();
  EXPECT_EQ(asked_old_address_until(s), std::nullopt);
}

/// Nobody asked meanwhile, and the first ask after the return was refused.
outage_seen stale() {
  outage_seen s = recovering();
  s.asks = {probe(5s, ask_end::refused, 30ms)};
  for (const milliseconds at : {6100ms, 6300ms, 6500ms}) s.asks.push_back(probe(at, ask_end::served));
  s.stale_uses = {{.ended = 10ms, .used = 5s + 10ms, .packet = 7}};
  return s;
}

TEST(outage, an_ask_that_fails_on_a_connection_that_had_ended_is_a_warning) {
  outage_seen s = stale();
  expect(s, look::after, verdict::warn, outcome::uses_stale, basis::time);
  EXPECT_EQ(at(s, look::after).count, 1U);
  EXPECT_EQ(at(s, look::after).example, 0U);
  EXPECT_EQ(at(s, look::after).figure, 1110ms);
  s.asks.insert(s.asks.begin() + 1, probe(5100ms, ask_end::wrong));
  s.stale_uses.push_back({.ended = 10ms, .used = 5110ms, .packet = 9});
  EXPECT_EQ(at(s, look::after).count, 2U);
  EXPECT_EQ(at(s, look::after).example, 0U);
  s.attempts = {5105ms};  // after the first
  EXPECT_EQ(at(s, look::after).count, 1U);
  s.recover = 1s;  // that it comes late weighs as much, and has a length
  expect(s, look::after, verdict::warn, outcome::serves_again_late, basis::time);
}

TEST(outage, a_stale_connection_is_to_blame_only_for_an_ask_that_failed_on_it_alone) {
  const auto passes = [](auto change) {
    outage_seen s = stale();
    change(s);
    expect(s, look::after, verdict::pass, outcome::serves_again);
  };
  passes([](outage_seen& s) { s.stale_uses.clear(); });
  passes([](outage_seen& s) { s.asks[0].how = ask_end::served; });  // it tried again on another one
  passes([](outage_seen& s) { s.asks[0].how = ask_end::cut_short; });
  passes([](outage_seen& s) { s.asks[0].what = probe_kind::health; });
  passes([](outage_seen& s) { s.asks[0].begun = 4999ms; });  // it was away
  passes([](outage_seen& s) { s.attempts = {4s}; });         // it may pause after a failure
  passes([](outage_seen& s) { s.attempts = {5030ms}; });
  passes([](outage_seen& s) { s.stale_uses[0].ended = 4501ms; });  // it may not have read it yet
  passes([](outage_seen& s) { s.stale_uses[0].used = 4999ms; });
  passes([](outage_seen& s) { s.stale_uses[0].used = 5031ms; });
}

TEST(outage, no_recovery_fails_as_long_as_it_was_watched) {
  outage_seen s = recovering();
  for (ask& a : s.asks) a.how = ask_end::refused;
  expect(s, look::after, verdict::fail, outcome::never_serves_again, basis::time);
  EXPECT_EQ(at(s, look::after).figure, 3s);
}

TEST(outage, a_service_that_ends_fails_unless_somebody_starts_it_again) {
  outage_seen s = recovering();
  expect(s, look::alive, verdict::pass, outcome::runs_on);
  s.ended = lab::exit_status{1, 0, {}};
  expect(s, look::alive, verdict::fail, outcome::ended);
  s.ended = lab::exit_status{0, SIGPIPE, {}};
  expect(s, look::alive, verdict::fail, outcome::crashed);
  s.restarted = true;
  expect(s, look::alive, verdict::warn, outcome::crashed);
}

/// Refused from 0 to 100 s.
outage_seen long_away() {
  outage_seen s = recovering();
  s.back = 100s;
  s.asks.clear();
  for (int i = 0; i < 100; ++i) s.asks.push_back(probe(i * 1s, ask_end::refused));
  return s;
}

TEST(outage, a_health_endpoint_that_says_yes_for_longer_than_the_limit_lies) {
  outage_seen s = long_away();
  s.asks.push_back(health(100s, true));
  expect(s, look::health, verdict::pass, outcome::does_as_asked);
  s.asks.push_back(probe(101s, ask_end::refused));
  s.asks.push_back(health(102s, true));
  s.asks.push_back(probe(103s, ask_end::refused));
  expect(s, look::health, verdict::pass, outcome::does_as_asked);
  s.asks.push_back(health(121s, true));
  expect(s, look::health, verdict::pass, outcome::does_as_asked);  // who knows what the probe would have got
  s.asks.push_back(probe(122s, ask_end::refused));
  expect(s, look::health, verdict::fail, outcome::says_healthy, basis::time);
  EXPECT_EQ(at(s, look::health).figure, 21s);
}

TEST(outage, a_health_endpoint_does_not_lie_when_the_service_may_not_be_what_keeps_asks_from_being_served) {
  outage_seen s = long_away();
  for (const milliseconds at : {s.back + 1s, s.back + 31s}) {
    s.asks.push_back(probe(at, ask_end::refused));
    s.asks.push_back(health(at + 100ms, true));
    s.asks.push_back(probe(at + 200ms, ask_end::refused));
  }
  expect(s, look::health, verdict::fail, outcome::says_healthy, basis::time);
  s.spoke_again = s.fresh_data = true;  // the database answers, and its tables are gone
  expect(s, look::health, verdict::inconclusive, outcome::says_healthy, basis::time);
  EXPECT_EQ(at(s, look::health).found.why, obstacle::varies);
  EXPECT_EQ(at(s, look::health).figure, 30s);
  s.asks.insert(s.asks.begin() + 1, health(s.back - 100s, true));  // what it said before the return counts
  s.asks.insert(s.asks.begin() + 2, probe(s.back - 80s, ask_end::refused));
  s.asks.insert(s.asks.begin() + 3, health(s.back - 70s, true));
  s.asks.insert(s.asks.begin() + 4, probe(s.back - 60s, ask_end::refused));
  expect(s, look::health, verdict::fail, outcome::says_healthy, basis::time);
}

TEST(outage, a_health_endpoint_that_says_yes_for_a_moment_does_not_lie_whatever_the_service_does) {
  for (outage_seen s : {recovering(), long_away()}) {
    s.asks.push_back(health(s.back + 100ms, true));
    s.spoke_again = s.fresh_data = true;
    expect(s, look::health, verdict::pass, outcome::does_as_asked);
  }
}

TEST(outage, a_no_or_an_ask_that_is_served_ends_a_stretch_of_yes) {
  outage_seen s = long_away();
  s.asks.push_back(health(100s, true));
  s.asks.push_back(health(110s, false));
  s.asks.push_back(other(111s, ask_end::served));
  s.asks.push_back(health(125s, true));
  expect(s, look::health, verdict::pass, outcome::does_as_asked);
  s.asks.push_back(probe(130s, ask_end::served));
  s.asks.push_back(health(140s, true));  // and right
  s.asks.push_back(probe(150s, ask_end::refused));
  s.asks.push_back(health(151s, true));
  expect(s, look::health, verdict::pass, outcome::does_as_asked);
}

TEST(outage, what_needs_no_dependency_goes_on_being_served) {
  outage_seen s = recovering();
  s.asks.push_back(other(1s, ask_end::served));
  expect(s, look::other, verdict::pass, outcome::does_as_asked);
  s.asks.push_back(other(2s, ask_end::served, 1500ms));
  expect(s, look::other, verdict::warn, outcome::stops_others, basis::time);
  s.usual_other = 300ms;  // five times of which are usual
  expect(s, look::other, verdict::pass, outcome::does_as_asked);
  s.asks.push_back(other(3s, ask_end::hung, 20s));
  s.asks.push_back(other(3s, ask_end::served, 5s));
  s.asks.push_back(other(3s, ask_end::refused));
  expect(s, look::other, verdict::fail, outcome::stops_others, basis::time);
  EXPECT_EQ(at(s, look::other).figure, 20s);
  s.asks.push_back(other(4s, ask_end::hung, 21s));
  EXPECT_EQ(at(s, look::other).figure, 21s);
}

std::vector<milliseconds> attempts(int seconds, int each) {
  std::vector<milliseconds> all;
  for (int s = 0; s < seconds; ++s)
    for (int i = 0; i < each; ++i) all.push_back(s * 1000ms + i * 1ms);
  return all;
}

TEST(outage, attempts_without_a_pause_are_a_storm) {
  outage_seen s = recovering();
  s.asks.clear();
  s.attempts = attempts(3, 10);
  expect(s, look::storm, verdict::pass, outcome::does_as_asked);
  s.attempts = attempts(3, 11);
  expect(s, look::storm, verdict::warn, outcome::storms);
  EXPECT_EQ(at(s, look::storm).count, 11U);
  s.attempts = attempts(3, 101);
  expect(s, look::storm, verdict::fail, outcome::storms);
  s.attempts = attempts(2, 500);  // a pool that reconnects at once
  expect(s, look::storm, verdict::pass, outcome::does_as_asked);
}

TEST(outage, what_asks_may_cause_is_no_storm) {
  outage_seen s = recovering();
  s.asks = {probe(0ms, ask_end::refused, 2500ms), health(100ms, false), probe(1100ms, ask_end::refused),
            probe(2100ms, ask_end::refused)};
  s.attempts = attempts(3, 8);
  EXPECT_EQ(at(s, look::storm).count, 0U);
  s.attempts = attempts(3, 30);
  EXPECT_EQ(at(s, look::storm).count, 22U);
}

TEST(outage, who_burns_the_processor_meanwhile_fails) {
  outage_seen s = recovering();
  s.busy = 0.4;
  expect(s, look::storm, verdict::pass, outcome::does_as_asked);
  s.busy = 0.5;
  expect(s, look::storm, verdict::fail, outcome::spins, basis::processor);
  s.attempts = attempts(3, 500);
  expect(s, look::storm, verdict::fail, outcome::storms);
}

TEST(outage, what_grows_with_every_outage_is_a_leak) {
  const possessions usual{.sockets = 3, .descriptors = 9, .threads = 2, .memory = 5 << 20};
  const auto grows = [&](auto change) {
    outage_seen s = recovering();
    for (std::size_t i = 0; i < 6; ++i) {
      possessions p = usual;
      change(p, i);
      s.after_each.push_back(p);
    }
    return s;
  };
  expect(grows([](possessions&, std::size_t) {}), look::leftovers, verdict::pass, outcome::does_as_asked);
  expect(grows([](possessions& p, std::size_t i) { p.sockets += i; }), look::leftovers, verdict::fail,
         outcome::leaks);
  expect(grows([](possessions& p, std::size_t i) { p.descriptors += i; }), look::leftovers, verdict::fail,
         outcome::leaks);
  expect(grows([](possessions& p, std::size_t i) { p.threads += i; }), look::leftovers, verdict::fail,
         outcome::leaks);
  expect(grows([](possessions& p, std::size_t i) { p.memory += i << 21; }), look::leftovers, verdict::pass,
         outcome::does_as_asked);
  outage_seen few = grows([](possessions& p, std::size_t i) { p.sockets += i; });
  few.after_each.resize(4);
  expect(few, look::leftovers, verdict::pass, outcome::does_as_asked);
}

TEST(outage, a_request_that_arrives_more_often_than_it_was_asked_for_is_a_warning) {
  outage_seen s = recovering();
  s.requests = request_count{.arrived = 3, .asks = 3};
  expect(s, look::once, verdict::pass, outcome::does_as_asked);
  s.requests->arrived = 5;
  expect(s, look::once, verdict::warn, outcome::asks_twice);
  EXPECT_EQ(at(s, look::once).count, 2U);
}

template <class Enum>
std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (int i = 0; to_string(static_cast<Enum>(i)) != "?"; ++i) all.push_back(to_string(static_cast<Enum>(i)));
  return all;
}

TEST(outage, every_word_has_a_name) {
  EXPECT_EQ(names<probe_kind>().size(), 3U);
  EXPECT_EQ(names<ask_end>().size(), 5U);
  EXPECT_EQ(names<look>().size(), all_looks);
  EXPECT_EQ(names<connection_end>().size(), 5U);
}

}  // namespace
}  // namespace halfopen::judge
