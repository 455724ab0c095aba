// What each ending means, for people: `halfopen explain` prints these texts, and they may
// be shown to users of any program. Facts about Linux have their sources in errnos.cpp
// and diagnose.cpp; what to do about them follows from the table of endings in fate.hpp:
// a FIN or an RST is the peer's word, silence is nobody's, an ICMP error is a router's.

#include "halfopen/fate.hpp"

namespace halfopen {
namespace {

constexpr std::array<explanation, all_endings.size()> explanations{{
    {"completed", "Both sides said all they had to say, and each said that it was done.",
     "Both programs: each closed its side where the protocol allows it.",
     "Nothing. But know it from the protocol, by a length or an end mark: end-of-file alone looks the same "
     "when the peer dies in mid-message."},
    {"refused",
     "The peer's host is up and answered the SYN with an RST: nothing listens on that port. connect fails "
     "with ECONNREFUSED.",
     "The server is not running, or not yet, or listens on another address or port; or a firewall rejects.",
     "Try again later, with growing pauses, or try the next address. It is safe: no byte of a request left "
     "this host."},
    {"aborted_before_accept",
     "The handshake was done, and the connection was reset while it waited for accept. Linux hands it out "
     "all "
     "the same: accept succeeds, getpeername fails with ENOTCONN, and reading fails with ECONNRESET after "
     "what "
     "came before. POSIX has ECONNABORTED for it, SVR4 had EPROTO, BSD drops it and accept may block.",
     "The client gave up while the server was slow to accept: it was killed, ran into a time limit of its "
     "own, "
     "or is a port scanner or health check.",
     "Close it if there is one, and accept the next: it must not end the server. Make the listening socket "
     "nonblocking, so that accept cannot block after poll. If there are many, accept sooner."},
    {"peer_closed",
     "The peer sent a FIN where more bytes were owed: read gives end-of-file (0) in mid-message, or instead "
     "of "
     "a reply.",
     "The server's process ended or was killed and its kernel closed the connection, or it was shut down, or "
     "its idle limit passed just as the request came.",
     "Never take it for the end of the message: compare with the promised length. The peer may have acted on "
     "the request. On a connection that was idle it is harmless: open another before the next request."},
    {"peer_reset",
     "The peer's host answered with an RST on an established connection. What was on its way is lost in both "
     "directions; read or write fails with ECONNRESET, once.",
     "The peer's process died or closed with data unread, or set SO_LINGER to 0; or it had closed before and "
     "more data came; or a firewall or load balancer between cut the connection. The errno does not tell it "
     "from peer_rebooted.",
     "Close the socket. Send the request again only if doing it twice does no harm: the peer may have acted "
     "on it."},
    {"broken_pipe",
     "We wrote to a connection that was dead already: write fails with EPIPE, and SIGPIPE kills a program "
     "that "
     "neither ignores it nor writes with MSG_NOSIGNAL.",
     "The peer closed and then reset the connection, in answer to an earlier write; or an earlier call "
     "reported "
     "its end and the program wrote on. After our own shutdown(SHUT_WR) the errno is the same.",
     "Use MSG_NOSIGNAL, or ignore SIGPIPE once at the start. Read what is left first: a reply may have come "
     "before the reset. To learn of a FIN in time, watch the socket while idle, too."},
    {"peer_vanished", "Repeated segments or probes had no answer, neither ACK nor RST nor ICMP: ETIMEDOUT.",
     "The peer's host crashed, lost power or its network, or a firewall drops the packets. Nobody says so, "
     "and "
     "only silence tells: 15 minutes of it by default with data in flight, two on connect, for ever when "
     "idle.",
     "Decide how long silence may last: SO_KEEPALIVE for an idle connection, TCP_USER_TIMEOUT for data in "
     "flight (set_liveness sets both), and a time limit for each reply. The peer may have acted on the "
     "request."},
    {"host_unreachable",
     "A router says by ICMP that it cannot deliver to the peer's host, or no neighbour answers for its "
     "address: "
     "EHOSTUNREACH. While connecting that is final; on an open connection Linux keeps trying and reports it "
     "in "
     "place of ETIMEDOUT.",
     "The peer's host is down, its last router knows it, or a firewall rejects by ICMP. If the ICMP comes "
     "from "
     "this host itself, ARP or neighbour discovery had no answer.",
     "Try the next address, or later: routes come back. On an open connection the peer may have acted on the "
     "request. report_icmp makes such errors known at once."},
    {"net_unreachable",
     "There is no route to the peer's network, as a router says by ICMP or as this host finds itself: "
     "ENETUNREACH.",
     "A routing failure between, or none of this host's routes leads there: a lost default route, IPv6 "
     "without "
     "an uplink, a VPN that is down.",
     "Try the next address (an IPv4 one after an IPv6 one), or later. `ip route get ADDRESS` shows whether "
     "this "
     "host has a route. On an open connection the peer may have acted on the request."},
    {"peer_rebooted",
     "An RST from a host that has no memory of the connection: after a silence it answers the next segment "
     "with "
     "an RST. The errno is ECONNRESET, as for peer_reset.",
     "The peer's host crashed and came back, its address moved to another host, or a NAT or firewall forgot "
     "the "
     "connection. An idle program learns of it only by keepalive.",
     "Treat it as peer_reset: close, connect anew, and send the request again only if doing it twice does no "
     "harm. Use keepalive, so that an idle connection learns of it at all."},
    {"deadline_passed",
     "Our own time limit passed. What became of the peer is unknown: it may be slow, busy or gone.",
     "The program's timer, SO_RCVTIMEO or SO_SNDTIMEO (EAGAIN; EINPROGRESS on connect), or TCP_USER_TIMEOUT "
     "while the peer answers but takes no data.",
     "Close the connection: a reply that comes late would be taken for that of the next request. The peer "
     "may "
     "have acted, or may yet; send the request again only if doing it twice does no harm."},
    {"shut_down", "Our own side was told to stop, and ended the connection because of it.",
     "SIGTERM from init, systemd, a container engine or an operator; SIGKILL follows after 5 to 90 seconds.",
     "Stop accepting, finish what was begun, close, exit, all within the grace. A client should take it as "
     "peer_closed and go to another server."},
    {"malformed", "The bytes that came are not in the agreed format.",
     "Another version or another protocol on that port, a raw structure of another byte order, word size or "
     "padding, or a reader that takes one read for one message.",
     "Close the connection: where the next message begins is no longer known. To try again would not help. "
     "Define each field's size and byte order, and read until the message is whole."},
    {"local_failure",
     "This host itself could not do it; the peer has no part in it. The errno tells what is missing: EMFILE "
     "(descriptors), EADDRNOTAVAIL (an address, or all ephemeral ports), ENOBUFS or ENOMEM (memory), EACCES "
     "or EPERM (leave), EINVAL or EBADF (a mistake in the program).",
     "A limit of this process or machine, its configuration, or a mistake in the program.",
     "Raise the limit or correct the program. A server that gets EMFILE from accept must go on, and not in a "
     "busy loop: the connection stays in the queue and poll reports it again at once."},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < all_endings.size(); ++i)
    if (static_cast<std::size_t>(all_endings[i]) != i) return false;
  return true;
}
static_assert(in_order(), "the table is indexed by the enumerator");

}  // namespace

explanation explain(ending e) noexcept {
  const auto index = static_cast<std::size_t>(e);
  return index < explanations.size() ? explanations[index] : explanation{"?", "", "", ""};
}

}  // namespace halfopen
