// Writing to a connection that was reset: EPIPE, and SIGPIPE for who did not ask it away.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* rule =
    "a write to a connection whose peer is gone raises SIGPIPE, which ends the process, unless MSG_NOSIGNAL "
    "or a "
    "disposition says otherwise (send(2), signal(7))";

/// The client asks three times at once (a program asks once), and is gone, with FIN and RST, before the
/// server reads: what has come can still be read, and every reply is written to a connection that is reset.
/// So it does not matter how fast the server writes: an RST in answer to its first reply would come after its
/// last one.
void server_writes_on(stage& s) {
  lab::process& program = s.serve();
  const auto c = s.play_client();
  s.hold_server();
  const std::size_t asked = c->ask(3, s.soon);
  s.prove(asked > 0, fmt::format("{} request{} at the server", asked, asked == 1 ? " is" : "s are"));
  s.inject([&] {
    c->shut_writing();
    c->reset();
  });
  s.prove_after(lab::from(s.client) && lab::reset(), "FIN and RST from the client, before the server reads");
  s.resume_server();
  s.judge_server(program, c->ends());
}

/// With nothing wrong, all of so many clients that are connected together are answered.
bool serves_at_once(stage& s, int clients) {
  std::vector<std::unique_ptr<client_part>> all;
  for (int i = 0; i < clients; ++i) all.push_back(s.play_client(s.witness));
  bool answered = true;
  for (const auto& c : all) {
    c->say_the_rest();
    answered = answered && c->hear({1, s.base.reply.most}, s.soon) > 0;
  }
  for (const auto& c : all) c->close();
  return answered;
}

/// The server has not ended it.
bool is_open(const trace::connection* c) {
  return c != nullptr && !c->of(trace::side::responder).fin && !c->of(trace::side::responder).rst;
}

void one_of_many(stage& s) {
  if (!s.base.concurrent)
    throw no_verdict(obstacle::not_there,
                     "the server serves one client after the other: overload/4 judges that");
  lab::process& program = s.serve();
  if (s.faulty() && !serves_at_once(s, 6))
    throw no_verdict(obstacle::not_there, "the server does not serve six clients at one time");
  std::vector<std::unique_ptr<client_part>> many;
  for (int i = 0; i < 5; ++i) many.push_back(s.play_client(s.witness));
  const auto one = s.play_client();
  const lab::match of_one = lab::on(one->self());
  one->say_the_rest();
  s.prove_before(
      lab::from(s.server) && lab::payload() && of_one && lab::said(s.server, one->heard_before() + 1),
      "the reply is on its way");
  // Who pauses before it asks takes long to come here six times: the server may have a limit of its own.
  s.prove(std::ranges::all_of(many, [](const auto& c) { return is_open(c->traffic()); }),
          "the five other clients are connected still");
  s.inject([&] { one->reset(); });
  s.prove_after(lab::from(s.client) && lab::reset() && of_one, "RST from one client");
  std::size_t answered = 0;
  for (const auto& c : many) {
    c->say_the_rest();
    if (c->hear(s.base.reply, s.soon) >= s.base.reply.least) ++answered;
  }
  s.require_whole(answered == many.size(),
                  "the five other clients are answered (" + std::to_string(answered) + " of 5)",
                  "an error of one connection ends that connection only");
  for (const auto& c : many) c->close();
  s.judge_server(program, one->ends());
}

constexpr judge_case cases[]{
    {"sigpipe/1", subject::server, "the client is gone, and the server goes on writing", rule,
     server_writes_on},
    {"sigpipe/2", subject::server, "one of many clients resets in the middle of its reply", rule,
     one_of_many},
    // FIN, then RST: after an RST alone the first write fails with ECONNRESET and raises no signal
    // (sk_stream_error() in net/core/stream.c tells the error that waits first); after both it is EPIPE.
    at(moment::about_to_write, loss::close_and_reset, "sigpipe/3",
       "the server closes and resets the connection, and the client goes on writing", rule),
};

}  // namespace

const family sigpipe_family{"sigpipe", "writing after the reset", cases};

}  // namespace halfopen::judge
