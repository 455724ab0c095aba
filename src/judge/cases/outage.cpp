// A service loses what it depends on, and gets it back. A row a case: how, when, for how long; what is done
// and proved is in judge/system/lost_dependency.cpp.
//
// On a link, "the dependency" and "the service" in `done` become the hosts' names.

#include "judge/case.hpp"

namespace halfopen::judge {
namespace {

using enum outage;
using enum outage_moment;
using enum outage_length;

constexpr const char* come_back =
    "a service that depends on another one serves or refuses while it is away, and serves again by itself "
    "soon "
    "after it is back";
constexpr const char* silence =
    "a dead host says nothing: only a limit on every call, keepalive or TCP_USER_TIMEOUT ends a wait (RFC "
    "1122 "
    "section 4.2.3.6, RFC 5482)";
constexpr const char* told =
    "a FIN or an RST is told at once: the connection is over, and the next one may be tried";
constexpr const char* kernel_acknowledges =
    "an acknowledgement comes from the peer's kernel, not from its program: keepalive is answered for a "
    "program "
    "that never reads again, so a call needs a limit of its own (RFC 9293 section 3.8.4)";
constexpr const char* soft =
    "ICMP unreachable on an established connection is a soft error (RFC 1122 section 4.2.3.9): Linux goes on "
    "sending";
constexpr const char* idle_forgotten =
    "an address translator or a firewall may forget an idle connection, and need not say so (RFC 5382 "
    "section "
    "5): a pool checks a connection before it hands it out, or keeps it alive";
constexpr const char* looked_at_before =
    "the end of an idle connection is in its receive buffer: read(2) gives 0 or an error, and poll(2) tells "
    "that there is something to read; a pool looks before it hands the connection out";
constexpr const char* names_move =
    "a name is resolved again for each new connection: after a failover it gives another address";
constexpr const char* orderly_start =
    "services start in any order: whoever needs another one waits for it, and tries again";

constexpr judge_case row(std::string_view id, outage how, outage_moment when, outage_length length,
                         std::string_view done, std::string_view rule) {
  judge_case c{id, subject::service, done, rule};
  c.outage = outage_row{how, when, length};
  return c;
}

constexpr judge_case unasked(judge_case c) {
  c.outage->unasked = true;
  return c;
}

constexpr judge_case cases[]{
    row("outage/1", killed, idle, brief,
        "the program of the dependency is killed while the service and the dependency are idle, and started "
        "again",
        told),
    row("outage/2", killed, in_flight, brief,
        "the program of the dependency is killed while a request of the service is on its way, and started "
        "again",
        told),
    row("outage/3", vanished, idle, some,
        "the host of the dependency vanishes while the service and the dependency are idle, and is started "
        "again 5 s later",
        silence),
    row("outage/4", vanished, in_flight, some,
        "the host of the dependency vanishes while a request of the service is on its way, and is started "
        "again 5 s later",
        silence),
    row("outage/5", vanished, mid_reply, some,
        "the host of the dependency vanishes in the middle of a reply to the service, and is started again 5 "
        "s later",
        silence),
    row("outage/6", vanished, in_flight, lasting,
        "the host of the dependency vanishes while a request of the service is on its way, and stays away",
        silence),
    row("outage/7", link_cut, in_flight, lasting,
        "the link between the service and the dependency is cut while a request is on its way, for long; "
        "both live",
        silence),
    row("outage/8", link_cut, idle, some,
        "the link between the service and the dependency is cut for 5 s while it is idle; both live",
        silence),
    row("outage/9", unreachable, in_flight, lasting,
        "a router says for long that the other of the service and the dependency cannot be reached; a "
        "request is on its way",
        soft),
    row("outage/10", frozen, in_flight, lasting,
        "the programs of the dependency stand still for long while a request of the service is on its way; "
        "its kernel acknowledges",
        kernel_acknowledges),
    row("outage/11", mute, in_flight, lasting,
        "the program of the dependency is killed, and for long something accepts there and never speaks",
        kernel_acknowledges),
    row("outage/12", stopped, idle, lasting,
        "the dependency is stopped for long while it and the service are idle: connections are refused",
        come_back),
    row("outage/13", forgotten, idle, none,
        "a middlebox forgets every idle connection between the service and the dependency, and drops their "
        "packets",
        idle_forgotten),
    row("outage/14", disowned, idle, none,
        "a middlebox forgets every idle connection between the service and the dependency, and answers their "
        "packets with RST",
        idle_forgotten),
    row("outage/15", outage::reset, idle, none,
        "every connection between the service and the dependency is reset at once", told),
    row("outage/16", moved, in_flight, none,
        "the host of the dependency is gone for good, and its name gives the address of another one with a "
        "fresh server",
        names_move),
    row("outage/17", terminated, in_flight, brief,
        "the dependency is stopped politely (SIGTERM), and started again", come_back),
    row("outage/18", lost_again, in_flight, brief,
        "the program of the dependency is killed, and again at three packets of the reconnection of the "
        "service",
        come_back),
    row("outage/19", ten_times, idle, brief,
        "ten outages one after the other: the program of the dependency is killed, or its connections are "
        "reset",
        "what a connection had is given back when it ends: sockets, descriptors, threads, memory"),
    row("outage/20", not_there_yet, at_start, half_minute,
        "the service is started while the dependency is away, which comes later", orderly_start),
    unasked(row("outage/21", killed, idle, brief,
                "the program of the dependency is killed and started again while nobody asks the service",
                looked_at_before)),
};

}  // namespace

const family outage_family{"outage", "a service loses what it depends on, and gets it back", cases};

}  // namespace halfopen::judge
