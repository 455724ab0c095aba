#include "judge/sentences.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <signal.h>

#include "judge/protocol.hpp"
#include "play/words.hpp"

namespace halfopen::judge {
namespace {

using play::signal_name;

constexpr const char* for_ever = "every thread waits without a limit (computed)";
constexpr const char* find_out = "find out why it crashes when its peer goes";
constexpr const char* ignore_sigpipe = "send with MSG_NOSIGNAL, or ignore SIGPIPE";

std::string say_varies(const std::string& difference) {
  return "what the programs say differs from run to run in more than figures, so that nobody knows whether "
         "this is "
         "right" +
         (difference.empty() ? std::string() : ": " + difference);
}

std::string when(const client_seen& s) {
  return s.after && s.after->count() > 0 ? " after " + in_words(*s.after) : "";
}

std::string own_words(const client_seen& s) {
  return s.says.empty() ? ", and says nothing" : ", and says: " + s.says;
}

std::string options_in_words(const liveness& has) {
  std::string text;
  if (has.keepalive)
    text = fmt::format("SO_KEEPALIVE (first probe after {}, {} probes {} apart)", in_words(has.idle),
                       has.probes, in_words(has.interval));
  if (has.user_timeout.count() > 0)
    text += (text.empty() ? "" : " and ") + fmt::format("TCP_USER_TIMEOUT of {}", in_words(has.user_timeout));
  return text.empty() ? "neither SO_KEEPALIVE nor TCP_USER_TIMEOUT" : text;
}

std::string options_of(const std::optional<wait_length>& wait) {
  return wait ? "its connection has " + options_in_words(wait->options) + "; " : "";
}

// ---- a client that has ended ---------------------------------------------------

wording of_a_crash(const client_seen& s) {
  const int signal = deadly_signal(*s.ended);
  return {.happened = "killed by " + signal_name(signal) + when(s),
          .cure = signal == SIGPIPE
                      ? std::string(ignore_sigpipe) + ", and treat EPIPE as the end of the connection"
                      : find_out};
}

wording of_its_usual_output(const client_seen& s, outcome did) {
  wording w;
  w.happened = did == outcome::recovered ? "recovered on a new connection: exit 0 with the usual output"
                                         : "unaffected: exit 0 with the usual output";
  w.happened += when(s);
  return w;
}

wording of_a_second_time(const client_seen& s) {
  return {
      .happened =
          fmt::format("asked twice: exit 0 with the usual output{}, and its request reached the server "
                      "in packet {} and again in packet {}: {}",
                      when(s), s.asked_twice->first, s.asked_twice->second,
                      s.once ? "it may be done once only" : "right only if it may be done twice"),
      .cure =
          "when nobody knows whether a request was done, ask the server before it is sent again, give it a "
          "number by which the server knows it, or exit with an error"};
}

wording of_a_false_success(const client_seen& s) {
  wording w;
  if (s.unpredictable) {
    w.reason = say_varies(s.difference);
    return w;
  }
  if (s.guessed) {
    w.reason =
        "the client said what was not recorded, or on another connection: what it was answered need not fit";
    return w;
  }
  w.happened =
      fmt::format("false success: exit 0{}, but its output is not the usual: {}", when(s), s.difference);
  w.cure =
      "take a reply for whole only if its own framing says so (a length, an end mark), never because the "
      "connection ended; and exit with an error otherwise";
  if (s.pipe)
    w.cure +=
        ". Its command is a pipe, of which only the last part's exit status counts: if the client "
        "stands before it and failed, only its own exit status tells (bash's 'set -o pipefail', or a "
        "file in between)";
  return w;
}

wording of_a_report(const client_seen& s, verdict v, const std::string& cure_of_giving_up) {
  const std::string how = fmt::format("exit {}{}{}", s.ended->code, when(s), own_words(s));
  if (v == verdict::pass) return {.happened = "reported: " + how};
  return {.happened = "gave up with nothing in its way: " + how, .cure = cure_of_giving_up};
}

// ---- a client that has not -------------------------------------------------------

std::string length_in_words(const client_seen& s, const hang_length& l) {
  if (s.watched_to)
    return s.ended ? fmt::format("ended after {} (measured)", in_words(l.ends.value_or(*s.watched_to)))
                   : fmt::format("still running after {} (measured)", in_words(*s.watched_to));
  if (l.ends)
    return fmt::format("by its socket's options the kernel would end it after {} at the latest (computed)",
                       in_words(*l.ends));
  if (l.how == hang_length::source::computed)
    return fmt::format(
        "for ever: {}, and {}",
        s.kernel_answers ? "the server's kernel goes on acknowledging" : "no timer runs on its connection",
        for_ever);
  if (s.wait && s.kernel_answers)
    return "the server's kernel goes on acknowledging: for ever, unless it has a timer of its own";
  if (s.wait) return "no timer of the kernel runs on its connection: for ever, unless it has one of its own";
  return s.has_socket ? "its socket could not be looked at" : "it has no connection to the server any more";
}

std::string cure_of_a_hang(const client_seen& s) {
  if (s.told.fin || s.told.reset || s.told.refusal)
    return fmt::format(
        "it was told ({}), and waits on: watch the socket while waiting for anything else "
        "(poll(2): POLLIN, POLLRDHUP), and treat end-of-file, ECONNRESET and ECONNREFUSED as the "
        "end of the exchange",
        in_words(s.told));
  if (s.what_for == waiting::for_connection)
    return options_of(s.wait) +
           "give connect a deadline of its own (a nonblocking connect and a timer; or TCP_USER_TIMEOUT, "
           "which bounds the SYNs too)";
  if (!s.has_socket && s.told.attempts > 0)
    return "it has given up its connection, and does not end: bound the whole exchange by a deadline";
  const std::string_view own = limit_of_its_own(s.spoken);
  if (s.kernel_answers)
    return "keepalive and TCP_USER_TIMEOUT do not help, since the server's kernel answers: give the wait for "
           "a reply a "
           "limit" +
           (own.empty() ? "" : fmt::format(" (such as {})", own));
  return options_of(s.wait) + options_that_notice(s.within.count() > 0 ? s.within : s.limit) +
         "; or give the whole exchange a deadline" + (own.empty() ? "" : fmt::format(" (such as {})", own));
}

wording of_a_loop(const client_seen& s, const finding& f) {
  wording w;
  w.happened = fmt::format("tries again without end: still running after {} ({})", in_words(s.limit),
                           in_words(s.told));
  if (f.length.watched) {
    w.length = fmt::format("still trying after {} (watched), {} attempts", in_words(*f.length.watched),
                           f.length.attempts);
    w.happened += "; " + w.length;
  }
  w.cure =
      "bound its attempts, by their number or by a time, with growing pauses between them, and exit with an "
      "error when the bound is reached";
  return w;
}

wording of_a_spin(const client_seen& s) {
  return {.happened = fmt::format("spins: still running after {}, {:.1f} s of processor time in {}",
                                  in_words(s.limit), s.processor, in_words(s.window)),
          .cure =
              "an end-of-file or an error that is never looked at keeps the socket ready: close it, and wait "
              "with poll(2) instead of asking again"};
}

wording of_a_hang(const client_seen& s, const finding& f, const std::string& cure_of_giving_up) {
  wording w;
  if (f.why == obstacle::too_busy) {
    w.reason =
        fmt::format("the machine was too busy: the judge had delivered {} of {} bytes when the limit came",
                    s.undelivered->first, s.undelivered->second);
    return w;
  }
  w.length = length_in_words(s, f.length);
  w.happened = fmt::format("hangs: still running after {}; {}", in_words(s.limit), w.length);
  w.cure = s.must_succeed ? cure_of_giving_up : cure_of_a_hang(s);
  return w;
}

// ---- a server ------------------------------------------------------------------

const char* state_name(int state) {
  switch (state) {
    case TCP_ESTABLISHED:
      return "ESTABLISHED";
    case TCP_CLOSE_WAIT:
      return "CLOSE_WAIT";
    case TCP_LAST_ACK:
      return "LAST_ACK";
    case TCP_FIN_WAIT1:
      return "FIN_WAIT_1";
    case TCP_FIN_WAIT2:
      return "FIN_WAIT_2";
    case TCP_CLOSING:
      return "CLOSING";
    case TCP_CLOSE:
      return "reset, and not closed";
    default:
      return "another state";
  }
}

std::string how_long_it_holds(const held_sockets& s, const finding& f) {
  if (s.released) return fmt::format("given back after {} (measured)", in_words(*s.watched));
  if (s.watched && f.length.ends)
    return fmt::format(
        "still held after {} (measured); by its socket's options the kernel ends it after {} at the latest "
        "(computed)",
        in_words(*s.watched), in_words(*f.length.ends));
  if (s.watched) return fmt::format("still held after {} (measured)", in_words(*s.watched));
  if (f.length.ends)
    return fmt::format("the kernel would end it after {} at the latest (computed)", in_words(*f.length.ends));
  if (f.length.how == hang_length::source::computed)
    return fmt::format("for ever: no timer runs on the connection, and {}", for_ever);
  return "no timer of the kernel runs on the connection; the program may have one of its own: the virtual "
         "clock "
         "measures it";
}

}  // namespace

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

std::string still_in_words(const case_result& r) {
  if (!r.did || !r.still_waiting) return {};
  const std::string after = " after " + in_words(*r.still_waiting);
  switch (*r.did) {
    case outcome::hangs:
      return "still waiting" + after;
    case outcome::spins:
      return "still running, and burns the processor," + after;
    case outcome::tries_again:
      return "still trying" + after;
    case outcome::holds:
    case outcome::releases_late:
      return "still holds the connection" + after;
    default:
      return {};
  }
}

std::string outlook_in_words(const case_result& r) {
  using source = hang_length::source;
  const hang_length& l = r.length;
  if (r.did == outcome::tries_again && l.watched)
    return fmt::format("still trying after {}, {} attempts (watched)", in_words(*l.watched), l.attempts);
  const bool waits = r.did == outcome::hangs || r.did == outcome::lets_hang;
  const bool holds = r.did == outcome::holds || r.did == outcome::releases_late;
  if (!waits && !holds) return {};
  if (l.how == source::computed)
    return fmt::format("would {} {} (computed)", waits ? "wait" : "hold it",
                       l.ends ? in_words(*l.ends) : "for ever");
  if (l.how != source::measured) return {};
  if (l.ends) return fmt::format("{} {} (measured)", waits ? "waited" : "held it", in_words(*l.ends));
  return l.watched ? fmt::format("still {} after {} (measured)", waits ? "waiting" : "holds it",
                                 in_words(*l.watched))
                   : std::string();
}

std::string options_that_notice(milliseconds within) {
  const liveness wanted = noticed_within(within);
  return fmt::format(
      "with SO_KEEPALIVE, TCP_KEEPIDLE={}, TCP_KEEPINTVL={}, TCP_KEEPCNT={} and TCP_USER_TIMEOUT={} it would "
      "have known "
      "after {}",
      wanted.idle.count(), wanted.interval.count(), wanted.probes, wanted.user_timeout.count(),
      in_words(within));
}

wording say(const client_seen& s, const finding& f, const std::string& cure_of_giving_up) {
  switch (f.did) {
    case outcome::crashed:
      return of_a_crash(s);
    case outcome::unaffected:
    case outcome::recovered:
      return of_its_usual_output(s, f.did);
    case outcome::asks_twice:
      return of_a_second_time(s);
    case outcome::false_success:
      return of_a_false_success(s);
    case outcome::tries_again:
      return of_a_loop(s, f);
    case outcome::spins:
      return of_a_spin(s);
    case outcome::hangs:
      return of_a_hang(s, f, cure_of_giving_up);
    default:
      return of_a_report(s, f.verdict, cure_of_giving_up);
  }
}

wording say_end(const lab::exit_status& end) {
  const int signal = deadly_signal(end);
  return {.happened = signal != 0 ? "the server was killed by " + signal_name(signal)
                                  : fmt::format("the server ended with exit {}", end.code),
          .cure = signal == SIGPIPE
                      ? std::string(ignore_sigpipe) + ", and treat EPIPE as the end of that connection only"
                      : "an error of one connection ends that connection, never the server"};
}

wording say(const other_client& seen, const finding& f, std::string_view when) {
  if (f.why == obstacle::lab_failed)
    return {.reason = fmt::format("{}, the next client {}", when,
                                  f.did == outcome::no_answer
                                      ? "opened no connection within " + in_words(seen.limit)
                                      : "ended before it opened a connection: its own output says why")};
  switch (f.did) {
    case outcome::no_answer:
      return {
          .happened = fmt::format("{}, the next client gets no answer within {}", when, in_words(seen.limit)),
          .cure =
              "no connection may keep the others waiting: accept without blocking, and serve each connection "
              "for itself"};
    case outcome::wrong_answer:
      if (f.why == obstacle::varies) return {.reason = say_varies({})};
      return {.happened = fmt::format("not so: {}, the next client is answered", when),
              .cure = "the fault on one connection must not be seen on another"};
    case outcome::serves_on:
      return {.happened = fmt::format("{}, the next client is answered", when)};
    default:
      return say_end(*seen.server_ended);
  }
}

wording say(const held_sockets& seen, const finding& f, milliseconds limit) {
  const std::string held_so =
      fmt::format("it holds the dead connection after {} still ({}{})", in_words(seen.patience),
                  state_name(seen.state), seen.count > 1 ? fmt::format(", and {} more", seen.count - 1) : "");
  if (seen.state == TCP_CLOSE_WAIT || seen.state == TCP_CLOSE)
    return {
        .happened = held_so,
        .cure =
            "it was told that the connection is over: close the socket when reading gives end-of-file or an "
            "error"};
  wording w;
  w.length = how_long_it_holds(seen, f);
  w.happened = f.did == outcome::releases_late ? "it gives the dead connection back late: "
               : seen.watched                  ? "it never gives the dead connection back: "
                                               : held_so + "; ";
  w.happened += w.length;
  w.cure = options_of(seen.wait) + options_that_notice(limit) + "; or close connections that stay silent";
  return w;
}

wording say(const load_seen& seen, const finding& f, std::string_view when, const std::string& cure) {
  if (!seen.share) return {.reason = "others had the processor: whether it would burn it is not known"};
  const std::string text =
      fmt::format("{}it waits without burning the processor ({:.0f} %)", when, *seen.share * 100);
  if (f.verdict == verdict::pass) return {.happened = text};
  return {.happened = "not so: " + text, .cure = cure};
}

wording say(const death_seen& seen, const finding& f, const std::string& program) {
  if (f.verdict == verdict::pass) return {};
  return {.happened =
              fmt::format("one of its processes, {}, was killed by {}", program, signal_name(seen.signal)),
          .cure = seen.signal == SIGPIPE
                      ? std::string(ignore_sigpipe) + " in every process that writes to sockets"
                      : find_out};
}

wording say(const request_at_stop& seen, const finding& f) {
  const std::string on_its_way = fmt::format("a request was on its way in packet {}", seen.number);
  if (f.verdict == verdict::inconclusive)
    return {.reason = "replies are not always as long, so that nobody knows whether this one is whole: " +
                      on_its_way};
  if (seen.closed_in && seen.told)
    return {.happened = fmt::format("{}, and the server said so before it closed the connection in packet {}",
                                    on_its_way, *seen.closed_in)};
  if (seen.closed_in)
    return {
        .happened = fmt::format(
            "{} when the server closed the connection in packet {}{}: it is lost, and the client cannot "
            "know whether it was done",
            on_its_way, *seen.closed_in,
            seen.reset_in ? fmt::format(", and was answered by RST in packet {}", *seen.reset_in) : ""),
        .cure =
            "on SIGTERM close the listener, and keep idle connections for a while: answer what still comes "
            "with an end (HTTP/1: Connection: close), and close what stays silent later (nginx: "
            "keepalive_min_timeout); HTTP/2: GOAWAY first"};
  if (f.verdict == verdict::pass) return {.happened = on_its_way + ", and it was answered"};
  return {.happened = on_its_way + ", and the server took it and never answered",
          .cure = "on SIGTERM answer the requests that still come on open connections, or close these"};
}

std::string_view peer_in_words(const case_result& r) noexcept {
  const bool client = r.subject == subject::client;
  switch (r.peer) {
    case player::nobody:
      return {};
    case player::recording:
      return client ? "the recording, in the server's place" : "the recording, in the client's place";
    case player::program:
      return client ? "the real server, stopped at that byte by the cable and its kernel"
                    : "the real client, stopped at that byte by the cable and its kernel";
  }
  return {};
}

std::string say_refuted(const case_result& first, const case_result& second, bool virtual_clock) {
  const auto figures = [](const case_result& r) {
    return fmt::format("its programs were ready to run and got no processor for {} of {}",
                       in_words(r.kept_waiting), in_words(r.took));
  };
  const char* where = virtual_clock ? "under the virtual clock" : "alone";
  if (second.verdict == verdict::fail || second.verdict == verdict::warn)
    return fmt::format("the machine was too busy, alone too ({}): \"{}\"", figures(second), second.happened);
  if (second.verdict == verdict::inconclusive)
    return fmt::format("not confirmed: beside other cases \"{}\"; {}: {}", first.happened, where,
                       what_happened(second));
  return fmt::format("the machine was too busy ({}): beside other cases \"{}\", {} \"{}\"", figures(first),
                     first.happened, where, what_happened(second));
}

std::string say_unconfirmed(const case_result& first, std::string_view why) {
  return fmt::format("not confirmed: \"{}\", and {}", first.happened, why);
}

}  // namespace halfopen::judge
