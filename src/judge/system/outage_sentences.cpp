#include "judge/system/outage_sentences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

namespace halfopen::judge {
namespace {

std::string asks(std::size_t n) {
  return fmt::format("{} ask{}", n, n == 1 ? "" : "s");
}

/// ": \"connect ECONNREFUSED\""
std::string its_words(const outage_seen& seen, const look_finding& f) {
  if (!f.example || seen.asks[*f.example].says.empty()) return {};
  return ": \"" + seen.asks[*f.example].says + "\"";
}

/// What connections have in common, of which one sentence tells.
using protection = std::pair<bool, bool>;  // SO_KEEPALIVE, TCP_USER_TIMEOUT

protection protection_of(const waiting_socket& w) {
  return {w.length.options.keepalive, w.length.options.user_timeout.count() > 0};
}

/// "has neither SO_KEEPALIVE nor TCP_USER_TIMEOUT"
std::string_view words_of(protection p) {
  const auto [keepalive, user_timeout] = p;
  return keepalive && user_timeout ? "has SO_KEEPALIVE and TCP_USER_TIMEOUT"
         : keepalive               ? "has SO_KEEPALIVE, and no TCP_USER_TIMEOUT"
         : user_timeout            ? "has TCP_USER_TIMEOUT, and no SO_KEEPALIVE"
                                   : "has neither SO_KEEPALIVE nor TCP_USER_TIMEOUT";
}

/// ", and the kernel would give it up after 15 min 24 s": of several the longest.
std::string end_of(std::span<const waiting_socket> some) {
  milliseconds longest{};
  for (const waiting_socket& w : some) {
    if (!w.length.by_kernel) return ", and nothing of the kernel's would ever end it";
    longest = std::max(longest, *w.length.by_kernel);
  }
  return fmt::format(", and the kernel would give it up after {}", in_words(longest));
}

/// "one has neither ... nor ..., and ...; each of 3 has ...", or of connections that are alike "each has ..."
std::string each_of(std::vector<waiting_socket> all) {
  std::ranges::stable_sort(all, {}, protection_of);
  std::string text;
  for (auto from = all.begin(); from != all.end();) {
    const auto to = std::find_if(
        from, all.end(), [&](const waiting_socket& w) { return protection_of(w) != protection_of(*from); });
    const bool alike = from == all.begin() && to == all.end();
    const std::string which = alike ? "each" : to - from == 1 ? "one" : fmt::format("each of {}", to - from);
    text += fmt::format("{}{} {}{}", text.empty() ? "" : "; ", which, words_of(protection_of(*from)),
                        end_of({from, to}));
    from = to;
  }
  return text;
}

/// What its connection to the dependency had to protect it: the one on which it waits, if that can be told.
std::string of_its_socket(const outage_seen& seen, const outage_names& n) {
  if (!seen.waits) return {};
  const auto& [how, sockets] = *seen.waits;
  const std::size_t count = sockets.size();
  if (count == 0) return fmt::format("; it had no connection to {} then", n.dependency);
  const std::string its = count == 1
                              ? fmt::format("{}{}", words_of(protection_of(sockets.front())), end_of(sockets))
                              : each_of(sockets);
  switch (how) {
    case waits_on::unanswered:
      return count == 1
                 ? fmt::format("; the connection to {} on which it waits {}", n.dependency, its)
                 : fmt::format("; it waits on one of {} connections to {}: {}", count, n.dependency, its);
    case waits_on::answered:
      return count == 1
                 ? fmt::format("; the connection to {} that it used, and on which something came back, {}",
                               n.dependency, its)
                 : fmt::format("; it used {} connections to {}, and something came back on each: {}", count,
                               n.dependency, its);
    case waits_on::open:
      break;
  }
  return count == 1 ? fmt::format("; whether it waits on its connection to {} cannot be told; that one {}",
                                  n.dependency, its)
                    : fmt::format("; on which of its {} connections to {} it waits cannot be told: {}", count,
                                  n.dependency, its);
}

std::string limit_every_call(const outage_names& n) {
  return fmt::format(
      "give every call to {} a limit of its own (a driver's command, query or socket timeout), shorter than "
      "what those who ask can wait for, and answer an error when it has passed; for idle connections, {}",
      n.dependency, options_that_notice(n.within));
}

wording of_own_waits(const outage_seen& seen, const look_finding& f, const outage_names& n) {
  const std::string happened = fmt::format("{} had not ended after {}", asks(f.count), in_words(seen.limit));
  return {.happened = happened,
          .reason = fmt::format("{}, and each had a connection of its own to {}, which was away for it too: "
                                "give the command that asks a limit of its own, shorter than --limit",
                                happened, n.dependency)};
}

wording of_during(const outage_seen& seen, const look_finding& f, const outage_names& n) {
  switch (f.found.did) {
    case outcome::answers_wrong: {
      wording w{
          .happened =
              fmt::format("{} got exit 0 and another output than usual{}", asks(f.count), its_words(seen, f)),
          .cure = fmt::format("answer an error while {} cannot be asked; if this answer is meant for that "
                              "case, let the probe accept it",
                              n.dependency)};
      if (f.found.verdict == verdict::inconclusive)
        w.reason =
            w.happened + "; only figures differ, and the usual ones never came back: it may tell the time";
      return w;
    }
    case outcome::lets_hang:
      if (f.found.why == obstacle::asks_itself) return of_own_waits(seen, f, n);
      if (f.found.verdict == verdict::inconclusive)
        return {.happened = fmt::format("an ask was answered after {}", in_words(*f.figure)),
                .reason = fmt::format(
                    "an ask was answered after {}: whether it would have been within {} cannot be "
                    "said, for the machine was too busy",
                    in_words(*f.figure), in_words(seen.limit))};
      return {.happened = fmt::format("{} hung: not answered within {}{}", asks(f.count),
                                      in_words(seen.limit), of_its_socket(seen, n)),
              .cure = limit_every_call(n)};
    case outcome::refuses_late:
      return {.happened = fmt::format("{} refused, the slowest after {}{}", asks(f.count),
                                      in_words(*f.figure), its_words(seen, f)),
              .cure = limit_every_call(n)};
    case outcome::refuses:
      return {.happened = fmt::format("{} refused meanwhile, the slowest after {}{}", asks(f.count),
                                      in_words(*f.figure), its_words(seen, f))};
    default:
      return {.happened = f.count == 0 ? "nobody asked meanwhile"
                                       : fmt::format("every ask was served ({})", f.count)};
  }
}

/// Why the service may not be what keeps its asks from being served.
std::string why_not_its_own(const look_finding& f, const outage_names& n) {
  if (f.found.why == obstacle::varies)
    return fmt::format(", but it speaks with {}, which may not have the data that it had", n.dependency);
  return fmt::format(", but it speaks with {} again: perhaps it is a host before it that does not come back",
                     n.dependency);
}

/// "db was back, which was away for 7.3 s"
std::string back_in_words(const outage_seen& seen, const outage_names& n) {
  if (seen.back.count() == 0) return "the fault";
  return n.dependency + " was back" +
         (seen.away ? fmt::format(", which was away for {}", in_words(*seen.away)) : "");
}

wording of_stale_uses(const outage_seen& seen, const look_finding& f, const outage_names& n) {
  const ask& first = seen.asks[*f.example];
  const stale_use use = stale_use_of(seen, first).value_or(stale_use{});
  return {.happened =
              fmt::format("{} failed after {}, though it could be asked: {} a connection that {} had ended "
                          "{} before (packet {})",
                          asks(f.count), back_in_words(seen, n),
                          f.count == 1 ? "the service used" : "for the first of them the service used",
                          n.dependency, in_words(use.used - use.ended), use.packet),
          .cure = fmt::format(
              "look at a connection to {} before it is used (of a pool: pre-ping, test on borrow), "
              "or read its end when it comes, and connect anew",
              n.dependency)};
}

/// Options help where it waits on a connection whose end nobody tells it.
std::string connect_again(const outage_seen& seen, const outage_names& n) {
  const bool waits = seen.waits && !seen.waits->sockets.empty();
  return fmt::format(
      "connect again by itself whenever a connection to {} ends or a call on it fails, without a last "
      "attempt, "
      "with pauses that grow to some seconds at most{}",
      n.dependency, waits ? "; " + options_that_notice(n.within) : "");
}

std::string ask_the_name_again(const outage_names& n) {
  return fmt::format(
      "resolve the name of {} at each attempt to connect, and keep an address for some seconds at most "
      "(Java: "
      "networkaddress.cache.ttl; a proxy resolves when it starts unless it is told of a resolver)",
      n.dependency);
}

wording of_after(const outage_seen& seen, const look_finding& f, const outage_names& n) {
  const std::string back = back_in_words(seen, n);
  if (f.found.did == outcome::serves_again)
    return {.happened = fmt::format("served again {} after {}", in_words(*f.figure), back)};
  if (f.found.did == outcome::uses_stale) return of_stale_uses(seen, f, n);
  const auto old_address = asked_old_address_until(seen);
  const std::string cure = old_address ? ask_the_name_again(n) : connect_again(seen, n);
  const std::string why = old_address ? fmt::format(
                                            "; it still began to connect to the old address of {} {} "
                                            "after the fault",
                                            n.dependency, in_words(*old_address))
                                      : of_its_socket(seen, n);
  if (f.found.did == outcome::serves_again_late)
    return {.happened = fmt::format("served again only {} after {}; it shall be within {}{}",
                                    in_words(*f.figure), back, in_words(seen.recover), why),
            .cure = cure,
            .length = fmt::format("served again after {} (measured)", in_words(*f.figure))};
  if (seen.ended && !seen.restarted)
    return {
        .happened = "not served again: its command had ended", .cure = cure, .length = "never served again"};
  wording w{.happened = fmt::format("not served again, {} after {}{}{}", in_words(*f.figure), back,
                                    n.virtual_clock ? "" : " (watched no longer)", why),
            .cure = cure,
            .length = fmt::format("never served again (watched for {})", in_words(*f.figure))};
  if (f.found.verdict == verdict::inconclusive) w.reason = w.happened + why_not_its_own(f, n);
  return w;
}

wording of_health(const look_finding& f, const outage_names& n) {
  if (f.found.verdict == verdict::pass) return {.happened = "the health endpoint agrees with the probe"};
  wording w{.happened = fmt::format("the health endpoint said yes for {} while asks were not served",
                                    in_words(*f.figure)),
            .cure = fmt::format("let it say no while {} cannot be asked: ask it with a short limit, or look "
                                "at the last calls",
                                n.dependency)};
  if (f.found.verdict == verdict::inconclusive) w.reason = w.happened + why_not_its_own(f, n);
  return w;
}

wording of_alive(const outage_seen& seen, const look_finding& f, const outage_names& n) {
  if (!seen.ended) return {.happened = "it runs"};
  const std::string end = play::end_in_words(seen.ended->code, seen.ended->signal);
  return {.happened = fmt::format("its command ended {} after the fault: {}{}", in_words(*f.figure), end,
                                  seen.restarted ? "; it was started again" : ""),
          .cure = fmt::format("handle the loss of {} as an error of the call that needs it, not of the whole "
                              "program{}",
                              n.dependency,
                              seen.restarted ? "" : "; if somebody starts it again, say restart = true")};
}

wording of_storm(const look_finding& f, const outage_names& n) {
  if (f.found.did == outcome::spins)
    return {.happened = fmt::format("it burns the processor while {} is away", n.dependency),
            .cure = "wait for readiness or for a pause to end; a loop that never waits helps nobody"};
  const std::string rate = fmt::format("{} attempts to connect to {} a second", f.count, n.dependency);
  if (f.found.verdict == verdict::pass)
    return {.happened = f.count == 0 ? "few attempts to connect" : "no more than " + rate};
  return {.happened = rate + ", for three seconds and more",
          .cure =
              "pause between attempts, longer each time, with some chance in it (exponential backoff with "
              "jitter)"};
}

wording of_once(const outage_seen& seen, const look_finding& f, const outage_names& n) {
  if (f.found.verdict == verdict::pass) return {.happened = "no request reached " + n.dependency + " twice"};
  return {
      .happened = fmt::format("{} request{} reached {} more often than it was asked for (first in packet {}, "
                              "last in packet {})",
                              f.count, f.count == 1 ? "" : "s", n.dependency, seen.requests->first_packet,
                              seen.requests->again_packet),
      .cure =
          "send a request again only if doing it twice does no harm, or if the first one cannot have "
          "arrived; or give it an identity by which the other side knows it again"};
}

wording of_leftovers(const outage_seen& seen, const look_finding& f) {
  const possessions &first = seen.after_each.front(), &last = seen.after_each.back();
  const std::string change = fmt::format(
      "sockets {} to {}, descriptors {} to {}, threads {} to {}, memory {} to {} kB, over {} outages",
      first.sockets, last.sockets, first.descriptors, last.descriptors, first.threads, last.threads,
      first.memory / 1024, last.memory / 1024, seen.after_each.size() - 1);
  if (f.found.verdict == verdict::pass) return {.happened = change};
  return {.happened = "it grows with every outage: " + change,
          .cure = "close a connection when it has failed, and give back what belonged to it"};
}

char sign_of(ask_end e) {
  constexpr std::array signs{'.', 'r', 'W', 'H', '-'};
  return signs.at(static_cast<std::size_t>(e));
}

std::size_t badness_of(char c) {
  return std::string_view("_-.rHW").find(c);
}

/// Which of `width` places a time has: the first is up to 100 ms, the last is `longest`.
std::size_t place_of(milliseconds at, milliseconds longest, std::size_t width) {
  constexpr milliseconds least{100};
  constexpr double first = 100;
  if (at <= least || longest <= least) return 0;
  const double share = std::log(static_cast<double>(at.count()) / first) /
                       std::log(static_cast<double>(longest.count()) / first);
  return std::min(width - 1, static_cast<std::size_t>(share * static_cast<double>(width)));
}

/// The asks that began in that time.
std::string part_of(const std::vector<ask>& all, milliseconds from, milliseconds to, std::size_t width) {
  std::string part(width, '_');
  for (const ask& a : all) {
    // What fell together with the fault was asked a little before it.
    const bool first = from == milliseconds::zero() && a.begun < from && a.ended() >= from;
    if (a.what != probe_kind::probe || (!first && (a.begun < from || a.begun >= to))) continue;
    const char sign = sign_of(a.how);
    const std::size_t last = place_of(std::min(a.ended(), to) - from, to - from, width);
    for (std::size_t i = place_of(a.begun - from, to - from, width); i <= last; ++i)
      if (badness_of(sign) > badness_of(part[i])) part[i] = sign;
  }
  return part;
}

}  // namespace

wording say(const outage_seen& seen, const look_finding& f, const outage_names& names) {
  switch (f.at) {
    case look::during:
      return of_during(seen, f, names);
    case look::after:
      return of_after(seen, f, names);
    case look::alive:
      return of_alive(seen, f, names);
    case look::health:
      return of_health(f, names);
    case look::other:
      if (f.found.verdict == verdict::pass)
        return {.happened = "what needs no dependency went on being served"};
      return {
          .happened = fmt::format("{} of what needs no dependency {} {}, the slowest after {}", asks(f.count),
                                  f.count == 1 ? "was" : "were",
                                  f.found.verdict == verdict::fail ? "not served" : "slow",
                                  in_words(f.figure.value_or(milliseconds(0)))),
          .cure = fmt::format("do not wait for {} with what others need too: a lock, the only thread, the "
                              "last connection of a pool",
                              names.dependency)};
    case look::storm:
      return of_storm(f, names);
    case look::leftovers:
      return of_leftovers(seen, f);
    case look::once:
      return of_once(seen, f, names);
  }
  return {};
}

std::string summary_of(const outage_seen& seen, const outage_names& names) {
  std::string text;
  for (const look_finding& f : decide(seen))
    if (f.at == look::during || f.at == look::after)
      text += (text.empty() ? "" : "; ") + say(seen, f, names).happened;
  return text;
}

std::string timeline_of(const std::vector<ask>& all, milliseconds back, std::size_t width) {
  constexpr std::size_t least = 12;
  const std::size_t room = std::max(width, least) - 2;  // the two bars
  milliseconds end = back;
  for (const ask& a : all) end = std::max(end, a.ended() + milliseconds(1));
  if (back <= milliseconds::zero()) return "|" + part_of(all, milliseconds(0), end, room + 1);
  return "|" + part_of(all, milliseconds(0), back, room / 2) + "|" + part_of(all, back, end, room - room / 2);
}

std::string_view timeline_legend() noexcept {
  return ". served, r refused, H hung, W wrong, - not ended, _ nobody asked; | the fault, | the return: from "
         "each of them "
         "the time "
         "grows logarithmically";
}

}  // namespace halfopen::judge
