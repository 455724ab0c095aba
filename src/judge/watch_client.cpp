// What a client does after a fault is looked at here; what that means is decided in decide/client.cpp.

#include <algorithm>
#include <functional>
#include <vector>

#include "judge/diagnosis.hpp"
#include "judge/last_words.hpp"
#include "judge/protocol.hpp"
#include "judge/roles.hpp"
#include "judge/waits.hpp"
#include "judge/watch.hpp"

namespace halfopen::judge {
namespace {

/// Longer than any timer of the kernel at its defaults (two hours and eleven minutes of keepalive).
constexpr milliseconds longest_wait = std::chrono::hours(3);
/// A client that tries again and again does the same again and again: so many packets are enough to
/// say that it goes on.
constexpr std::uint64_t packets_of_a_loop = 2000;

std::size_t times_in(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; ++at) ++found;
  return found;
}

/// Where a client has several connections, the same bytes must come again, and they must be said once only
/// with nothing wrong: another job's request may be as long, or the same.
std::optional<std::pair<std::uint64_t, std::uint64_t>> asked_twice_of_several(const stage& s,
                                                                              std::size_t request) {
  const auto& script = s.base.said.main();
  const std::string& asked = script.turns[request].bytes;
  std::size_t usual = 0;
  for (const std::string& one : said_by_client(s.base.said)) usual += times_in(one, asked);
  const trace::connection* first = s.main_connection();
  if (usual != 1 || first == nullptr) return std::nullopt;
  const auto whole = [&](const trace::connection* c, std::size_t from) {
    const std::string said = s.packets().said_by(c->opener);
    const auto at = said.find(asked, std::min(from, said.size()));
    const trace::flow& own = c->of(trace::side::opener);
    return at != said.npos && own.last_data && own.acked >= at + asked.size();
  };
  if (!whole(first, script.said_before(speaker::client, request))) return std::nullopt;
  std::size_t opened = 0;
  for (const trace::connection* c : s.lab.traffic().connections())
    if (c->opener.address == s.client.address() && c->responder.port == s.port() &&
        ++opened > s.base.said.connections.size() && c != first && whole(c, 0))
      return std::pair(first->of(trace::side::opener).last_data->number,
                       c->of(trace::side::opener).last_data->number);
  return std::nullopt;
}

/// The whole request was acknowledged on one connection, and again on a later one. Of what cannot be played
/// back all that comes before it is part of it: a handshake of TLS is no request.
std::optional<std::pair<std::uint64_t, std::uint64_t>> asked_twice(const stage& s) {
  const auto request = s.base.request_turn(s.the_case.request);
  if (!request) return std::nullopt;
  if (s.base.said.connections.size() > 1) return asked_twice_of_several(s, *request);
  std::vector<const trace::connection*> own;
  for (const auto* one : s.lab.traffic().connections())
    if (one->opener.address == s.client.address() && one->responder.port == s.port() && one->handshake_done)
      own.push_back(one);
  if (own.size() <= s.base.said.connections.size()) return std::nullopt;
  const auto& script = s.base.said.main();
  const std::size_t whole = script.said_before(speaker::client, *request + 1) - s.base.client_differs;
  const std::size_t again = s.base.no_replay_to_client.empty() ? script.turns[*request].bytes.size() : whole;
  const auto heard = [](const trace::connection* one, std::size_t bytes) {
    const trace::flow& asks = one->of(trace::side::opener);
    return asks.last_data && asks.acked >= bytes;
  };
  const trace::connection* last = own.back();
  own.pop_back();
  const auto first = std::ranges::find_if(own, [&](const auto* one) { return heard(one, whole); });
  if (first == own.end() || !heard(last, again)) return std::nullopt;
  return std::pair((*first)->of(trace::side::opener).last_data->number,
                   last->of(trace::side::opener).last_data->number);
}

told_since told(const stage& s) {
  return what_was_told(s.lab.traffic().connections(), s.client.address(), s.port(), s.fault_at());
}

/// What it did until its end, which came in time.
void look_at_its_end(const stage& s, const lab::process& c, std::size_t opened_before, client_seen& seen) {
  seen.ended = c.ended();
  seen.after = s.since_fault(c.ended()->when);
  seen.anew =
      opened_before > 0 ? seen.told.answered > 0 : s.opened_by_client() > s.base.said.connections.size();
  seen.usual_output = s.base.same_output(c.output());
  if (!seen.usual_output) seen.difference = difference(s.base.output, c.output());
  seen.says = telling_line(c.errors(), c.output());
  seen.asked_twice = asked_twice(s);
  seen.once = s.under_test.once;
}

void look_at_its_socket(const stage& s, client_seen& seen) {
  if (!s.client.is_up()) return;
  for (const lab::socket_view& v : s.client.sockets()) {
    if (v.remote.port != s.port() || v.inode == 0) continue;
    seen.has_socket = true;
    seen.what_for = waits_for(v);
    if (auto found = length_of_wait(s.client, v.inode, seen.what_for)) seen.wait = found;
  }
  seen.endless = waits_without_limit(s.client);
}

/// Under the virtual clock a wait costs nothing, and a loop costs what it does.
void watch_to_its_end(stage& s, const lab::process& c, const std::function<void()>& meanwhile,
                      client_seen& seen) {
  const auto before = s.lab.packets();
  const bool loops = seen.told.attempts >= many_attempts;
  s.wait(
      [&] {
        meanwhile();
        return c.ended() || (loops && s.lab.packets() - before > packets_of_a_loop);
      },
      longest_wait);
  if (c.ended()) {
    seen.after = s.since_fault(c.ended()->when);
  } else {  // it goes on: how often it tried; what it knew at its limit stays as it was
    const told_since later = told(s);
    seen.told.attempts = later.attempts;
    seen.told.answered = later.answered;
  }
  seen.watched_to = s.since_fault();
}

}  // namespace

client_seen watch_client(stage& s, const lab::process& c, server_part* peer) {
  client_seen seen;
  seen.limit = s.under_test.patience() + s.base.took;
  seen.spoken = spoken(s.base.said.main());
  seen.within = s.under_test.limit;
  seen.unpredictable = s.base.unpredictable();
  seen.pipe = hides_exit_status(s.under_test.client_command);
  const auto opened_before = s.opened_by_client();
  const std::function<void()> meanwhile = [peer] {
    if (peer != nullptr) peer->go_on();
  };
  const auto ended = [&] {
    meanwhile();
    return c.ended().has_value();
  };
  const busy_watch watch(s.client);
  const auto began = lab::experiment::now();
  seen.in_time = s.wait(ended, seen.limit);
  // What the judge delivers byte by byte takes its time: the limit counts from its last byte on.
  for (int more = 0; !seen.in_time && peer != nullptr && more < 9 && peer->spoke_within(seen.limit); ++more)
    seen.in_time =
        s.wait([&] { return ended() || !peer->spoke_within(seen.limit); }, seen.limit) && c.ended();
  seen.told = told(s);
  if (seen.in_time) {
    look_at_its_end(s, c, opened_before, seen);
    return seen;
  }
  seen.still_at = s.since_fault();
  look_at_its_socket(s, seen);
  seen.busy = watch.share(s.lab, 2s, too_busy).value_or(0);  // it hangs at least; perhaps it spins
  seen.window = std::chrono::round<milliseconds>(lab::experiment::now() - began);
  seen.processor = watch.ran();
  if (peer != nullptr && peer->spoke_within(seen.limit)) seen.undelivered = peer->undelivered();
  if (s.under_test.virtual_clock) watch_to_its_end(s, c, meanwhile, seen);
  seen.ended = c.ended();
  return seen;
}

}  // namespace halfopen::judge
