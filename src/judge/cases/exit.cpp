// The peer's process terminates. Its kernel lives on and says so: with a FIN, or with an RST
// where data was unread.

#include <array>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* fin_rule =
    "reading end-of-file means that the peer sends no more; the socket must be closed (RFC 9293 section 3.6, "
    "read(2))";
constexpr const char* whole_rule =
    "end-of-file says nothing about whether a message is whole: only its framing does (RFC 9112 section 8 "
    "for HTTP)";

std::string half(const std::string& text) {
  return text.substr(0, text.size() / 2);
}

/// A packet of the connection that this stand-in opened.
lab::match of(const stand_in_client& c) {
  return lab::match([self = c.self()](const lab::arrival& a) {
    return a.connection != nullptr && a.connection->opener == self;
  });
}

void client_idle(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.inject([&] { c.close(); });
  s.prove_after(lab::from(s.client) && lab::fin() && of(c), "FIN from the client");
  s.judge_server(program, std::array{c.self()});
}

void client_mid_request(stage& s) {
  const asked request = s.need_request(2);
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.prove(c.send(half(request.bytes)), "half of the request is acknowledged");
  s.inject([&] { c.close(); });
  s.prove_after(lab::from(s.client) && lab::fin() && of(c), "FIN from the client");
  s.judge_server(program, std::array{c.self()});
}

void client_mid_reply(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  c.send(c.request());
  s.prove(c.receive({1, 1}, s.soon).size() == 1, "the reply has begun");
  s.inject([&] { c.close(); });
  s.prove_after(lab::from(s.client) && (lab::fin() || lab::reset()) && of(c), "FIN or RST from the client");
  s.judge_server(program, std::array{c.self()});
}

void half_close(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.hold_server();  // it finds the request and the end of the requests together
  c.push(c.request());
  s.inject([&] { c.shut_writing(); });
  const bool arrived = s.lab.after(lab::from(s.client) && lab::fin() && of(c), s.soon);
  s.resume_server();
  s.prove(arrived, "the request and the FIN wait for the server");
  const std::string reply = c.receive(s.base.reply, s.soon);
  s.require_whole(reply.size() >= s.base.reply.least,
                  "the client that has shut its writing side gets the whole reply (" +
                      std::to_string(reply.size()) + " of " + std::to_string(s.base.reply.least) + " bytes)",
                  "end-of-file ends the requests, not the replies: answer what was asked, then close");
  s.judge_server(program, std::array{c.self()});
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
};

}  // namespace

const family exit_family{"exit", "the peer's process terminates", cases};

}  // namespace halfopen::judge
