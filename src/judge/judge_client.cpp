// What a client did after a fault: the same output and exit 0 is a recovery, any other exit
// code a report, and exit 0 with another output a false success, the worst there is: nobody
// will ever know.

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <signal.h>

#include <algorithm>
#include <vector>

#include "judge/last_words.hpp"
#include "judge/stage.hpp"
#include "judge/waits.hpp"

namespace halfopen::judge {
namespace {

/// Longer than any timer of the kernel at its defaults (two hours and eleven minutes of keepalive).
constexpr milliseconds longest_wait = std::chrono::hours(3);

std::string what_it_says(const lab::process& c) {
  const std::string says = telling_line(c.errors(), c.output());
  return says.empty() ? ", and says nothing" : fmt::format(", and says: {}", says);
}

}  // namespace

/// The whole request was acknowledged on one connection, and on a later one the client spoke again.
bool stage::asked_twice() const {
  const auto request = base.said.main().request();
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

void stage::judge_end(const lab::process& c, const lab::exit_status& end) {
  const auto after = since_fault(end.when);
  const std::string when = after && after->count() > 0 ? " after " + in_words(*after) : "";
  sheet_.after = after;
  if (const int signal = deadly_signal(end); signal != 0) {
    fail("killed by " + signal_name(signal) + when,
         signal == SIGPIPE
             ? "send with MSG_NOSIGNAL, or ignore SIGPIPE, and treat EPIPE as the end of the connection"
             : "find out why it crashes when its peer goes");
  } else if (end.code != 0 && !cure_of_giving_up_.empty()) {
    fail(fmt::format("gave up with nothing in its way: exit {}{}{}", end.code, when, what_it_says(c)),
         cure_of_giving_up_);
  } else if (end.code != 0) {
    pass(fmt::format("reported: exit {}{}{}", end.code, when, what_it_says(c)));
  } else if (base.same_output(c.output())) {
    pass("unaffected, or recovered: exit 0 with the usual output" + when +
         (asked_twice()
              ? "; it asked twice, and the first request had arrived: right only if it may be done twice"
              : ""));
  } else {
    fail(fmt::format("false success: exit 0{}, but its output is {} bytes where {} are usual", when,
                     c.output().size(), base.output.size()),
         "take a reply for whole only if its own framing says so (a length, an end mark), never because the "
         "connection ended; and exit with an error otherwise");
  }
}

void stage::judge_hang(const lab::process& c, const std::function<void()>& meanwhile) {
  std::optional<wait_length> wait_has;
  waiting what_for = waiting::for_data;
  bool has_socket = false;
  for (const lab::socket_view& s : client.is_up() ? client.sockets() : std::vector<lab::socket_view>{}) {
    if (s.remote.port != port() || s.inode == 0) continue;
    has_socket = true;
    what_for = waits_for(s);
    if (auto found = length_of_wait(client, s.inode, what_for)) wait_has = std::move(found);
  }
  const auto endless = waits_without_limit(client);
  std::string happened = "hangs: still running after " + in_words(under_test.limit);
  if (under_test.virtual_clock) {
    meanwhile_ = meanwhile;
    const bool ended = wait([&] { return c.ended().has_value(); }, longest_wait);
    if (ended) sheet_.after = since_fault(c.ended()->when);
    sheet_.length = ended ? fmt::format("ended after {} (measured)", in_words(*sheet_.after))
                          : fmt::format("still running after {} (measured)", in_words(longest_wait));
  } else if (wait_has && wait_has->by_kernel) {
    sheet_.length =
        fmt::format("by its socket's options the kernel would end it after {} at the latest (computed)",
                    in_words(*wait_has->by_kernel));
  } else if (wait_has) {
    sheet_.length =
        endless == true
            ? "for ever: no timer runs on its connection, and every thread waits without a limit"
            : "no timer of the kernel runs on its connection: for ever, unless it has one of its own";
  } else {
    sheet_.length =
        has_socket ? "its socket could not be looked at" : "it has no connection to the server any more";
  }
  std::string cure = wait_has ? "its connection has " + wait_has->kernel_options + "; " : "";
  cure += what_for == waiting::for_connection
              ? "give connect a deadline of its own (a nonblocking connect and a timer; or TCP_USER_TIMEOUT, "
                "which bounds "
                "the SYNs too)"
              : options_that_notice(under_test.limit) + "; or give the whole exchange a deadline";
  fail(happened + "; " + sheet_.length, cure);
}

void stage::judge_client(const lab::process& c) {
  const auto meanwhile = meanwhile_;
  const bool ended = wait([&] { return c.ended().has_value(); }, under_test.limit);
  if (ended)
    judge_end(c, *c.ended());
  else
    judge_hang(c, meanwhile);
  meanwhile_ = nullptr;
}

void stage::judge_client(const lab::process& c, stand_in_server& peer) {
  meanwhile_ = [&peer] { peer.go_on(); };
  judge_client(c);
  if (c.ended() && c.ended()->code == 0 && deadly_signal(*c.ended()) == 0 && !base.same_output(c.output()) &&
      peer.guessed())
    throw no_verdict(
        verdict::inconclusive,
        "the client came back and said what was not recorded: what it was answered need not fit");
}

}  // namespace halfopen::judge
