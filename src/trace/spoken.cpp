// What a payload begins with.
//
// Wireshark and nDPI know hundreds of protocols; here it is enough to tell whoever reads a report at
// night which service it was. So only what the first bytes alone make sure of is named, and a
// protocol that is guessed from a port is not: the port stands beside it anyway.

#include "trace/spoken.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "trace/strip_link.hpp"

namespace halfopen::trace {
namespace {

constexpr std::size_t longest_name = 255;  // RFC 1035 section 2.3.4

std::string_view text_of(bytes b) noexcept {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

/// A name as hosts have them, so that nothing else reaches a terminal.
bool is_name(std::string_view s) noexcept {
  return !s.empty() && s.size() <= longest_name && std::ranges::all_of(s, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}
std::string_view name_or_none(std::string_view s) noexcept {
  return is_name(s) ? s : std::string_view{};
}

/// Takes bytes from the front; once there are too few it stays empty.
class cursor {
 public:
  explicit cursor(bytes b) noexcept : left_{b} {}
  [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }
  bytes take(std::size_t n) noexcept {
    if (n > left_.size()) {
      left_ = {};
      return {};
    }
    return std::exchange(left_, left_.subspan(n)).first(n);
  }
  std::optional<std::size_t> number(std::size_t width) noexcept {
    const bytes b = take(width);
    if (b.size() != width) return std::nullopt;
    std::size_t n = 0;
    for (const std::byte x : b) n = n << 8U | std::to_integer<std::size_t>(x);
    return n;
  }
  /// What stands behind its own length; what is cut off is taken as far as it goes.
  bytes block(std::size_t width) noexcept {
    const auto n = number(width);
    return n ? take(std::min(*n, left_.size())) : bytes{};
  }

 private:
  bytes left_;
};

/// RFC 6066 section 3: a list of (type, name), type 0 is a host's.
std::string_view server_name(bytes extension) noexcept {
  cursor list{cursor{extension}.block(2)};
  while (list.left() > 0) {
    const auto type = list.number(1);
    const auto length = list.number(2);
    if (!type || !length || *length > list.left()) return {};  // a name that is cut off is none
    const bytes name = list.take(*length);
    if (*type == 0) return name_or_none(text_of(name));
  }
  return {};
}

/// RFC 7301 section 3.1: names behind their lengths. Values that only keep others from ossifying (RFC 8701)
/// are no names.
std::string_view first_protocol(bytes extension) noexcept {
  cursor list{cursor{extension}.block(2)};
  while (list.left() > 0) {
    const auto length = list.number(1);
    if (!length || *length > list.left()) return {};  // a name that is cut off is none
    const std::string_view name = text_of(list.take(*length));
    const bool printable = std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
    if (printable && !name.empty()) return name;
  }
  return {};
}

/// RFC 8446 section 4.2.1: the server's choice, or the highest of the client's list.
std::uint16_t supported_version(bytes extension, bool of_server) noexcept {
  cursor list{of_server ? extension : cursor{extension}.block(1)};
  std::size_t found = 0;
  while (const auto version = list.number(2))
    if ((*version & 0x0F0FU) != 0x0A0AU) found = std::max(found, *version);  // RFC 8701
  return static_cast<std::uint16_t>(found);
}

void read_extension(std::size_t type, bytes content, tls_hello& hello) noexcept {
  constexpr std::size_t server_names = 0, application_protocols = 16, supported_versions = 43;
  if (type == server_names && !hello.of_server && hello.name.empty()) hello.name = server_name(content);
  if (type == application_protocols) hello.protocol = first_protocol(content);
  if (type == supported_versions)
    if (const auto version = supported_version(content, hello.of_server); version != 0)
      hello.version = version;
}

/// RFC 9112 section 3.2: "Host: name[:port]", in any case, before the empty line.
std::string_view http_host(std::string_view head) noexcept {
  constexpr std::size_t longest_head = 4096;
  head = head.substr(0, longest_head);
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    if (line.empty()) return {};
    constexpr std::string_view field = "host:";
    if (end != std::string_view::npos && line.size() > field.size() &&
        std::ranges::equal(line.substr(0, field.size()), field,
                           [](char a, char b) { return (a | 0x20) == b; })) {
      std::string_view value = line.substr(field.size());
      value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
      return name_or_none(value.substr(0, value.find_first_of(": \t")));
    }
    if (end == std::string_view::npos) return {};
    head.remove_prefix(end + 2);
  }
  return {};
}

bool is_http_request(std::string_view s) noexcept {
  constexpr std::array<std::string_view, 9> methods{"GET ",     "POST ",  "PUT ",   "HEAD ",   "DELETE ",
                                                    "OPTIONS ", "PATCH ", "TRACE ", "CONNECT "};
  if (std::ranges::none_of(methods, [&](std::string_view m) { return s.starts_with(m); })) return false;
  const auto end = s.find('\n');
  return s.substr(0, end).contains(" HTTP/1.") ||
         (end == std::string_view::npos && s.contains(" /"));  // a long path may be cut off
}

struct beginning {
  std::string_view with;
  protocol what;
};
/// Whoever begins so means that and nothing else.
constexpr std::array beginnings{
    beginning{"HTTP/1.", protocol::http},    beginning{"PRI * HTTP/2.0\r\n", protocol::http2},
    beginning{"SSH-", protocol::ssh},        beginning{"EHLO ", protocol::smtp},
    beginning{"HELO ", protocol::smtp},      beginning{"* OK", protocol::imap},
    beginning{"AMQP", protocol::amqp},       beginning{"SIP/2.0 ", protocol::sip},
    beginning{"INVITE sip:", protocol::sip}, beginning{"REGISTER sip:", protocol::sip},
    beginning{"RTSP/1.0 ", protocol::rtsp},  beginning{"CAPA\r\n", protocol::pop3},
};

protocol by_text(std::string_view s) noexcept {
  for (const beginning& b : beginnings)
    if (s.starts_with(b.with)) return b.what;
  const std::string_view line = s.substr(0, s.find('\n'));
  if (s.starts_with("220")) {
    if (line.contains("SMTP")) return protocol::smtp;
    if (line.contains("FTP")) return protocol::ftp;
  }
  if (s.starts_with("+OK ") && line.contains("POP")) return protocol::pop3;
  // RESP: an array of bulk strings.
  if (s.starts_with('*') && s.size() > 4) {
    const auto digits = s.find_first_not_of("0123456789", 1);
    if (digits != std::string_view::npos && digits > 1 && s.substr(digits).starts_with("\r\n$"))
      return protocol::redis;
  }
  return protocol::unknown;
}

protocol by_bytes(bytes b) noexcept {
  const std::string_view s = text_of(b);
  const auto at = [&](std::size_t i) -> unsigned { return i < b.size() ? octet(b, i) : 256U; };
  if (at(0) == 0x16 && at(1) == 3 && at(2) <= 4 && (at(5) == 1 || at(5) == 2)) return protocol::tls;
  // A greeting of protocol version 10: length, number 0, 10, "8.0.36" or "5.5.5-10.11.6-MariaDB".
  if (at(2) == 0 && at(3) == 0 && at(4) == 10 && at(5) >= '3' && at(5) <= '9' && at(6) <= '9' && at(6) >= '.')
    return protocol::mysql;
  if (b.size() >= 8 && at(0) == 0 && at(1) == 0) {
    const std::uint32_t code = be32(b, 4);  // StartupMessage 3.0, SSLRequest, GSSENCRequest
    if (code == 196'608 || code == 80'877'103 || code == 80'877'104) return protocol::postgresql;
  }
  if (at(0) == 0x10 && (s.substr(2, 6) == std::string_view{"\0\4MQTT", 6} ||
                        s.substr(3, 6) == std::string_view{"\0\4MQTT", 6}))
    return protocol::mqtt;
  if (at(0) == 0 && (at(4) == 0xFF || at(4) == 0xFE) && s.substr(5, 3) == "SMB") return protocol::smb;
  if (at(0) == 3 && at(1) == 0 && (at(5) == 0xE0 || at(5) == 0xD0)) return protocol::rdp;
  if (b.size() >= 19 && std::ranges::all_of(b.first(16), [](std::byte x) { return x == std::byte{0xFF}; }))
    return protocol::bgp;
  // Its opcode OP_MSG, least significant byte first.
  if (b.size() >= 16 && at(12) == 0xDD && at(13) == 7 && at(14) == 0 && at(15) == 0) return protocol::mongodb;
  return protocol::unknown;
}

/// A name of labels, with pointers to what stood before (RFC 1035 section 4.1.4); nothing if it is
/// damaged or has other characters than names have. `at` moves behind it.
std::optional<std::string> dns_name(bytes message, std::size_t& at) {
  std::string name;
  std::size_t here = at;
  bool jumped = false;
  for (int jumps = 0; here < message.size();) {
    const unsigned length = octet(message, here);
    if (length == 0) {
      if (!jumped) at = here + 1;
      if (!is_name(name)) return std::nullopt;
      return name;
    }
    if (length >= 0xC0) {
      constexpr int most_jumps = 16;
      if (here + 1 >= message.size() || ++jumps > most_jumps) return std::nullopt;
      if (!jumped) at = here + 2;
      jumped = true;
      here = be16(message, here) & 0x3FFFU;
      continue;
    }
    if (length > 63 || here + 1 + length > message.size()) return std::nullopt;
    if (!name.empty()) name += '.';
    name += text_of(message.subspan(here + 1, length));
    if (name.size() > longest_name) return std::nullopt;
    here += 1 + length;
  }
  return std::nullopt;
}

/// Moves behind a name, whatever is in it.
bool skip_name(bytes message, std::size_t& at) noexcept {
  while (at < message.size()) {
    const unsigned length = octet(message, at);
    if (length == 0) {
      ++at;
      return true;
    }
    if (length >= 0xC0) {
      at += 2;
      return at <= message.size();
    }
    at += 1 + length;
  }
  return false;
}

}  // namespace

std::string_view to_string(protocol p) noexcept {
  constexpr std::array<std::string_view, protocols> names{
      "unknown",    "tls",   "http",    "http2", "ssh",  "smtp", "ftp", "imap", "pop3", "mysql",
      "postgresql", "redis", "mongodb", "amqp",  "mqtt", "smb",  "rdp", "bgp",  "sip",  "rtsp"};
  return names[static_cast<std::size_t>(p)];
}

speech spoken_in(std::span<const std::byte> payload) noexcept {
  if (payload.size() < 4) return {};
  const std::string_view s = text_of(payload);
  protocol what = protocol::unknown;
  // Most payloads are from the middle of something: one look at the first byte is enough.
  if (constexpr std::string_view letters = "GPHDOTCESAIR*+2"; letters.contains(s.front())) {
    if (is_http_request(s)) return {protocol::http, http_host(s)};
    what = by_text(s);
  }
  if (what == protocol::unknown) what = by_bytes(payload);
  if (what == protocol::tls) return {what, tls_hello_in(payload).value_or(tls_hello{}).name};
  return {what, {}};
}

/// RFC 8446 sections 5.1, 4.1.2 and 4.1.3.
std::optional<tls_hello> tls_hello_in(std::span<const std::byte> payload) noexcept {
  cursor c{payload};
  const auto record = c.number(1);
  c.take(2 + 2);  // version, length
  const auto message = c.number(1);
  constexpr std::size_t handshake = 22, of_client = 1, of_server = 2;
  if (record != handshake || (message != of_client && message != of_server)) return std::nullopt;
  tls_hello hello{.of_server = message == of_server};
  c.take(3);  // length
  const auto version = c.number(2);
  if (!version) return std::nullopt;
  hello.version = static_cast<std::uint16_t>(*version);
  c.take(32);  // random
  c.block(1);  // session
  if (hello.of_server) {
    c.take(2 + 1);  // the cipher suite and the compression that were chosen
  } else {
    c.block(2);
    c.block(1);
  }
  cursor extensions{c.block(2)};
  while (extensions.left() > 0) {
    const auto type = extensions.number(2);
    const bytes content = extensions.block(2);
    if (type) read_extension(*type, content, hello);
  }
  return hello;
}

void read_dns_answer(std::span<const std::byte> message,
                     const std::function<void(const ip_address&, const std::string&)>& take) {
  constexpr std::size_t header = 12;
  if (message.size() < header || (octet(message, 2) & 0x80U) == 0 || be16(message, 4) > 1) return;
  std::size_t at = header;
  std::optional<std::string> asked;
  const bool question = be16(message, 4) == 1;  // multicast DNS repeats none (RFC 6762 section 6)
  if (question) {
    asked = dns_name(message, at);
    if (!asked) return;
    at += 4;  // its type and class
  }
  for (unsigned i = 0; i < be16(message, 6); ++i) {
    if (!question) {
      std::size_t begins = at;
      asked = dns_name(message, begins);
    }
    if (!skip_name(message, at) || at + 10 > message.size()) return;
    const unsigned type = be16(message, at);
    const std::size_t length = be16(message, at + 8);
    at += 10;
    if (at + length > message.size()) return;
    constexpr unsigned a = 1, aaaa = 28;
    if (asked && ((type == a && length == 4) || (type == aaaa && length == 16)))
      take(ip_address{message.subspan(at, length)}, *asked);
    at += length;
  }
}

}  // namespace halfopen::trace
