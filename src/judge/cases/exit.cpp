// The peer's process terminates. Its kernel lives on and says so: with a FIN, or with an RST
// where data was unread.

#include <memory>

#include "judge/client_row.hpp"
#include "judge/protocol.hpp"
#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* fin_rule =
    "reading end-of-file means that the peer sends no more; the socket must be closed (RFC 9293 section 3.6, "
    "read(2))";
constexpr const char* whole_rule =
    "end-of-file says nothing about whether a message is whole: only its framing does (RFC 9112 section 8 "
    "for HTTP)";

void client_idle(stage& s) {
  lab::process& program = s.serve();
  const auto c = s.play_client();
  s.inject([&] { c->close(); });
  s.prove_after(lab::from(s.client) && lab::fin() && lab::on(c->self()), "FIN from the client");
  s.judge_server(program, c->ends());
}

void client_mid_request(stage& s) {
  const asked request = s.need_request(2);
  lab::process& program = s.serve();
  const auto c = s.play_client();
  s.prove(c->say(request.bytes.size() / 2, s.soon), "half of the request is acknowledged");
  s.inject([&] { c->close(); });
  s.prove_after(lab::from(s.client) && lab::fin() && lab::on(c->self()), "FIN from the client");
  s.judge_server(program, c->ends());
}

void client_mid_reply(stage& s) {
  lab::process& program = s.serve();
  const auto c = s.play_client();
  s.prove(c->ask_and_hear_it_begin(s.soon), "the reply has begun");
  s.inject([&] { c->close(); });
  s.prove_after(lab::from(s.client) && (lab::fin() || lab::reset()) && lab::on(c->self()),
                "FIN or RST from the client");
  s.judge_server(program, c->ends());
}

void half_close(stage& s) {
  const std::string_view why = no_half_close(s.base.said.main(), s.need_request().turn);
  if (!why.empty()) throw no_verdict(obstacle::not_there, std::string(why));
  lab::process& program = s.serve();
  const auto c = s.play_client();
  s.hold_server();  // it finds the request and the end of the requests together
  s.prove(c->ask(1, s.soon) == 1, "the request is at the server");
  s.inject([&] { c->shut_writing(); });
  const bool arrived = s.lab.after(lab::from(s.client) && lab::fin() && lab::on(c->self()), s.soon);
  s.resume_server();
  s.prove(arrived, "the request and the FIN wait for the server");
  const std::size_t reply = c->hear(s.base.reply, s.soon);
  s.require_whole(reply >= s.base.reply.least,
                  "the client that has shut its writing side gets the whole reply (" + std::to_string(reply) +
                      " of " + std::to_string(s.base.reply.least) + " bytes)",
                  "end-of-file ends the requests, not the replies: answer what was asked, then close");
  s.judge_server(program, c->ends());
}

constexpr const char* truncation_rule =
    "the end of a TLS connection is its close_notify: without it what came may have been cut off (RFC 8446 "
    "section 6.1)";

places_in_reply need_tls_reply(const stage& s) {
  const auto places = places_in_tls_reply(s.base.said.main(), s.need_request().turn);
  if (!places)
    throw no_verdict(obstacle::not_there, "they do not speak TLS, or the reply is no record of it");
  return *places;
}

/// All records but the last: what came is whole as far as TLS goes, and nobody has said that it is all.
void truncated_between_records(stage& s) {
  const auto place = need_tls_reply(s).between_records;
  if (!place) throw no_verdict(obstacle::not_there, "the reply is one TLS record");
  play(s, client_row{moment::mid_reply, loss::kill, place});
}

/// The end of such a reply is the connection's.
void truncated_to_nothing(stage& s) {
  if (!need_tls_reply(s).ends_with_an_alert)
    throw no_verdict(obstacle::not_there, "the end of the reply is not told by close_notify");
  play(s, client_row{moment::requested, loss::kill, {}});
}

constexpr judge_case cases[]{
    {"exit/1", subject::server, "the client is killed while the connection is idle", fin_rule, client_idle},
    {"exit/2", subject::server, "the client is killed in the middle of its request", whole_rule,
     client_mid_request},
    {"exit/3", subject::server, "the client is killed in the middle of the reply", fin_rule,
     client_mid_reply},
    expecting("the whole reply, then its own close",
              {"exit/4", subject::server,
               "the client shuts its writing side after the request, and still wants the reply",
               "a connection may be half-closed: each direction ends for itself (RFC 9293 section 3.6, "
               "shutdown(2))",
               half_close}),
    at(moment::idle, loss::kill, "exit/5", "the server is killed while the connection is idle", fin_rule),
    at(moment::requested, loss::kill, "exit/6", "the server is killed after the request, before the reply",
       whole_rule),
    at(moment::mid_reply, loss::kill, "exit/7", "the server is killed in the middle of the reply: FIN",
       whole_rule),
    at(moment::mid_reply, loss::reset, "exit/8", "the server is killed in the middle of the reply: RST",
       whole_rule),
    at_a_request(
        {"exit/9", subject::client,
         "the connection ends with FIN and without close_notify between two TLS records of the reply",
         truncation_rule, truncated_between_records}),
    at_a_request(
        {"exit/10", subject::client,
         "the connection ends with FIN and without close_notify before a reply that it would have ended",
         truncation_rule, truncated_to_nothing}),
};

}  // namespace

const family exit_family{"exit", "the peer's process terminates", cases};

}  // namespace halfopen::judge
