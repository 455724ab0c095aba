#include "judge/result.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "judge/result_samples.hpp"

namespace halfopen::judge {
namespace {

TEST(result, every_field_survives_json) {
  const nlohmann::json once = samples::full();
  const auto back = once.get<case_result>();
  EXPECT_EQ(nlohmann::json(back), once);
  EXPECT_EQ(back.verdict, verdict::warn);
  EXPECT_EQ(back.after, std::chrono::milliseconds(1500));
  EXPECT_EQ(back.took, std::chrono::milliseconds(2500));
  ASSERT_EQ(back.packets.size(), 3U);
  EXPECT_EQ(back.packets[1].notes, std::vector<std::string>{"server host crashes"});
  EXPECT_EQ(back.packets[1].at_ms, 1.5);
  EXPECT_EQ(back.packets[1].flags, trace::rst | trace::ack);
  EXPECT_EQ(back.packets[1].length, 7U);
  EXPECT_EQ(back.packets[1].became, lab::passage::cut);
  EXPECT_EQ(back.checks[0].packet, 2U);
  EXPECT_EQ(back.ends.front().code, 1);
  EXPECT_EQ(back.outputs.front().err, "an error");
  EXPECT_TRUE(back.checks[0].is_proof);
  EXPECT_FALSE(back.checks[1].holds);
  EXPECT_EQ(back.evidence, "/found/exit-6/packets.pcapng");
}

TEST(result, no_field_is_missing_from_json) {
  const nlohmann::json j = samples::full();
  for (const auto& [key, value] : j.items()) {
    const bool empty = value.is_null() || (value.is_string() && value.get<std::string>().empty()) ||
                       (value.is_array() && value.empty());
    EXPECT_FALSE(empty) << key;
  }
  EXPECT_EQ(j.size(), 28U);
}

TEST(result, every_field_of_an_outage_survives_json) {
  const nlohmann::json once = samples::outage_of_db();
  const auto back = once.get<case_result>();
  EXPECT_EQ(nlohmann::json(back), once);
  EXPECT_EQ(back.subject, subject::service);
  EXPECT_EQ(back.service, "app");
  EXPECT_EQ(back.dependency, "db");
  EXPECT_EQ(back.back_after, std::chrono::milliseconds(5000));
  ASSERT_EQ(back.asks.size(), 6U);
  EXPECT_EQ(back.asks[0].how, ask_end::hung);
  EXPECT_EQ(back.asks[0].took, std::chrono::milliseconds(2000));
  EXPECT_EQ(back.asks[4].what, probe_kind::other);
  ASSERT_EQ(back.looks.size(), 2U);
  EXPECT_EQ(back.looks[0].did, outcome::lets_hang);
  EXPECT_EQ(back.connections, samples::outage_of_db().connections);
}

TEST(result, an_outages_times_are_those_of_a_case_or_refused) {
  for (const char* hostile :
       {R"("back_after_ms": 9223372036854775807)", R"("asks": [{"at_ms": -9223372036854775808}])",
        R"("asks": [{"took_ms": 1e300}])", R"("connections": [{"opened_at_ms": 9223372036854775807}])",
        R"("connections": [{"opened_at_ms": 0, "ended_at_ms": 31556952001}])",
        R"("asks": [{"at_ms": null}])"}) {
    const auto j = nlohmann::json::parse(
        std::string(R"({"id": "outage/1@a-b", "subject": "service", "verdict": "pass", )") + hostile + "}");
    EXPECT_THROW((void)j.get<case_result>(), std::invalid_argument) << hostile;
  }
  const auto odd = nlohmann::json::parse(
                       R"({"id": "outage/1@a-b", "subject": "service", "verdict": "pass", "back_after_ms": -5,
      "asks": [{"what": "a cat", "how": "purring", "at_ms": -31556952000, "took_ms": -7}],
      "looks": [{"look": "within", "verdict": "perfect", "outcome": "?"}],
      "connections": [{"opened_at_ms": 10, "ended_at_ms": 5, "how": "by magic"}]})")
                       .get<case_result>();
  EXPECT_EQ(odd.back_after, milliseconds(0));
  EXPECT_EQ(odd.asks.at(0).took, milliseconds(0));
  EXPECT_EQ(odd.connections.at(0).ended, milliseconds(10)) << "none ends before it begins";
  EXPECT_EQ(odd.looks.at(0).verdict, verdict::inconclusive);
}

TEST(judgement, a_system_is_read_back) {
  const nlohmann::json j = samples::system_of("s", {samples::outage_of_db()});
  const auto back = j.get<judgement>();
  EXPECT_EQ(nlohmann::json(back), j);
  ASSERT_EQ(back.hosts.size(), 2U);
  EXPECT_EQ(back.hosts[1].needs, std::vector<std::string>{"db"});
  EXPECT_EQ(back.other, "curl app/static");
}

TEST(result, what_the_verdict_rests_on_is_read_back) {
  case_result r = samples::full();
  r.did = outcome::tries_again;
  r.rests_on = basis::processor;
  r.confirmed = confirmation::alone;
  r.may_be_load = true;
  r.kept_waiting = std::chrono::milliseconds(7);
  r.length = {hang_length::source::measured, std::chrono::milliseconds(924'600)};
  const auto back = nlohmann::json(r).get<case_result>();
  EXPECT_EQ(back.did, r.did);
  EXPECT_EQ(back.rests_on, r.rests_on);
  EXPECT_EQ(back.confirmed, r.confirmed);
  EXPECT_TRUE(back.may_be_load);
  EXPECT_EQ(back.kept_waiting, r.kept_waiting);
  EXPECT_EQ(back.length.how, r.length.how);
  EXPECT_EQ(back.length.ends, r.length.ends);
  r.length = {.how = hang_length::source::watched,
              .watched = std::chrono::milliseconds(2'450'000),
              .attempts = 24'500};
  EXPECT_EQ(nlohmann::json(r).get<case_result>().length, r.length);
  EXPECT_EQ(back.why, obstacle::unconfirmed);
  EXPECT_EQ(back.fault_at_ms, 1.25);
}

TEST(result, what_json_leaves_out_has_its_default) {
  const auto r =
      nlohmann::json::parse(R"({"id": "exit/1", "subject": "server", "verdict": "pass"})").get<case_result>();
  EXPECT_EQ(r.subject, subject::server);
  EXPECT_FALSE(r.after);
  EXPECT_EQ(r.took.count(), 0);
}

TEST(result, an_unknown_verdict_or_subject_is_refused) {
  EXPECT_THROW((void)nlohmann::json::parse(R"({"id": "x", "subject": "server", "verdict": "perfect"})")
                   .get<case_result>(),
               std::invalid_argument);
  EXPECT_THROW(
      (void)nlohmann::json::parse(R"({"id": "x", "subject": "cat", "verdict": "pass"})").get<case_result>(),
      std::invalid_argument);
}

TEST(verdict, names_and_values_belong_together) {
  for (const verdict v :
       {verdict::pass, verdict::warn, verdict::fail, verdict::inconclusive, verdict::not_applicable})
    EXPECT_EQ(parse_verdict(to_string(v)), v);
  EXPECT_EQ(parse_verdict("PASS"), std::nullopt);
  EXPECT_EQ(to_string(verdict::not_applicable), "not applicable");
}

TEST(exit_code, failures_come_before_what_is_open) {
  using samples::result;
  const auto code = [](std::vector<case_result> all, bool strict) { return exit_code_of(all, strict); };
  EXPECT_EQ(code({result("a/1", verdict::pass), result("a/2", verdict::not_applicable)}, true), 0);
  EXPECT_EQ(code({result("a/1", verdict::warn)}, false), 0);
  EXPECT_EQ(code({result("a/1", verdict::warn)}, true), 1);
  EXPECT_EQ(code({result("a/1", verdict::inconclusive)}, false), 4);
  EXPECT_EQ(code({result("a/1", verdict::inconclusive), result("a/2", verdict::fail)}, false), 1);
}

TEST(judgement, counts_stand_in_json) {
  const nlohmann::json j = samples::pair(
      "p", {samples::result("exit/1", verdict::fail), samples::result("exit/2", verdict::pass)});
  EXPECT_EQ(j.at("counts").at("all"), 2);
  EXPECT_EQ(j.at("counts").at("fail"), 1);
  EXPECT_EQ(j.at("counts").at("warn"), 0);
  EXPECT_EQ(nlohmann::json(j.get<judgement>()), j);
}

TEST(judgement, its_shards_are_kept_and_hostile_ones_are_refused) {
  judgement one = samples::pair("p", {samples::result("exit/1", verdict::pass)});
  EXPECT_FALSE(nlohmann::json(one).contains("shards"));
  one.shards = {8, {1, 3}};
  nlohmann::json j = one;
  EXPECT_EQ(nlohmann::json(j.get<judgement>()), j);
  EXPECT_EQ(j.get<judgement>().shards.missing().size(), 6U);
  j["shards"]["of"] = 1'000'000'000'000;  // nobody waits for a list of so many
  EXPECT_THROW((void)j.get<judgement>(), std::invalid_argument);
}

TEST(judgement, an_interruption_is_kept_and_older_files_know_of_none) {
  nlohmann::json j = samples::interrupted_pair("p", {samples::result("exit/1", verdict::pass)}, 59);
  EXPECT_EQ(j.at("planned"), 59);
  EXPECT_EQ(j.at("interrupted"), true);
  EXPECT_EQ(nlohmann::json(j.get<judgement>()), j);
  j.erase("planned");
  j.erase("interrupted");
  EXPECT_FALSE(j.get<judgement>().interrupted);
  EXPECT_EQ(j.get<judgement>().planned, 0U);
  j["planned"] = -1;
  EXPECT_THROW((void)j.get<judgement>(), std::invalid_argument);
}

}  // namespace
}  // namespace halfopen::judge
