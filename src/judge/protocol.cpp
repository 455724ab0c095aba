#include "judge/protocol.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "trace/spoken.hpp"

namespace halfopen::judge {
namespace {

constexpr std::uint8_t handshake = 22, alert = 21, application_data = 23;
constexpr std::size_t record_header = 5;

std::string said_by(const recorded_connection& c, speaker who) {
  std::string all;
  for (const turn& t : c.turns)
    if (t.by == who) all += t.bytes;
  return all;
}

std::size_t octet(std::string_view s, std::size_t at) noexcept {
  return at < s.size() ? static_cast<unsigned char>(s[at]) : 0;
}
std::size_t word(std::string_view s, std::size_t at) noexcept {
  return octet(s, at) << 8U | octet(s, at + 1);
}

std::string_view name_of(std::size_t tls_version) noexcept {
  switch (tls_version) {
    case 0x0301:
      return "TLS 1.0";
    case 0x0302:
      return "TLS 1.1";
    case 0x0303:
      return "TLS 1.2";
    case 0x0304:
      return "TLS 1.3";
    default:
      return "TLS";
  }
}

trace::speech first_speech(const recorded_connection& c) noexcept {
  for (const turn& t : c.turns) {
    const auto found = trace::spoken_in(std::as_bytes(std::span(t.bytes)));
    if (found.what != trace::protocol::unknown) return found;
  }
  return {};
}

/// The server's records, from its answer to the client's hello on: another protocol may have asked for TLS
/// first.
std::vector<tls_record> records_of_server(const recorded_connection& c) {
  const auto hello = std::ranges::find_if(c.turns, [](const turn& t) {
    const auto records = tls_records(t.bytes);
    return t.by == speaker::client && !records.empty() && records.front().type == handshake;
  });
  if (hello == c.turns.end()) return {};
  const std::size_t before =
      c.said_before(speaker::server, static_cast<std::size_t>(hello - c.turns.begin()));
  std::vector<tls_record> records = tls_records(std::string_view(said_by(c, speaker::server)).substr(before));
  for (tls_record& r : records) r.begin += before, r.end += before;
  return records;
}

/// Whatever was spoken before (STARTTLS, PostgreSQL's SSLRequest).
bool is_of_tls_records(const recorded_connection& c, std::size_t turn) {
  const std::string& bytes = c.turns.at(turn).bytes;
  const auto records = tls_records(bytes);
  return !records.empty() && records.back().end == bytes.size();
}

}  // namespace

trace::protocol spoken(const recorded_connection& c) noexcept {
  return first_speech(c).what;
}

std::string spoken_in_words(const recorded_connection& c) {
  const trace::speech s = first_speech(c);
  switch (s.what) {
    case trace::protocol::unknown:
      return {};
    case trace::protocol::tls: {
      const std::string by_server = said_by(c, speaker::server), by_client = said_by(c, speaker::client);
      const auto chosen = trace::tls_hello_in(std::as_bytes(std::span(by_server)));
      const auto wanted = trace::tls_hello_in(std::as_bytes(std::span(by_client)));
      std::string words(chosen ? name_of(chosen->version) : "TLS");
      if (wanted && !wanted->name.empty()) words.append(" to ").append(wanted->name);
      if (chosen && !chosen->protocol.empty())
        words.append(", with ").append(chosen->protocol);
      else if (wanted && !wanted->protocol.empty())
        words.append(", wanted with ").append(wanted->protocol);
      return words;
    }
    case trace::protocol::http:
      return "HTTP/1";
    case trace::protocol::http2:
      return "HTTP/2";
    case trace::protocol::ssh:
      return "SSH";
    case trace::protocol::mysql:
      return "MySQL";
    case trace::protocol::postgresql:
      return "PostgreSQL";
    case trace::protocol::redis:
      return "Redis";
    case trace::protocol::mongodb:
      return "MongoDB";
    case trace::protocol::amqp:
      return "AMQP";
    case trace::protocol::mqtt:
      return "MQTT";
    default:
      return std::string(to_string(s.what));
  }
}

std::string_view limit_of_its_own(trace::protocol p) noexcept {
  switch (p) {
    case trace::protocol::http:
    case trace::protocol::http2:
    case trace::protocol::tls:
      return "curl --max-time, wget --read-timeout, timeout= of Python's requests, AbortSignal.timeout() of "
             "fetch";
    case trace::protocol::ssh:
      return "ssh -o ServerAliveInterval=5 -o ServerAliveCountMax=3, -o ConnectTimeout";
    case trace::protocol::postgresql:
      return "libpq's tcp_user_timeout, keepalives_idle and connect_timeout; statement_timeout bounds a "
             "server "
             "that lives";
    case trace::protocol::mysql:
      return "MYSQL_OPT_READ_TIMEOUT, --connect-timeout; read_timeout or socketTimeout of a driver";
    case trace::protocol::redis:
      return "socket_timeout of redis-py, commandTimeout of ioredis";
    case trace::protocol::amqp:
      return "the heartbeat of the connection";
    case trace::protocol::mqtt:
      return "the keep alive of the session (mosquitto_sub -k)";
    case trace::protocol::mongodb:
      return "socketTimeoutMS, timeoutMS";
    default:
      return {};
  }
}

std::vector<tls_record> tls_records(std::string_view said) {
  std::vector<tls_record> all;
  for (std::size_t at = 0; at + record_header <= said.size();) {
    const std::size_t type = octet(said, at), end = at + record_header + word(said, at + 3);
    if (type < 20 || type > 24 || octet(said, at + 1) != 3 || end > said.size()) break;
    all.push_back({static_cast<std::uint8_t>(type), at, end});
    at = end;
  }
  return all;
}

bool is_an_alert(const tls_record& r) noexcept {
  constexpr std::size_t encrypted_alert = record_header + 2 + 1 + 16;
  return r.type == alert || (r.type == application_data && r.end - r.begin == encrypted_alert);
}

std::optional<places_in_reply> places_in_tls_reply(const recorded_connection& c, std::size_t request_turn) {
  if (request_turn + 1 >= c.turns.size()) return std::nullopt;
  const std::size_t from = c.said_before(speaker::server, request_turn + 1);
  const std::size_t until = from + c.turns[request_turn + 1].bytes.size();
  std::vector<tls_record> records = records_of_server(c);
  std::erase_if(records, [&](const tls_record& r) { return r.begin < from || r.end > until; });
  places_in_reply found;
  while (!records.empty() && is_an_alert(records.back())) {
    found.ends_with_an_alert = true;
    records.pop_back();
  }
  if (records.empty()) return std::nullopt;
  const tls_record& last = records.back();
  found.in_its_last_record = (last.begin + last.end) / 2 - from;
  if (records.size() > 1) found.between_records = last.begin - from;
  return found;
}

std::optional<std::size_t> place_in_request(const recorded_connection& c, std::size_t turn) {
  if (spoken(c) == trace::protocol::ssh) return std::nullopt;
  if (!is_of_tls_records(c, turn)) return c.turns.at(turn).bytes.size() / 2;
  const auto holds_data = [&](std::size_t at) {
    return c.turns[at].by == speaker::client &&
           std::ranges::any_of(tls_records(c.turns[at].bytes),
                               [](auto& r) { return r.type == application_data; });
  };
  bool handshake_is_over = false;
  for (std::size_t before = 0; before < turn; ++before) handshake_is_over |= holds_data(before);
  const auto records = tls_records(c.turns.at(turn).bytes);
  if (!handshake_is_over || records.size() < 2) return std::nullopt;
  if (!std::ranges::all_of(records, [](auto& r) { return r.type == application_data; })) return std::nullopt;
  return records.back().begin;
}

std::string_view no_half_close(const recorded_connection& c, std::size_t turn) {
  if (spoken(c) == trace::protocol::ssh)
    return "SSH ends what a side says by SSH_MSG_CHANNEL_EOF (RFC 4254 section 5.3): a FIN ends the "
           "connection";
  if (is_of_tls_records(c, turn))
    return "TLS ends its sending side by close_notify (RFC 8446 section 6.1): a FIN alone is a truncation";
  return {};
}

}  // namespace halfopen::judge
