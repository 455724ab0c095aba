#include "judge/outcome.hpp"

#include <fmt/format.h>
#include <signal.h>

#include "judge/words.hpp"

namespace halfopen::judge {
namespace {

/// The earlier of two packets.
void note(std::optional<std::uint64_t>& into, std::uint64_t number) {
  if (!into || number < *into) into = number;
}

std::string when(const client_seen& s) {
  return s.after && s.after->count() > 0 ? " after " + in_words(*s.after) : "";
}

decision of_an_end(const client_seen& s) {
  decision d;
  const int code = s.ended->code;
  if (const int signal = deadly_signal(*s.ended); signal != 0) {
    d.what = verdict::fail;
    d.kind = outcome::crashed;
    d.happened = "killed by " + signal_name(signal) + when(s);
    d.cure = signal == SIGPIPE
                 ? "send with MSG_NOSIGNAL, or ignore SIGPIPE, and treat EPIPE as the end of the connection"
                 : "find out why it crashes when its peer goes";
  } else if (code != 0 && !s.must_succeed.empty()) {
    d.what = verdict::fail;
    d.kind = outcome::reported;
    d.rests_on = basis::time;  // a limit of its own may have passed while the machine was busy
    d.happened = fmt::format("gave up with nothing in its way: exit {}{}{}", code, when(s), s.says);
    d.cure = s.must_succeed;
  } else if (code != 0) {
    d.kind = outcome::reported;
    d.happened = fmt::format("reported: exit {}{}{}", code, when(s), s.says);
  } else if (s.usual_output) {
    d.kind = s.anew ? outcome::recovered : outcome::unaffected;
    d.happened =
        (s.anew ? "recovered on a new connection: exit 0 with the usual output"
                : "unaffected: exit 0 with the usual output") +
        when(s) +
        (s.asked_twice
             ? "; it asked twice, and the first request had arrived: right only if it may be done twice"
             : "");
  } else {
    d.what = verdict::fail;
    d.kind = outcome::false_success;
    d.happened =
        fmt::format("false success: exit 0{}, but its output is not the usual: {}", when(s), s.difference);
    d.cure =
        "take a reply for whole only if its own framing says so (a length, an end mark), never because the "
        "connection ended; and exit with an error otherwise";
    if (s.pipe)
      d.cure +=
          ". Its command is a pipe, of which only the last part's exit status counts: if the client "
          "stands before it and failed, only its own exit status tells (bash's 'set -o pipefail', or a "
          "file in between)";
  }
  return d;
}

hang_length length_of(const client_seen& s) {
  hang_length l;
  if (s.watched_to) {
    l.how = hang_length::source::measured;
    l.ends = s.ended ? s.after : std::nullopt;
    l.words = s.ended ? fmt::format("ended after {} (measured)", in_words(s.after.value_or(*s.watched_to)))
                      : fmt::format("still running after {} (measured)", in_words(*s.watched_to));
  } else if (s.wait && s.wait->by_kernel) {
    l.how = hang_length::source::computed;
    l.ends = s.wait->by_kernel;
    l.words = fmt::format("by its socket's options the kernel would end it after {} at the latest (computed)",
                          in_words(*s.wait->by_kernel));
  } else if (s.wait) {
    l.how = s.endless == true ? hang_length::source::computed : hang_length::source::unknown;
    l.words =
        s.endless == true
            ? "for ever: no timer runs on its connection, and every thread waits without a limit (computed)"
            : "no timer of the kernel runs on its connection: for ever, unless it has one of its own";
  } else {
    l.words =
        s.has_socket ? "its socket could not be looked at" : "it has no connection to the server any more";
  }
  return l;
}

std::string cure_of_a_hang(const client_seen& s) {
  if (s.told.fin || s.told.reset || s.told.refusal)
    return fmt::format(
        "it was told ({}), and waits on: watch the socket while waiting for anything else "
        "(poll(2): POLLIN, POLLRDHUP), and treat end-of-file, ECONNRESET and ECONNREFUSED as the "
        "end of the exchange",
        in_words(s.told));
  const std::string has = s.wait ? "its connection has " + s.wait->kernel_options + "; " : "";
  if (s.what_for == waiting::for_connection)
    return has +
           "give connect a deadline of its own (a nonblocking connect and a timer; or TCP_USER_TIMEOUT, "
           "which bounds the SYNs too)";
  if (!s.has_socket && s.told.attempts > 0)
    return "it has given up its connection, and does not end: bound the whole exchange by a deadline";
  return has + options_that_notice(s.within.count() > 0 ? s.within : s.limit) +
         "; or give the whole exchange a deadline";
}

decision of_no_end(const client_seen& s) {
  decision d;
  d.what = verdict::fail;
  d.rests_on = basis::time;
  d.length = length_of(s);
  const std::string running = "still running after " + in_words(s.limit);
  if (s.undelivered) {
    d.what = verdict::inconclusive;
    d.kind = outcome::hangs;
    d.reason =
        fmt::format("the machine was too busy: the judge had delivered {} of {} bytes when the limit came",
                    s.undelivered->first, s.undelivered->second);
    return d;
  }
  if (s.told.attempts >= many_attempts) {
    d.kind = outcome::tries_again;
    d.happened = fmt::format("tries again without end: {} ({})", running, in_words(s.told));
    if (s.watched_to)
      d.happened += "; " + d.length.words;
    else
      d.length = {};
    d.cure =
        "bound its attempts, by their number or by a time, with growing pauses between them, and exit with "
        "an "
        "error when the bound is reached";
    return d;
  }
  if (s.busy >= too_busy) {
    d.kind = outcome::spins;
    d.rests_on = basis::processor;
    d.length = {};
    d.happened =
        fmt::format("spins: {}, {:.1f} s of processor time in {}", running, s.processor, in_words(s.window));
    d.cure =
        "an end-of-file or an error that is never looked at keeps the socket ready: close it, and wait with "
        "poll(2) instead of asking again";
    return d;
  }
  d.kind = outcome::hangs;
  d.happened = fmt::format("hangs: {}; {}", running, d.length.words);
  d.cure = s.must_succeed.empty() ? cure_of_a_hang(s) : s.must_succeed;
  return d;
}

}  // namespace

told_since what_was_told(const std::vector<const trace::connection*>& all, const trace::ip_address& client,
                         std::uint16_t port, trace::time_point fault) {
  told_since t;
  for (const trace::connection* c : all) {
    if (c->opener.address != client || c->responder.port != port) continue;
    const trace::flow& own = c->of(trace::side::opener);
    const trace::flow& back = c->of(trace::side::responder);
    if (own.syn && own.syn->when >= fault) {
      ++t.attempts;
      if (c->handshake_done) ++t.answered;
    }
    if (back.fin && back.fin->when >= fault) note(t.fin, back.fin->number);
    if (back.rst && back.rst->when >= fault)
      note(back.rst_kind == trace::reset_kind::to_syn ? t.refusal : t.reset, back.rst->number);
    if (c->first_icmp && c->last_icmp->where.when >= fault) note(t.icmp, c->last_icmp->where.number);
  }
  return t;
}

std::string in_words(const told_since& t) {
  std::string text;
  const auto add = [&](std::string_view what, const std::optional<std::uint64_t>& packet) {
    if (packet) text += fmt::format("{}{} in packet {}", text.empty() ? "" : ", ", what, *packet);
  };
  add("FIN", t.fin);
  add("RST", t.reset);
  add("refusal", t.refusal);
  add("ICMP unreachable", t.icmp);
  if (text.empty()) text = "nothing reached it";
  if (t.attempts > 0)
    text += fmt::format("; {} new connection{} since, of which {} opened", t.attempts,
                        t.attempts == 1 ? "" : "s", t.answered);
  return text;
}

decision decide(const client_seen& seen) {
  return seen.ended && seen.in_time ? of_an_end(seen) : of_no_end(seen);
}

}  // namespace halfopen::judge
