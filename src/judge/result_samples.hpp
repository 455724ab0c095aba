#ifndef HALFOPEN_SRC_JUDGE_RESULT_SAMPLES_HPP
#define HALFOPEN_SRC_JUDGE_RESULT_SAMPLES_HPP

/// \file
/// Results for the tests of reports.

#include <string>

#include "judge/result.hpp"

namespace halfopen::judge::samples {

/// Cursor movements, NUL, half a UTF-8 sequence, a character that XML has not, and an escape from HTML.
inline const std::string hostile(
    "\x1b[2J\0\xff\xc3(\xef\xbf\xbe</pre></title>\"'><script>alert(1)</script>\x7f", 54);

inline case_result result(std::string id, verdict v, subject who = subject::client) {
  case_result r;
  r.id = std::move(id);
  r.subject = who;
  r.verdict = v;
  r.rule = "a rule (RFC 1)";
  r.done = "a deed";
  r.expected = "an expectation";
  r.happened = "an outcome";
  r.cure = v == verdict::pass ? "" : "a cure";
  return r;
}

/// Every field has a value of its own.
inline case_result full() {
  using namespace std::chrono_literals;
  case_result r = result("exit/6", verdict::warn);
  r.reason = "a reason";
  r.after = 1500ms;
  r.still_waiting = 20s;
  r.length = {hang_length::source::measured, 924s};
  r.length_words = "a length";
  r.why = obstacle::unconfirmed;
  r.fault_at_ms = 1.25;
  r.did = outcome::reported;
  r.checks = {{"RST from the server", true, true, 2}, {"it lives", false, false, {}}};
  r.story = {"first", "second"};
  r.packets = {
      {.number = 1, .at_ms = 0.5, .from = "client", .to = "server", .flags = trace::syn, .notes = {}},
      {.number = 2,
       .at_ms = 1.5,
       .from = "server",
       .to = "client",
       .flags = trace::rst | trace::ack,
       .length = 7,
       .became = lab::passage::cut,
       .notes = {"server host crashes"}},
      {.number = 3, .at_ms = 2.5, .from = "witness", .to = "server", .flags = trace::syn, .notes = {}}};
  r.ends = {{2.25, "client", 1, 0}};
  r.outputs = {{"client", "line one\nline two", "an error"}};
  r.evidence = "/found/exit-6/packets.pcapng";
  r.took = 2500ms;
  return r;
}

/// A client that was seen to wait for 20 s after a fault, and would wait for 15 minutes.
inline case_result hang() {
  using namespace std::chrono_literals;
  case_result r = full();
  r.id = "crash/7";
  r.verdict = verdict::fail;
  r.did = outcome::hangs;
  r.fault_at_ms = 1000;
  r.still_waiting = 20s;
  r.length = {hang_length::source::computed, 924s};
  r.ends.clear();
  return r;
}

/// A service that hangs while its dependency is away for 5 s, and serves again; every field of an outage has
/// a value.
inline case_result outage_of_db() {
  using namespace std::chrono_literals;
  case_result r = result("outage/3@app-db", verdict::fail, subject::service);
  r.done = "the host of db vanishes";
  r.did = outcome::lets_hang;
  r.service = "app";
  r.dependency = "db";
  r.fault_at_ms = 1000;
  r.back_after = 5000ms;
  r.asks = {{probe_kind::probe, 320ms, 2000ms, ask_end::hung, 0, 9, "no answer"},
            {probe_kind::health, 330ms, 40ms, ask_end::served},
            {probe_kind::probe, 2500ms, 30ms, ask_end::refused, 22, 0, "503"},
            {probe_kind::probe, 5100ms, 20ms, ask_end::served},
            {probe_kind::other, 5200ms, 20ms, ask_end::wrong},
            {probe_kind::probe, 5300ms, 20ms, ask_end::cut_short}};
  r.looks = {{look::during, verdict::fail, outcome::lets_hang, "1 ask hung"},
             {look::after, verdict::pass, outcome::serves_again, "served again 120 ms after db was back"}};
  r.connections = {{-500ms, 3000ms, connection_end::closed},
                   {2500ms, 2501ms, connection_end::refused},
                   {2600ms, 4000ms, connection_end::unanswered},
                   {4500ms, 4600ms, connection_end::reset},
                   {5100ms, std::nullopt, connection_end::open}};
  r.packets = {
      {.number = 1, .at_ms = 0, .from = "user", .to = "app", .flags = trace::syn, .notes = {}},
      {.number = 2, .at_ms = 1, .from = "app", .to = "db", .flags = trace::ack, .length = 7, .notes = {}},
      {.number = 3, .at_ms = 2, .from = "db", .to = "app", .flags = trace::ack, .notes = {}},
      {.number = 4, .at_ms = 3, .from = "witness", .to = "db", .flags = trace::syn, .notes = {}},
      {.number = 5,
       .at_ms = 4,
       .from = "router",
       .to = "app",
       .icmp = trace::unreachable::host,
       .notes = {}}};
  r.ends = {{2000, "app", 1, 0}};
  return r;
}

inline judgement system_of(std::string name, std::vector<case_result> results) {
  judgement j;
  j.name = std::move(name);
  j.hosts = {{"db", "exec redis-server", {}}, {"app", "exec app db", {"db"}}};
  j.probe = "curl app";
  j.health = "curl app/health";
  j.other = "curl app/static";
  j.clock = "real";
  j.version = "1.2.3";
  j.date = "2026-01-02";
  j.results = std::move(results);
  return j;
}

inline judgement pair(std::string name, std::vector<case_result> results) {
  judgement j;
  j.name = std::move(name);
  j.server_command = "server of " + j.name;
  j.client_command = "client of " + j.name;
  j.clock = "real";
  j.version = "1.2.3";
  j.date = "2026-01-02";
  j.repeat = "halfopen test --server s --client c";
  j.results = std::move(results);
  return j;
}

/// Of `planned` cases only these were played.
inline judgement interrupted_pair(std::string name, std::vector<case_result> results, std::size_t planned) {
  judgement j = pair(std::move(name), std::move(results));
  j.planned = planned;
  j.interrupted = true;
  return j;
}

/// The hostile text wherever a program or another's report may put it.
inline judgement hostile_system() {
  case_result r = outage_of_db();
  for (std::string* text :
       {&r.id, &r.done, &r.service, &r.dependency, &r.asks.front().says, &r.looks.front().words})
    *text += hostile;
  r.packets[1].to = hostile;
  r.ends.front().host = hostile;
  judgement j = system_of("a" + hostile, {r});
  for (judged_host& h : j.hosts) {
    h.name += hostile;
    h.command += hostile;
    h.needs.push_back(hostile);
  }
  for (std::string* text : {&j.probe, &j.health, &j.other}) *text += hostile;
  return j;
}

inline judgement hostile_pair() {
  case_result r = full();
  r.verdict = verdict::fail;
  for (std::string* text :
       {&r.id, &r.rule, &r.done, &r.expected, &r.happened, &r.cure, &r.length_words, &r.evidence})
    *text += hostile;
  r.reason = "";
  r.checks.front().what += hostile;
  r.story = {hostile};
  r.packets.front().notes = {hostile};
  r.ends.front().host += hostile;
  r.outputs = {{"client" + hostile, hostile, hostile}};
  judgement j = pair("a" + hostile, {r, result("exit/7", verdict::pass)});
  j.server_command += hostile;
  j.version += hostile;
  j.date += hostile;
  j.repeat += hostile;
  j.remarks = {hostile};
  j.planned = 59;
  j.interrupted = true;
  return j;
}

}  // namespace halfopen::judge::samples

#endif
