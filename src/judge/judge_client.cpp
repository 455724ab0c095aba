// What a client did after a fault is looked at here; what that means is decided in outcome.cpp.

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <signal.h>

#include <algorithm>
#include <vector>

#include "judge/diagnosis.hpp"
#include "judge/last_words.hpp"
#include "judge/stage.hpp"
#include "judge/waits.hpp"

namespace halfopen::judge {
namespace {

/// Longer than any timer of the kernel at its defaults (two hours and eleven minutes of keepalive).
constexpr milliseconds longest_wait = std::chrono::hours(3);
/// A client that tries again and again does the same again and again: so many packets are enough to
/// say that it goes on.
constexpr std::uint64_t packets_of_a_loop = 2000;

std::string what_it_says(const lab::process& c) {
  const std::string says = telling_line(c.errors(), c.output());
  return says.empty() ? ", and says nothing" : ", and says: " + says;
}

}  // namespace

/// The whole request was acknowledged on one connection, and on a later one the client spoke again.
bool stage::asked_twice() const {
  const auto request = base.request_turn(the_case.request);
  if (!request) return false;
  std::vector<const trace::connection*> own;
  for (const auto* one : lab.traffic().connections())
    if (one->opener.address == client.address() && one->handshake_done) own.push_back(one);
  if (own.size() <= base.said.connections.size() || own.back()->of(trace::side::opener).bytes == 0)
    return false;
  const std::size_t whole = base.said.main().said_before(speaker::client, *request + 1);
  own.pop_back();
  return std::ranges::any_of(own,
                             [&](const auto* one) { return one->of(trace::side::opener).acked >= whole; });
}

void stage::look_at_its_socket(client_seen& seen) const {
  if (!client.is_up()) return;
  for (const lab::socket_view& s : client.sockets()) {
    if (s.remote.port != port() || s.inode == 0) continue;
    seen.has_socket = true;
    seen.what_for = waits_for(s);
    if (auto found = length_of_wait(client, s.inode, seen.what_for)) seen.wait = std::move(found);
  }
  seen.endless = waits_without_limit(client);
}

/// Under the virtual clock a wait costs nothing, and a loop costs what it does.
void stage::watch_to_its_end(const lab::process& c, client_seen& seen) {
  const auto before = lab.packets();
  const bool loops = seen.told.attempts >= many_attempts;
  wait([&] { return c.ended() || (loops && lab.packets() - before > packets_of_a_loop); }, longest_wait);
  if (c.ended()) seen.after = since_fault(c.ended()->when);
  seen.watched_to = since_fault(lab::experiment::now());
}

void stage::watch_client(const lab::process& c, stand_in_server* peer) {
  client_seen seen;
  seen.limit = under_test.patience() + base.took;
  seen.within = under_test.limit;
  seen.must_succeed = cure_of_giving_up_;
  seen.pipe = hides_exit_status(under_test.client_command);
  const auto opened_before = opened_by_client();
  if (peer != nullptr) meanwhile_ = [peer] { peer->go_on(); };
  const busy_watch watch(client);
  const auto began = lab::experiment::now();
  seen.in_time = wait([&] { return c.ended().has_value(); }, seen.limit);
  // What the judge delivers byte by byte takes its time: the limit counts from its last byte on.
  for (int more = 0; !seen.in_time && peer != nullptr && more < 9 && peer->spoke_within(seen.limit); ++more)
    seen.in_time =
        wait([&] { return c.ended() || !peer->spoke_within(seen.limit); }, seen.limit) && c.ended();
  seen.told = what_was_told(lab.traffic().connections(), client.address(), port(), fault_at_);
  if (seen.in_time) {
    seen.ended = c.ended();
    seen.after = since_fault(c.ended()->when);
    seen.anew =
        opened_before > 0 ? seen.told.answered > 0 : opened_by_client() > base.said.connections.size();
    seen.usual_output = base.same_output(c.output());
    if (!seen.usual_output) seen.difference = difference(base.output, c.output());
    seen.says = what_it_says(c);
    seen.asked_twice = asked_twice();
  } else {
    look_at_its_socket(seen);
    seen.busy = watch.share(lab, 2s, too_busy).value_or(0);  // it hangs at least; perhaps it spins
    seen.window = std::chrono::round<milliseconds>(lab::experiment::now() - began);
    seen.processor = watch.ran();
    if (peer != nullptr && peer->spoke_within(seen.limit)) seen.undelivered = peer->undelivered();
    if (under_test.virtual_clock) {
      watch_to_its_end(c, seen);
      if (!c.ended()) {  // it goes on: how often it tried; what it knew at its limit stays as it was
        const auto later = what_was_told(lab.traffic().connections(), client.address(), port(), fault_at_);
        seen.told.attempts = later.attempts;
        seen.told.answered = later.answered;
      }
    }
    seen.ended = c.ended();
  }
  meanwhile_ = nullptr;
  sheet_.provisional = !seen.in_time && under_test.patience() < under_test.limit;
  take(decide(seen), seen.after);
}

std::size_t stage::opened_by_client() const {
  return static_cast<std::size_t>(std::ranges::count_if(lab.traffic().connections(), [&](const auto* one) {
    return one->opener.address == client.address() && one->responder.port == port() && one->handshake_done;
  }));
}

void stage::take(decision d, std::optional<milliseconds> after) {
  sheet_.after = after;
  sheet_.did = d.kind;
  if (d.what == verdict::inconclusive) throw no_verdict(d.what, d.reason, true);
  if (d.kind == outcome::false_success && guessed_ && *guessed_)
    throw no_verdict(
        verdict::inconclusive,
        "the client said what was not recorded, or on another connection: what it was answered need not fit");
  sheet_.length = std::move(d.length);
  if (d.what == verdict::fail)
    fail(std::move(d.happened), std::move(d.cure), d.rests_on);
  else if (d.what == verdict::warn)
    warn(std::move(d.happened), std::move(d.cure), d.rests_on);
  else
    pass(std::move(d.happened));
}

void stage::judge_client(const lab::process& c) {
  watch_client(c, nullptr);
}

void stage::judge_client(const lab::process& c, stand_in_server& peer) {
  watch_client(c, &peer);
}

}  // namespace halfopen::judge
