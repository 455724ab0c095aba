// A line of JSON a connection: whoever has a hundred thousand of them wants jq, not one
// document of a gigabyte.
//
// The line is written directly: a tree of nlohmann's values, made and thrown away for each
// connection, took twice as long as all that was read for it. What comes from the capture as
// text are numbers and addresses only; sentences are ours, and escaped all the same.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <string_view>

#include "autopsy/filter.hpp"
#include "autopsy/report.hpp"

namespace halfopen::autopsy {
namespace {

using trace::mark;
using trace::side;

constexpr std::chrono::seconds no_second{std::numeric_limits<std::int64_t>::min()};

class writer {
 public:
  void open(char bracket) {
    comma();
    out_.push_back(bracket);
    first_ = true;
  }
  void close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
  }
  void key(std::string_view name) {
    comma();
    out_.push_back('"');
    out_.append(name);
    out_.append(std::string_view{"\":"});
    first_ = true;
  }
  void text(std::string_view s) {
    comma();
    out_.push_back('"');
    for (const char c : s) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') out_.push_back('\\');
      if (byte < 0x20)
        fmt::format_to(std::back_inserter(out_), "\\u{:04x}", byte);
      else
        out_.push_back(c);
    }
    out_.push_back('"');
  }
  template <class Number>
  void number(Number n) {
    comma();
    fmt::format_to(std::back_inserter(out_), "{}", n);
  }
  void literal(std::string_view s) {
    comma();
    out_.append(s);
  }

  // ---- a name and its value ----
  void put(std::string_view name, std::uint64_t n) {
    key(name);
    number(n);
  }
  void put(std::string_view name, std::string_view s) {
    key(name);
    text(s);
  }
  void put(std::string_view name, const char* s) { put(name, std::string_view{s}); }
  void put(std::string_view name, bool b) {
    key(name);
    literal(b ? "true" : "false");
  }
  void put_null(std::string_view name) {
    key(name);
    literal("null");
  }
  void put(std::string_view name, std::chrono::nanoseconds d) {
    key(name);
    number(std::chrono::duration<double>(d).count());
  }
  void put(std::string_view name, const std::optional<mark>& m) {
    key(name);
    if (!m) return literal("null");
    open('{');
    put("packet", m->number);
    key("time");
    time(m->when);
    close('}');
  }
  /// From one mark to another, if they came in this order.
  void put(std::string_view name, const std::optional<mark>& from, const std::optional<mark>& to) {
    if (from && to && to->number >= from->number)
      put(name, to->when - from->when);
    else
      put_null(name);
  }

  /// Most marks of a connection lie in few seconds, and their date is the costly part.
  void time(trace::time_point t) {
    comma();
    const auto whole = std::chrono::floor<std::chrono::seconds>(t);
    if (whole.time_since_epoch() != second_) {
      second_ = whole.time_since_epoch();
      const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
      date_ = fmt::format("\"{:%Y-%m-%dT%H:%M:%S}.", fmt::gmtime(seconds));
    }
    out_.append(date_);
    std::array<char, 11> digits{'0', '0', '0', '0', '0', '0', '0', '0', '0', 'Z', '"'};
    auto rest = (t - whole).count();
    for (std::size_t i = 9; i-- > 0; rest /= 10) digits[i] = static_cast<char>('0' + rest % 10);
    out_.append(std::string_view{digits.data(), digits.size()});
  }

  [[nodiscard]] std::string take() const { return fmt::to_string(out_); }

 private:
  void comma() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }

  fmt::basic_memory_buffer<char, 4096> out_;
  bool first_ = true;
  std::chrono::seconds second_ = no_second;
  std::string date_;
};

void put(writer& w, std::string_view name, const trace::flow& f) {
  w.key(name);
  w.open('{');
  w.put("bytes", f.bytes);
  w.put("bytes_acknowledged", f.acked);
  w.put("segments", f.segments);
  w.put("data_segments", f.data_segments);
  w.put("retransmissions", f.retransmissions);
  w.put("keepalive_probes", f.keepalive_probes);
  w.put("duplicates", f.duplicates);
  w.put("bytes_missed", f.missed);
  w.put("first_data", f.first_data);
  w.put("fin", f.fin);
  w.put("rst", f.rst);
  w.put("last", f.last_heard);
  w.close('}');
}

void put(writer& w, std::string_view name, const trace::endpoint& e) {
  w.key(name);
  w.open('{');
  w.put("address", e.address.to_string());
  w.put("port", std::uint64_t{e.port});
  w.close('}');
}

template <class What>
void put(writer& w, std::string_view name, const std::vector<trace::remark<What>>& remarks) {
  w.key(name);
  w.open('[');
  for (const auto& r : remarks) {
    w.open('{');
    w.put("what", to_string(r.what));
    w.put("why", std::string_view{r.why});
    w.close('}');
  }
  w.close(']');
}

void put_icmp(writer& w, const trace::connection& c) {
  if (!c.first_icmp) return w.put_null("icmp");
  w.key("icmp");
  w.open('{');
  w.put("count", c.icmp_count);
  w.put("router", c.first_icmp->router.to_string());
  w.put("first", std::optional{c.first_icmp->where});
  w.close('}');
}

void put(writer& w, std::string_view name, const trace::pause& p) {
  if (p.until.number == 0) return w.put_null(name);
  w.key(name);
  w.open('{');
  w.put("seconds", p.lasted);
  w.put("until", std::optional{p.until});
  w.put("waited_for", to_string(p.waited_for));
  w.close('}');
}

/// What it spoke, and to which server by name.
void put_speech(writer& w, const trace::file_entry& c) {
  const trace::protocol spoken = c.story.what.spoken;
  if (spoken == trace::protocol::unknown)
    w.put_null("protocol");
  else
    w.put("protocol", to_string(spoken));
  if (c.server_name.empty())
    w.put_null("server_name");
  else
    w.put("server_name", std::string_view{c.server_name});
}

/// Where the time went: on which side of the capture point, and in whose turn.
void put_slowness(writer& w, const trace::connection& c) {
  const trace::flow &opener = c.of(side::opener), &responder = c.of(side::responder);
  w.key("slow");
  w.open('{');
  w.put("to_responder", opener.syn, responder.syn);
  w.put("to_opener", responder.syn, c.handshake_done);
  w.put("first_byte", opener.first_data, responder.first_data);
  w.key("pause");
  w.open('{');
  put(w, "opener", opener.longest_pause);
  put(w, "responder", responder.longest_pause);
  w.close('}');
  w.key("zero_window");
  w.open('{');
  w.put("opener", opener.zero_window_longest);
  w.put("responder", responder.zero_window_longest);
  w.close('}');
  w.close('}');
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
  writer w;
  w.open('{');
  w.put("connection", c.number);
  put(w, "opener", what.opener);
  put(w, "responder", what.responder);
  put_speech(w, c);
  w.put("opener_seen", what.opener_seen);
  w.put("first", std::optional{what.first});
  w.put("handshake_done", what.handshake_done);
  w.put("last", std::optional{what.last});
  w.put("lasted_seconds", what.last.when - what.first.when);
  w.key("said");
  w.open('{');
  put(w, "opener", what.of(side::opener));
  put(w, "responder", what.of(side::responder));
  w.close('}');
  put_icmp(w, what);
  w.put("ended", s.ended);
  w.put("ending", ending_word(s));
  w.put("by", s.sure_by == trace::confidence::certain ? to_string(s.by) : "unknown");
  w.put("probably_by", to_string(s.by));
  if (s.ended)
    w.put("confidence", to_string(s.sure));
  else
    w.put_null("confidence");
  w.key("also_possible");
  w.open('[');
  for (const ending e : s.also_possible) w.text(to_string(e));
  w.close(']');
  put(w, "manners", s.manners);
  put(w, "doubts", s.doubts);
  w.key("could_know");
  w.open('{');
  w.put("opener", s.could_know[0]);
  w.put("responder", s.could_know[1]);
  w.close('}');
  put_slowness(w, what);
  if (s.half_open_for)
    w.put("half_open_seconds", *s.half_open_for);
  else
    w.put_null("half_open_seconds");
  w.put("why", std::string_view{s.why});
  w.key("proof");
  w.open('[');
  for (const std::uint64_t n : s.proof) w.number(n);
  w.close(']');
  w.put("badness", static_cast<std::uint64_t>(badness(s)));
  w.put("zeek_conn_state", trace::zeek_conn_state(what));
  w.close('}');
  return w.take();
}

}  // namespace halfopen::autopsy
