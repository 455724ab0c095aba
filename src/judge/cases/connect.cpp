// The connection never opens.

#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* rule =
    "connect() must be bounded by the caller: Linux repeats the SYN for about two minutes (tcp(7), "
    "tcp_syn_retries)";
constexpr const char* told_rule =
    "while connecting, an ICMP unreachable or an RST ends the attempt at once (RFC 1122 section 4.2.3.9, "
    "RFC 9293 section 3.10.7.3)";

void refused(stage& s) {
  if (!s.faulty()) (void)s.serve();  // the pair as it is
  s.inject([] {});                   // nobody listens
  lab::process& c = s.call();
  const auto to_a_syn = lab::match([](const lab::arrival& a) { return !a.connection->handshake_done; });
  s.prove_after(lab::from(s.server) && lab::reset() && to_a_syn, "RST in answer to the SYN");
  s.judge_client(c);
}

/// A server that listens and never accepts; its queue of one is taken.
void queue_full(stage& s) {
  stand_in_server stuck = s.stand_in_for_server(0);
  lab::unique_fd first;
  s.inject([&] { first = s.witness.connect_to(s.server, s.port()); });
  lab::process& c = s.call();
  s.prove_after(lab::from(s.client) && lab::syn(), "SYN from the client");
  s.judge_client(c);
  const auto all = s.lab.traffic().connections();
  s.prove(std::ranges::none_of(all,
                               [&](const auto* one) {
                                 return one->opener.address == s.client.address() && one->handshake_done;
                               }),
          "no handshake was completed: the accept queue is full");
}

void first_address_dead(stage& s) {
  (void)s.serve();
  s.inject([] {});  // the name has a dead address
  lab::process& c = s.call();
  s.prove_after(
      lab::from(s.client) && lab::syn() && lab::match([&](const lab::arrival& a) { return a.to == nullptr; }),
      "SYN to the address at which nobody is");
  s.must_succeed(
      "try the addresses of the name one after the other, each for a short time, until one answers");
  s.judge_client(c);
}

constexpr judge_case cases[]{
    {"connect/1", subject::client, "nobody listens", told_rule, refused},
    at(moment::before_connect, loss::cut, "connect/2", "the SYN is never answered", rule),
    at(moment::before_connect, loss::host_unreachable, "connect/3",
       "a router says that the server's host cannot be reached", told_rule),
    at(moment::before_connect, loss::network_unreachable, "connect/4",
       "a router says that the server's network cannot be reached", told_rule),
    {"connect/5", subject::client, "the server's accept queue is full", rule, queue_full},
    expecting("it goes on to the next address in time",
              {"connect/6", subject::client, "of the server name's two addresses, the first is dead",
               "a client tries the next address when the first does not answer soon (RFC 1123 section 2.3, "
               "RFC 8305 "
               "section 5)",
               first_address_dead, [](lab::options& o) { o.half_dead_names = {"server"}; }}),
    at(moment::before_connect, loss::freeze, "connect/7",
       "the server's programs stand still: its kernel accepts, and nobody ever speaks",
       "a handshake is the kernel's and says nothing of the program; keepalive is answered too: whoever "
       "waits for "
       "a reply needs a limit of its own (RFC 9293 section 3.8.4)"),
};

}  // namespace

const family connect_family{"connect", "the connection never opens", cases};

}  // namespace halfopen::judge
