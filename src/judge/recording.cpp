#include "judge/recording.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ranges>
#include <stdexcept>

#include "judge/protocol.hpp"
#include "report/whole_number.hpp"

namespace halfopen::judge {
namespace {

std::size_t bytes_of(const recorded_connection& c) {
  return c.said(speaker::client) + c.said(speaker::server);
}

/// Nothing but alerts of TLS.
bool is_of_alerts(const turn& t) {
  const auto records = tls_records(t.bytes);
  return !records.empty() && records.back().end == t.bytes.size() &&
         std::ranges::all_of(records, is_an_alert);
}

/// The last that the server says is its goodbye in TLS (close_notify, RFC 8446 section 6.1), of which its
/// client's program makes no reply. The client's own may come after it.
bool is_goodbye(const recorded_connection& c, std::size_t turn) {
  return turn + 2 >= c.turns.size() && std::ranges::all_of(c.turns | std::views::drop(turn), is_of_alerts);
}

bool is_answered(const recorded_connection& c, std::size_t turn) {
  return c.turns[turn].by == speaker::client && turn + 1 < c.turns.size() && !is_goodbye(c, turn + 1);
}

}  // namespace

std::string to_hex(const std::string& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text;
}

std::string from_hex(const std::string& text) {
  if (text.size() % 2 != 0 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw std::invalid_argument("not hexadecimal");
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

std::vector<std::size_t> recorded_connection::requests() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < turns.size(); ++i)
    if (is_answered(*this, i)) found.push_back(i);
  return found;
}

std::optional<std::size_t> recorded_connection::request() const noexcept {
  for (std::size_t i = turns.size(); i-- > 0;)
    if (is_answered(*this, i)) return i;
  return std::nullopt;
}

std::size_t recorded_connection::said_before(speaker who, std::size_t turn_index) const noexcept {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < std::min(turn_index, turns.size()); ++i)
    if (turns[i].by == who) sum += turns[i].bytes.size();
  return sum;
}

std::size_t recording::main_index() const noexcept {
  if (chosen) return *chosen;
  const auto most = std::ranges::max_element(connections, {}, bytes_of);
  return static_cast<std::size_t>(most - connections.begin());
}

void to_json(nlohmann::json& j, const recording& r) {
  j = {{"port", r.port}, {"connections", nlohmann::json::array()}};
  for (const recorded_connection& c : r.connections) {
    nlohmann::json turns = nlohmann::json::array();
    for (const turn& t : c.turns)
      turns.push_back({{"client", t.by == speaker::client},
                       {"hex", to_hex(t.bytes)},
                       {"pause_ms", t.pause.count()},
                       {"segments", t.segments}});
    nlohmann::json made{{"turns", turns}, {"was_reset", c.was_reset}, {"beside_another", c.beside_another}};
    if (c.closed_first) made["client_closed_first"] = *c.closed_first == speaker::client;
    j["connections"].push_back(made);
  }
}

void from_json(const nlohmann::json& j, recording& r) {
  r.port = report::whole_number<std::uint16_t>(j.at("port"));
  for (const auto& c : j.at("connections")) {
    recorded_connection& made = r.connections.emplace_back();
    made.was_reset = c.at("was_reset").get<bool>();
    made.beside_another = c.at("beside_another").get<bool>();
    if (c.contains("client_closed_first"))
      made.closed_first = c["client_closed_first"].get<bool>() ? speaker::client : speaker::server;
    for (const auto& t : c.at("turns")) {
      turn& one = made.turns.emplace_back();
      one.by = t.at("client").get<bool>() ? speaker::client : speaker::server;
      one.bytes = from_hex(t.at("hex").get<std::string>());
      one.pause = report::whole_milliseconds(t.at("pause_ms"));
      for (const auto& end : t.at("segments")) one.segments.push_back(report::whole_number<std::size_t>(end));
    }
  }
}

void recorder::take(const trace::packet& p) {
  if (!server_ || p.what != trace::packet::kind::tcp) return;
  const trace::tcp_segment& s = p.tcp;
  const speaker who = s.destination.address == server_ ? speaker::client : speaker::server;
  const trace::endpoint& client = who == speaker::client ? s.source : s.destination;
  const trace::endpoint& server = who == speaker::client ? s.destination : s.source;
  if (server.address != server_ || client.address == server_) return;
  if (who == speaker::client && s.has(trace::syn)) {
    const auto had = by_client_.find(client);
    if (had != by_client_.end() && all_[had->second].client.next == s.sequence + 1) return;  // repeated
    by_client_[client] = all_.size();
    const bool beside = std::ranges::any_of(
        all_, [&](const live& c) { return c.port == server.port && c.established && !c.what.closed_first; });
    live& made = all_.emplace_back();
    made.port = server.port;
    made.client.next = s.sequence + 1;
    made.what.beside_another = beside;
    made.last = p.when;
    return;
  }
  const auto found = by_client_.find(client);
  if (found == by_client_.end()) return;
  live& c = all_[found->second];
  if (s.has(trace::syn | trace::ack) && !c.server.next) {
    c.server.next = s.sequence + 1;
    c.established = true;
    c.last = p.when;
  }
  append(c, p, who);
  note_end(c, s, who);
}

void recorder::append(live& c, const trace::packet& p, speaker who) {
  side& from = who == speaker::client ? c.client : c.server;
  const trace::tcp_segment& s = p.tcp;
  if (s.length == 0 || !from.next || from.broken) return;
  const std::uint32_t repeated = *from.next - s.sequence;  // modulo 2^32: sequence numbers wrap
  if (repeated > 0x7fffffffU) {
    from.broken = true;  // a gap
    return;
  }
  if (repeated >= s.length) return;
  if (s.payload.size() < s.length) {
    from.broken = true;  // the capture was cut short
    return;
  }
  if (c.what.turns.empty() || c.what.turns.back().by != who)
    c.what.turns.push_back({who, {}, std::chrono::floor<std::chrono::milliseconds>(p.when - c.last), {}});
  const auto fresh = s.payload.subspan(repeated);
  c.what.turns.back().bytes.append(reinterpret_cast<const char*>(fresh.data()), fresh.size());
  c.what.turns.back().segments.push_back(c.what.turns.back().bytes.size());
  from.next = s.sequence + s.length;
  c.last = p.when;
}

std::string recorder::said_by(const trace::endpoint& client, std::size_t most) const {
  const auto found = by_client_.find(client);
  std::string text;
  if (found == by_client_.end()) return text;
  for (const turn& t : all_[found->second].what.turns)
    if (t.by == speaker::client && text.size() < most) text += t.bytes;
  return text.substr(0, most);
}

void recorder::note_end(live& c, const trace::tcp_segment& s, speaker who) {
  if (!s.has_any(trace::fin | trace::rst)) return;
  if (!c.what.closed_first) c.what.closed_first = who;
  if (s.has(trace::rst)) c.what.was_reset = true;
}

std::optional<recording> recorder::made() const {
  std::map<std::uint16_t, std::size_t> said;
  for (const live& c : all_)
    if (c.established) said[c.port] += 1 + bytes_of(c.what);
  if (said.empty()) return std::nullopt;
  recording r;
  r.port = std::ranges::max_element(said, {}, [](const auto& entry) { return entry.second; })->first;
  for (const live& c : all_)
    if (c.established && c.port == r.port) r.connections.push_back(c.what);
  return r;
}

}  // namespace halfopen::judge
