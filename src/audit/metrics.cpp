#include "audit/metrics.hpp"

#include <fmt/format.h>

#include <iterator>

#include "report/utf8.hpp"

namespace halfopen::audit {
namespace {

/// A label's value: a process may have any name.
std::string label(std::string_view text) {
  std::string out = "\"";
  for (const char c : report::clean(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string_view risk_word(const group& g, const snapshot& s, milliseconds limit) {
  if (g.same_host) return "same_host";
  const tcp_socket& one = s.sockets.at(g.sockets.front());
  const auto w = notices_within(one, g.at_risk, limit);
  if (!w) return "none";
  if (*w == within::not_known) return "not_known";
  if (*w == within::yes) return "within_limit";
  return g.at_risk.worst(one).least ? "late" : "never";
}

std::string_view name_of(const group& g, const snapshot& s) {
  return g.process == none ? std::string_view{} : std::string_view(s.processes.at(g.process).name);
}

using counts = std::map<std::pair<std::string, std::string>, std::uint64_t>;

void put(std::string& out, std::string_view metric, std::string_view type, std::string_view help,
         std::string_view first, std::string_view second, const counts& all) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", metric, help, metric, type);
  for (const auto& [labels, n] : all)
    out += fmt::format("{}{{{}={},{}={}}} {}\n", metric, first, label(labels.first), second,
                       label(labels.second), n);
}

void put(std::string& out, std::string_view metric, std::string_view type, std::string_view help,
         std::string_view name, const std::map<std::string, std::uint64_t>& all) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", metric, help, metric, type);
  for (const auto& [value, n] : all) out += fmt::format("{}{{{}={}}} {}\n", metric, name, label(value), n);
}

void put(std::string& out, std::string_view metric, std::string_view type, std::string_view help,
         std::uint64_t n) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n{} {}\n", metric, help, metric, type, metric, n);
}

}  // namespace

void totals::take(const event& e) {
  if (e.what == event::kind::opened) ++opened;
  if (e.what != event::kind::ended) return;
  const std::string how = e.ended.how       ? std::string(to_string(*e.ended.how))
                          : e.ended.aborted ? "aborted"
                          : !e.ended.opened ? "never_opened"
                                            : "unknown";
  ++ended[{how, std::string(to_string(e.ended.by))}];
  if (traced && e.between_looks) ++between_looks[e.name];
  if (e.ended.rst == reset::sent) ++resets_sent[e.ended.reason];
}

std::string metrics_text(const snapshot& s, std::span<const group> all, const totals& t, milliseconds limit) {
  counts connections, faults;
  for (const group& g : all) {
    const std::string name(name_of(g, s));
    if (g.state != socket_state::listen && g.state != socket_state::close)
      connections[{name, std::string(risk_word(g, s, limit))}] += g.sockets.size();
    for (const fault& f : g.faults) faults[{name, std::string(to_string(f.what))}] += g.sockets.size();
  }
  std::string out;
  put(out, "halfopen_connections", "gauge",
      "TCP connections by process and by when a vanished peer would be noticed", "process", "risk",
      connections);
  put(out, "halfopen_wrong", "gauge", "sockets of which something is wrong already", "process", "what",
      faults);
  put(out, "halfopen_ended_total", "counter", "connections that ended, by how and by whom", "how", "by",
      t.ended);
  put(out, "halfopen_opened_total", "counter", "connections that were seen to be new", t.opened);
  put(out, "halfopen_lost_notices_total", "counter",
      "times that the kernel dropped notifications of ended ones", t.lost_notices);
  put(out, "halfopen_tracepoints", "gauge", "1: the kernel's tracepoints are read (BPF)", t.traced ? 1 : 0);
  if (t.traced) {
    put(out, "halfopen_between_looks_total", "counter",
        "connections that came and went between two looks, by process", "process", t.between_looks);
    put(out, "halfopen_resets_sent_total", "counter",
        "connections that this host ended by a reset, by the kernel's reason", "reason", t.resets_sent);
    put(out, "halfopen_segments_repeated_total", "counter", "segments that this machine sent again",
        t.segments_repeated);
  }
  put(out, "halfopen_not_seen", "gauge", "processes of which something may not be read", s.not_seen.size());
  std::uint64_t overflows = 0;
  for (const network& n : s.networks) overflows += n.listen_overflows.value_or(0);
  put(out, "halfopen_listen_overflows_total", "counter",
      "ListenOverflows of the network namespaces looked at", overflows);
  return out;
}

}  // namespace halfopen::audit
