#include "judge/system/outage_sentences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace halfopen::judge {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const outage_names names{.service = "app", .dependency = "db", .within = 20s};

/// Started again after 5 s, and back after 7.3 s.
outage_seen slow_to_start() {
  outage_seen s;
  s.back = 7300ms;
  s.away = s.back;
  s.limit = 20s;
  s.recover = 10s;
  s.watched = 3s;
  for (const milliseconds at : {8s, 9s, 10s}) s.asks.push_back({.begun = at, .took = 10ms});
  return s;
}

std::string said(const outage_seen& s, look l) {
  for (const look_finding& f : decide(s))
    if (f.at == l) return say(s, f, names).happened;
  return "no such look";
}

TEST(outage_sentences, the_length_of_an_outage_is_the_measured_one) {
  outage_seen s = slow_to_start();
  EXPECT_EQ(said(s, look::after), "served again 710 ms after db was back, which was away for 7.3 s");
  s.recover = 100ms;
  EXPECT_EQ(
      said(s, look::after),
      "served again only 710 ms after db was back, which was away for 7.3 s; it shall be within 100 ms");
  s.asks.clear();
  EXPECT_EQ(said(s, look::after),
            "not served again, 3.0 s after db was back, which was away for 7.3 s (watched no longer)");
  s.away.reset();  // it came and went
  EXPECT_THAT(said(s, look::after), Not(HasSubstr("away")));
  s.back = 0ms;  // it never was away
  EXPECT_THAT(said(s, look::after), HasSubstr("3.0 s after the fault"));
}

wording worded(const outage_seen& s, look l) {
  for (const look_finding& f : decide(s))
    if (f.at == l) return say(s, f, names);
  return {};
}

TEST(outage_sentences, whoever_kept_the_old_address_is_told_of_names_and_not_of_keepalive) {
  outage_seen s = slow_to_start();
  s.recover = 100ms;
  s.waits = waits_seen{};
  EXPECT_THAT(worded(s, look::after).cure, Not(HasSubstr("KEEPALIVE"))) << "it waits on no connection";
  s.waits->sockets.emplace_back();
  EXPECT_THAT(worded(s, look::after).cure, HasSubstr("KEEPALIVE"));
  s.moved = true;
  s.attempts = {6s};
  EXPECT_THAT(worded(s, look::after).happened, HasSubstr("the old address of db 6.0 s after the fault"));
  EXPECT_THAT(worded(s, look::after).cure, HasSubstr("resolve the name of db"));
  EXPECT_THAT(worded(s, look::after).cure, Not(HasSubstr("KEEPALIVE")));
}

TEST(outage_sentences, a_command_that_asks_and_waits_itself_is_told_what_to_do) {
  outage_seen s = slow_to_start();
  s.asks.insert(s.asks.begin(), {.begun = 1s, .took = 20s, .how = ask_end::hung, .asks_itself = true});
  EXPECT_EQ(
      worded(s, look::during).reason,
      "1 ask had not ended after 20.0 s, and each had a connection of its own to db, which was away for it "
      "too: give the command that asks a limit of its own, shorter than --limit");
}

TEST(outage_sentences, of_a_stale_connection_the_packet_is_named) {
  outage_seen s = slow_to_start();
  s.asks.insert(s.asks.begin(), {.begun = 7400ms, .took = 10ms, .how = ask_end::refused});
  s.stale_uses = {{.ended = 6ms, .used = 7406ms, .packet = 42}};
  EXPECT_EQ(said(s, look::after),
            "1 ask failed after db was back, which was away for 7.3 s, though it could be asked: the service "
            "used a "
            "connection that db had ended 7.4 s before (packet 42)");
  s.asks.insert(s.asks.begin() + 1, {.begun = 7500ms, .took = 10ms, .how = ask_end::refused});
  s.stale_uses.push_back({.ended = 6ms, .used = 7506ms, .packet = 52});
  EXPECT_THAT(said(s, look::after), HasSubstr("2 asks failed"));
  EXPECT_THAT(said(s, look::after), HasSubstr("for the first of them the service used a connection"));
}

waiting_socket with(bool keepalive, bool user_timeout, std::optional<milliseconds> by_kernel) {
  waiting_socket w;
  w.length.options.keepalive = keepalive;
  if (user_timeout) w.length.options.user_timeout = 9s;
  w.length.by_kernel = by_kernel;
  return w;
}

std::string hung_on(waits_on how, std::vector<waiting_socket> sockets) {
  outage_seen s = slow_to_start();
  s.asks.insert(s.asks.begin(), {.begun = 10ms, .took = 20s, .how = ask_end::hung});
  s.waits = {how, std::move(sockets)};
  const std::string all = said(s, look::during);
  constexpr std::string_view before = "1 ask hung: not answered within 20.0 s; ";
  EXPECT_THAT(all, testing::StartsWith(before));
  return all.substr(before.size());
}

TEST(outage_sentences, the_connection_on_which_a_hung_ask_waits_is_named_with_its_options) {
  EXPECT_EQ(
      hung_on(waits_on::unanswered, {with(false, false, {})}),
      "the connection to db on which it waits has neither SO_KEEPALIVE nor TCP_USER_TIMEOUT, and nothing "
      "of the kernel's would ever end it");
  EXPECT_EQ(
      hung_on(waits_on::unanswered, {with(true, false, 2h)}),
      "the connection to db on which it waits has SO_KEEPALIVE, and no TCP_USER_TIMEOUT, and the kernel "
      "would give it up after 2 h 0 min");
  EXPECT_THAT(
      hung_on(waits_on::unanswered, {with(false, true, 9s)}),
      HasSubstr("has TCP_USER_TIMEOUT, and no SO_KEEPALIVE, and the kernel would give it up after 9.0 s"));
  EXPECT_THAT(hung_on(waits_on::unanswered, {with(true, true, 9s)}),
              HasSubstr("has SO_KEEPALIVE and TCP_USER_TIMEOUT"));
}

TEST(outage_sentences, of_several_connections_all_options_are_named) {
  EXPECT_EQ(hung_on(waits_on::unanswered, {with(false, true, 8s), with(false, true, 9s)}),
            "it waits on one of 2 connections to db: each has TCP_USER_TIMEOUT, and no SO_KEEPALIVE, and the "
            "kernel would give it up after 9.0 s");
  EXPECT_EQ(
      hung_on(waits_on::unanswered, {with(true, true, 9s), with(false, false, {}), with(true, true, 8s)}),
      "it waits on one of 3 connections to db: one has neither SO_KEEPALIVE nor TCP_USER_TIMEOUT, "
      "and nothing of the kernel's would ever end it; each of 2 has SO_KEEPALIVE and TCP_USER_TIMEOUT, and "
      "the kernel would give it up after 9.0 s");
}

TEST(outage_sentences, where_the_connection_cannot_be_told_that_is_said) {
  EXPECT_THAT(hung_on(waits_on::answered, {with(false, false, {})}),
              HasSubstr("the connection to db that it used, and on which something came back, has neither"));
  EXPECT_THAT(hung_on(waits_on::answered, {with(false, false, {}), with(false, false, {})}),
              HasSubstr("it used 2 connections to db, and something came back on each: each has neither"));
  EXPECT_THAT(hung_on(waits_on::open, {with(false, false, {})}),
              HasSubstr("whether it waits on its connection to db cannot be told; that one has neither"));
  EXPECT_THAT(hung_on(waits_on::open, {with(false, false, {}), with(true, false, 2h)}),
              HasSubstr("on which of its 2 connections to db it waits cannot be told: one has neither"));
  EXPECT_EQ(hung_on(waits_on::open, {}), "it had no connection to db then");
}

}  // namespace
}  // namespace halfopen::judge
