// A line of JSON a connection: whoever has a hundred thousand of them wants jq, not one
// document of a gigabyte.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "autopsy/filter.hpp"
#include "autopsy/report.hpp"

namespace halfopen::autopsy {
namespace {

using nlohmann::json;
using trace::mark;
using trace::side;

double seconds(std::chrono::nanoseconds d) {
  return std::chrono::duration<double>(d).count();
}

json of(const std::optional<mark>& m) {
  if (!m) return nullptr;
  return {{"packet", m->number}, {"time", utc(m->when)}};
}

json of(const trace::flow& f) {
  return {{"bytes", f.bytes},
          {"bytes_acknowledged", f.acked},
          {"segments", f.segments},
          {"data_segments", f.data_segments},
          {"retransmissions", f.retransmissions},
          {"keepalive_probes", f.keepalive_probes},
          {"duplicates", f.duplicates},
          {"bytes_missed", f.missed},
          {"first_data", of(f.first_data)},
          {"fin", of(f.fin)},
          {"rst", of(f.rst)},
          {"last", of(f.last_heard)}};
}

json of(const trace::endpoint& e) {
  return {{"address", e.address.to_string()}, {"port", e.port}};
}

template <class What>
json of(const std::vector<trace::remark<What>>& remarks) {
  json all = json::array();
  for (const auto& r : remarks) all.push_back({{"what", to_string(r.what)}, {"why", r.why}});
  return all;
}

json icmp_of(const trace::connection& c) {
  if (!c.first_icmp) return nullptr;
  return {{"count", c.icmp_count},
          {"router", c.first_icmp->router.to_string()},
          {"first", of(c.first_icmp->where)}};
}

/// From one mark to another, if they came in this order.
json between(const std::optional<mark>& from, const std::optional<mark>& to) {
  if (!from || !to || to->number < from->number) return nullptr;
  return seconds(to->when - from->when);
}

/// Where the time went: on which side of the capture point, and in whose turn.
json slowness(const trace::connection& c) {
  const trace::flow &opener = c.of(side::opener), &responder = c.of(side::responder);
  return {{"to_responder", between(opener.syn, responder.syn)},
          {"to_opener", between(responder.syn, c.handshake_done)},
          {"first_byte", between(opener.first_data, responder.first_data)},
          {"zero_window",
           {{"opener", seconds(opener.zero_window_longest)},
            {"responder", seconds(responder.zero_window_longest)}}}};
}

}  // namespace

std::string utc(trace::time_point t) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(t);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09d}Z", fmt::gmtime(seconds), (t - whole).count());
}

std::string json_line(const trace::file_entry& c) {
  const trace::story& s = c.story;
  const trace::connection& what = s.what;
  json also = json::array();
  for (const ending e : s.also_possible) also.push_back(to_string(e));
  const json line{
      {"connection", c.number},
      {"opener", of(what.opener)},
      {"responder", of(what.responder)},
      {"opener_seen", what.opener_seen},
      {"first", of(what.first)},
      {"handshake_done", of(what.handshake_done)},
      {"last", of(what.last)},
      {"lasted_seconds", seconds(what.last.when - what.first.when)},
      {"said", {{"opener", of(what.of(side::opener))}, {"responder", of(what.of(side::responder))}}},
      {"icmp", icmp_of(what)},
      {"ended", s.ended},
      {"ending", ending_word(s)},
      {"by", s.sure_by == trace::confidence::certain ? to_string(s.by) : "unknown"},
      {"probably_by", to_string(s.by)},
      {"confidence", s.ended ? json(to_string(s.sure)) : json(nullptr)},
      {"also_possible", also},
      {"manners", of(s.manners)},
      {"doubts", of(s.doubts)},
      {"could_know", {{"opener", of(s.could_know[0])}, {"responder", of(s.could_know[1])}}},
      {"slow", slowness(what)},
      {"half_open_seconds", s.half_open_for ? json(seconds(*s.half_open_for)) : json(nullptr)},
      {"why", s.why},
      {"proof", s.proof},
      {"badness", badness(s)},
      {"zeek_conn_state", trace::zeek_conn_state(what)},
  };
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace halfopen::autopsy
