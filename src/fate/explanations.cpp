// What each ending means, for people: `halfopen explain` prints these texts, and they may
// be shown to users of any program. Facts about Linux have their sources in errnos.cpp
// and diagnose.cpp; what to do about them follows from the table of endings in fate.hpp:
// a FIN or an RST is the peer's word, silence is nobody's, an ICMP error is a router's.

#include "halfopen/fate.hpp"

namespace halfopen {
namespace {

constexpr std::array<explanation, all_endings.size()> explanations{{
    {"completed", "Both sides said all they had to say. Each closed its side, and the other one saw it.",
     "Both programs, where the protocol allows it.",
     "Nothing. But know it from the protocol, by a length or an end mark: end-of-file alone looks the same "
     "when the peer dies in mid-message."},
    {"refused",
     "The peer's host answered the SYN with an RST. It is up, and nothing listens on that port: connect "
     "fails "
     "with ECONNREFUSED.",
     "The server is not running, or not yet, or listens on another address or port; or a firewall rejects.",
     "Try again later, with growing pauses, or try the next address. It is safe: no byte of a request left "
     "this host."},
    {"aborted_before_accept",
     "The connection was reset before accept took it. Linux hands it out all the same: accept succeeds, "
     "getpeername fails with ENOTCONN, and reading fails with ECONNRESET after what came before the reset. "
     "POSIX has ECONNABORTED for it, SVR4 had EPROTO; BSD drops it, and accept may block.",
     "The client gave up while the server was slow to accept: it was killed, its time limit passed, or it is "
     "a "
     "port scanner or health check.",
     "Close it if there is one, and accept the next: it must not end the server. Make the listening socket "
     "nonblocking, so that accept cannot block after poll. If there are many, accept sooner."},
    {"peer_closed",
     "The peer sent a FIN where more bytes were owed. Reading gives end-of-file (0) in mid-message, or in "
     "place "
     "of a reply.",
     "The server's process ended or was killed and its kernel closed the connection; or it was shut down; or "
     "its idle limit passed just as the request came.",
     "Never take it for the end of the message: compare with the promised length. The peer may have acted on "
     "the request. On an idle connection it is harmless: open another before the next request."},
    {"peer_reset",
     "The peer's host reset an established connection. It sent an RST; what was on its way is lost in both "
     "directions, and read or write fails with ECONNRESET, once.",
     "The peer's process died or closed with data unread, or set SO_LINGER to 0; or it had closed before and "
     "more data came; or a firewall or load balancer between the two cut the connection. The errno does not "
     "tell it from peer_rebooted.",
     "Close the socket. Send the request again only if doing it twice does no harm: the peer may have acted "
     "on it."},
    {"broken_pipe",
     "We wrote to a connection that was dead already. write fails with EPIPE; SIGPIPE kills a program that "
     "neither ignores it nor sends with MSG_NOSIGNAL.",
     "The peer closed, and reset the connection in answer to an earlier write; or an earlier call reported "
     "its "
     "end and the program wrote on. After our own shutdown(SHUT_WR) the errno is the same.",
     "Send with MSG_NOSIGNAL, or ignore SIGPIPE once at the start. Read what is left first: a reply may have "
     "come before the reset. Watch the socket while it is idle, to learn of a FIN in time."},
    {"peer_vanished", "Repeated segments or probes had no answer. No ACK, no RST, no ICMP: ETIMEDOUT.",
     "The peer's host crashed, lost its power or its network; or a firewall drops the packets. Nobody says "
     "so: "
     "only silence does, 15 minutes of it by default with data in flight, two on connect, for ever when "
     "idle.",
     "Decide how long silence may last: SO_KEEPALIVE for an idle connection, TCP_USER_TIMEOUT for data in "
     "flight (set_liveness() sets both), and a time limit for each reply. The peer may have acted on the "
     "request."},
    {"host_unreachable",
     "A router says that it cannot reach the peer's host. It does so by ICMP: EHOSTUNREACH. While connecting "
     "that is final; on an open connection Linux goes on trying, and reports it in place of ETIMEDOUT.",
     "The peer's host is down and its last router knows it, or a firewall rejects by ICMP. If the ICMP comes "
     "from this host itself, no neighbour answered for the address (ARP, neighbour discovery).",
     "Try the next address, or the same one later: routes come back. On an open connection the peer may have "
     "acted on the request. report_icmp() makes such errors known at once."},
    {"net_unreachable",
     "There is no route to the peer's network. A router says so by ICMP, or this host finds it itself: "
     "ENETUNREACH.",
     "A routing failure on the way; or none of this host's routes leads there: no default route, IPv6 "
     "without "
     "an uplink, a VPN that is down.",
     "Try the next address (IPv4 after IPv6), or the same one later. `ip route get ADDRESS` tells whether "
     "this "
     "host has a route. On an open connection the peer may have acted on the request."},
    {"peer_rebooted",
     "A host that has forgotten the connection sent an RST. It does so in answer to the next segment that "
     "reaches it, after a silence. The errno is ECONNRESET, as for peer_reset.",
     "The peer's host crashed and came back; its address moved to another host; or a NAT or firewall forgot "
     "the "
     "connection.",
     "As for peer_reset: close, connect anew, and send the request again only if doing it twice does no "
     "harm. "
     "An idle program learns of it only by keepalive: set_liveness()."},
    {"deadline_passed",
     "Our own time limit passed. What became of the peer is unknown: it may be slow, busy or gone.",
     "The program's timer; SO_RCVTIMEO or SO_SNDTIMEO (EAGAIN, on connect EINPROGRESS); or TCP_USER_TIMEOUT "
     "while the peer answers but takes no data.",
     "Close the connection: a reply that comes late would be taken for that of the next request. The peer "
     "may "
     "have acted, or may yet: send the request again only if doing it twice does no harm."},
    {"shut_down", "Our own side was told to stop. It ended the connection because of that.",
     "SIGTERM from init, systemd, a container engine or an operator. SIGKILL follows after some seconds.",
     "Stop accepting, finish what was begun, close, and exit, all before SIGKILL. Who is at the other end "
     "sees "
     "peer_closed, and goes to another server."},
    {"malformed", "The bytes that came are not in the agreed format.",
     "Another version or another protocol on that port; a raw structure of another byte order, word size or "
     "padding; or a reader that takes one read for one message.",
     "Close the connection: where the next message begins is no longer known. To try again would not help. "
     "Define the size and byte order of each field, and read until the message is whole."},
    {"local_failure",
     "This host itself failed; the peer has no part in it. The errno says what is missing: EMFILE "
     "(descriptors), EADDRNOTAVAIL (an address, or a free port), ENOBUFS or ENOMEM (memory), EACCES or EPERM "
     "(permission), EINVAL or EBADF (a mistake in the program). With TLS: a certificate of the peer's that "
     "is "
     "not accepted here.",
     "A limit of this process or machine, its configuration (also whom it trusts), or a mistake in the "
     "program.",
     "Raise the limit or correct the program. A server to which accept gives EMFILE must go on, but not in a "
     "busy loop: the connection stays in the queue, and poll reports it again at once."},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < all_endings.size(); ++i)
    if (static_cast<std::size_t>(all_endings[i]) != i) return false;
  return true;
}
static_assert(in_order(), "the table is indexed by the enumerator");

constexpr explanation unknown_word{"?", "", "", ""};

}  // namespace

explanation explain(ending e) noexcept {
  const auto index = static_cast<std::size_t>(e);
  return index < explanations.size() ? explanations[index] : unknown_word;
}

explanation explain(phase p) noexcept {
  switch (p) {
    case phase::connecting:
      return {to_string(p),
              "The connection was not open yet. connect had not returned, or its time limit had not passed.",
              "", "Try again, or the next address: no byte of a request has left this host."};
    case phase::idle:
      return {
          to_string(p), "Nothing was asked, or all that was asked is answered.", "",
          "Open another connection before the next request. To learn of such an end before that, watch the "
          "idle socket (a FIN or an RST wakes poll), and let keepalive find a peer that says nothing."};
    case phase::sending:
      return {to_string(p),
              "The kernel had not taken the whole request. How much of it the peer has is unknown.", "",
              "The peer may hold a part of the request, and a program that reads carelessly may act on it."};
    case phase::awaiting_reply:
      return {to_string(p),
              "The kernel had taken the whole request, and no byte of the reply was here. The peer may have "
              "acted "
              "on the request.",
              "", "Send it again only if doing it twice does no harm."};
    case phase::receiving_reply:
      return {to_string(p), "A part of the reply was here. So the peer has acted on the request.", "",
              "Never take the part for the whole: compare with the length or the end mark that the protocol "
              "has."};
  }
  return unknown_word;
}

explanation explain(retry r) noexcept {
  switch (r) {
    case retry::safe:
      return {
          to_string(r),
          "The request may be sent again. No byte of it reached the kernel, or the connection never opened.",
          "", "Send it again, on another connection or to another address, with growing pauses."};
    case retry::unknown:
      return {to_string(r), "The peer may have acted on the request. Nobody on this side can know.", "",
              "Send it again only if doing it twice does no harm (reading does none, paying does), or if the "
              "request carries a number by which the peer knows it again."};
    case retry::pointless:
      return {to_string(r),
              "There is nothing to send again. The request was answered, or the bytes were malformed.", "",
              "Nothing; or, of malformed bytes, find out who speaks another format."};
  }
  return unknown_word;
}

}  // namespace halfopen
