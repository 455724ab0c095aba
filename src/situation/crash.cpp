// 4. The server host crashes.
//
// Three times three: what is under way (data in flight, a connection being
// opened, nothing) and what the network says (nothing, ICMP host unreachable,
// ICMP network unreachable).
//
// With the real clock the hosts' own timers are shortened so that one sees the end of it; the
// length at the kernel's defaults is computed and stands beside the measured one. With the
// virtual clock they are at their defaults, and measured.

#include "fate/kernel_timeouts.hpp"
#include "situation/catalogue.hpp"
#include "situation/scene.hpp"

namespace halfopen::situation {
namespace {

using trace::culprit;
using trace::side;

enum class router { silent, says_host, says_network };

void shorten_retransmission(scene& s) {
  // With tcp_rto_max_ms (Linux 6.15) the pauses stay under a second.
  const bool capped = s.shorten(s.client, "net.ipv4.tcp_rto_max_ms", "1000");
  s.shorten(s.client, "net.ipv4.tcp_retries2", capped ? "3" : "2");
}

void shorten_connecting(scene& s) {
  s.shorten(s.client, "net.ipv4.tcp_syn_retries", "1");
  s.shorten(s.client, "net.ipv4.tcp_syn_linear_timeouts", "0");  // Linux 6.5
}

void crash(scene& s, router says) {
  lab::crash(s.server);
  if (says == router::says_host) lab::make_unreachable(s.server, lab::unreachable_kind::host);
  if (says == router::says_network) lab::make_unreachable(s.server, lab::unreachable_kind::network);
}

ending ending_of(router says) {
  return says == router::silent      ? ending::peer_vanished
         : says == router::says_host ? ending::host_unreachable
                                     : ending::net_unreachable;
}
const char* errno_of(router says) {
  return says == router::silent ? "ETIMEDOUT" : says == router::says_host ? "EHOSTUNREACH" : "ENETUNREACH";
}

void prove_icmp(scene& s, router says) {
  if (says == router::silent) return;
  const auto& icmp = s.connection()->first_icmp;
  const auto wanted = says == router::says_host ? trace::unreachable::host : trace::unreachable::net;
  s.prove(icmp && icmp->what == wanted,
          std::string("ICMP ") + (says == router::says_host ? "host" : "network") +
              " unreachable from the router (" + (icmp ? scene::at(icmp->where) : "none") + ")");
}

/// Nothing came from the server host after it crashed.
void prove_silence(scene& s, std::uint64_t last_before) {
  const auto& heard = s.connection()->of(side::responder).last_heard;
  s.prove(!heard || heard->number <= last_before, "silence from the server: neither FIN nor RST");
}

void prove_crash(scene& s, router says, std::uint64_t last_before) {
  prove_icmp(s, says);
  prove_silence(s, last_before);
}

/// The request again and again. An ICMP unreachable takes back the doubling of the
/// pauses (RFC 6069; net/ipv4/tcp_ipv4.c, tcp_ld_RTO_revert), so there are more of
/// them. But a program with IP_RECVERR on (ip(7)) has the router's word at once and
/// gives up: then the packets show what its kernel still repeats on its behalf, first
/// perhaps the FIN alone (a loss probe, RFC 8985 section 7), then the request.
void prove_repetition(scene& s, const trace::flow& said, router says) {
  if (!s.naive() && says != router::silent) {
    s.lab.until([&] { return said.repeats_unanswered > 0; }, 2s);
    s.prove(said.repeats_unanswered > 0, "the request again (" + scene::at(said.last_retransmission) + ")");
    return;
  }
  s.prove(said.retransmissions >= 3, std::to_string(said.retransmissions) + " retransmissions (the last is " +
                                         scene::at(said.last_retransmission) +
                                         (says == router::silent ? ")" : "; ICMP undoes their back-off)"));
}

template <router Says>
void in_flight(scene& s) {
  shorten_retransmission(s);
  s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  const std::uint64_t last_before = s.lab.packets();
  c.type("two\n");
  s.prove_before(lab::said(s.client, 8), "a request on its way");
  crash(s, Says);
  s.fault();
  s.lab.until_ended(c, s.timer_limit());
  s.saw_what(c);
  if (s.naive()) s.by_default(retransmission_gives_up(), "at the default tcp_retries2 15");
  const trace::flow& said = s.connection()->of(side::opener);
  prove_repetition(s, said, Says);
  prove_crash(s, Says, last_before);
  s.expect(c.ended() && c.errors().contains(errno_of(Says)), std::string("it gets ") + errno_of(Says));
  if (!s.naive())
    s.expect(c.errors().contains(to_string(ending_of(Says))),
             "it reports " + std::string(to_string(ending_of(Says))));
  s.prove_ending(ending_of(Says), Says == router::silent ? culprit::nobody : culprit::router);
  s.reported_by(c);
}

template <router Says>
void connecting(scene& s) {
  shorten_connecting(s);
  if (Says == router::silent && !s.full_length())
    s.connect_within = 1500ms;  // half of the kernel's own limit here
  crash(s, Says);
  lab::process& c = s.call({"echo"});
  c.type("one\n");
  if (!s.prove_before(lab::syn(), "SYN from the client")) return;
  s.fault();
  s.lab.until_ended(c, s.timer_limit());
  s.saw_what(c);
  if (s.naive() && Says == router::silent)
    s.by_default(connect_gives_up(), "at the default tcp_syn_retries 6");
  if (Says == router::silent) {
    const auto& repeated = s.connection()->of(side::opener).last_retransmission;
    s.prove(repeated.has_value(), "the SYN again, unanswered (" + scene::at(repeated) + ")");
  }
  prove_crash(s, Says, 0);
  // The robust client's own limit is shorter than the kernel's.
  const char* wanted = Says != router::silent ? errno_of(Says) : s.naive() ? "ETIMEDOUT" : "deadline_passed";
  s.expect(c.ended() && c.errors().contains(wanted), std::string("it gets ") + wanted);
  s.prove_ending(ending_of(Says), Says == router::silent ? culprit::nobody : culprit::router);
  s.reported_by(c);
}

void naive_stays_ignorant(scene& s, lab::process& c) {
  const trace::flow& said = s.connection()->of(side::opener);
  s.expect(!c.ended() && c.errors().empty(), "it never learns");
  s.saw_nothing("it never learns");
  s.prove(said.bytes == 4 && said.keepalive_probes == 0, "not a packet from the client");
  c.type("two\n");  // only now, to prove that the host is gone
  s.prove_after(lab::retransmission(s.client), "a line typed afterwards is retransmitted in vain");
}

/// Linux ignores ICMP about a keepalive probe: the sequence number that it quotes
/// is one below what is in flight (net/ipv4/tcp_ipv4.c, tcp_v4_err, between()). So
/// the error is ETIMEDOUT, whatever the router said.
void robust_learns_by_keepalive(scene& s, const lab::process& c) {
  const trace::flow& said = s.connection()->of(side::opener);
  s.expect(c.ended() && c.errors().contains("ETIMEDOUT") && c.errors().contains("peer_vanished"),
           "by keepalive it gets ETIMEDOUT, and reports peer_vanished");
  s.prove(said.keepalive_probes > 0, std::to_string(said.keepalive_probes) +
                                         " keepalive probes (the last is " + scene::at(said.last_probe) +
                                         ")");
  s.prove_ending(ending::peer_vanished, culprit::nobody);
  s.reported_by(c);
}

template <router Says>
void idle(scene& s) {
  const lab::unique_fd witness = s.naive() ? s.keepalive_witness() : lab::unique_fd{};
  s.serve({"echo"});
  lab::process& c = s.call({"echo"});
  s.exchange(c, "one");
  const std::uint64_t last_before = s.lab.packets();
  crash(s, Says);
  s.fault();
  if (s.naive())
    s.watch_idle(c, witness, keepalive_gives_up());
  else
    s.lab.until_ended(c, s.watch());
  s.saw_what(c);
  if (s.naive())
    naive_stays_ignorant(s, c);
  else
    robust_learns_by_keepalive(s, c);
  prove_crash(s, Says, last_before);
}

constexpr variant variants[]{
    {"in-flight", "the host dies with a request in flight; nobody says so", in_flight<router::silent>},
    {"in-flight-host", "the host dies with a request in flight; the router says host unreachable",
     in_flight<router::says_host>},
    {"in-flight-net", "the host dies with a request in flight; the router says network unreachable",
     in_flight<router::says_network>},
    {"connecting", "the host is dead when the client connects; nobody says so", connecting<router::silent>},
    {"connecting-host", "the host is dead when the client connects; the router says host unreachable",
     connecting<router::says_host>},
    {"connecting-net", "the host is dead when the client connects; the router says network unreachable",
     connecting<router::says_network>},
    {"idle", "the host dies while the connection is idle; nobody says so", idle<router::silent>},
    {"idle-host", "the host dies while the connection is idle; the router says host unreachable",
     idle<router::says_host>},
    {"idle-net", "the host dies while the connection is idle; the router says network unreachable",
     idle<router::says_network>},
};

}  // namespace

const situation crash_situation{"crash", "the server host crashes", variants};

}  // namespace halfopen::situation
