// What the words of a story mean, for people: `halfopen explain` prints these texts. The rules behind
// them, with their limits, are in docs/autopsy.md.

#include "halfopen/trace/story.hpp"

namespace halfopen::trace {
namespace {

constexpr explanation no_word{"?", "", "", ""};

}  // namespace

explanation explain(culprit c) noexcept {
  switch (c) {
    case culprit::opener:
      return {to_string(c),
              "The side that opened the connection ended it: the client. Its FIN or RST came first.", "",
              "Look for the reason on its host."};
    case culprit::responder:
      return {to_string(c), "The side that was called ended it: the server. Its FIN or RST came first.", "",
              "Look for the reason on its host."};
    case culprit::router:
      return {to_string(c),
              "A router ended it. It said by ICMP that it cannot reach the host or the network.", "",
              "The ICMP message bears the router's address; its log, or its routes, say why."};
    case culprit::middlebox:
      return {to_string(c),
              "Something between the two hosts ended it. A firewall, NAT or load balancer sent an RST in the "
              "name of "
              "one of them.",
              "", "Look at what is on the way, and at its limits for idle connections. See middlebox_reset."};
    case culprit::nobody:
      return {to_string(c), "Nobody said a word. One side fell silent, and the other gave up.", "",
              "The silent host crashed or lost its network, or something on the way drops the packets."};
    case culprit::unknown:
      return {to_string(c), "It has not ended, as far as the packets show.", "", ""};
  }
  return no_word;
}

explanation explain(manner m) noexcept {
  switch (m) {
    case manner::never_answered:
      return {to_string(m), "Nothing at all came in answer to the SYN.",
              "The host is down or not there, or a firewall drops the packets.",
              "Bound connect by a time limit: Linux goes on trying for two minutes."};
    case manner::connect_cancelled:
      return {to_string(m), "The opener did not want the answer to its SYN any more, and reset it.",
              "Its own time limit for connecting was over, or its user went away.",
              "See how late the answer came: the other side, or the way there, was slow."};
    case manner::abortive_close:
      return {to_string(m), "An RST stands where a FIN would have done: all had been said and acknowledged.",
              "Browsers, Windows and load balancers close so.", "Nothing was lost: there is nothing to do."};
    case manner::fin_unanswered:
      return {to_string(m), "A FIN was sent again and again, and never acknowledged.",
              "The other host was gone by then, or something between them had forgotten the connection.",
              "What was said before was acknowledged; look for what became of the other host."};
    case manner::half_closed_long:
      return {
          to_string(m), "One side sent FIN, and the other went on for a minute or more.",
          "A program that does not look at the socket on which it got the FIN, and holds it; or one that has "
          "much left to say.",
          "See what the second side said after the FIN: nothing means that it had not noticed."};
    case manner::middlebox_reset:
      return {to_string(m),
              "An RST does not fit the host whose address it bears. Its TTL, its identification or "
              "its sequence number is another's, or the host went on talking after it.",
              "A firewall, NAT or load balancer between the two cut the connection, often one that was idle.",
              "Find what is on the way, and raise its limit or keep the connection from being idle "
              "(SO_KEEPALIVE). A "
              "host whose own RSTs differ from its other packets looks the same."};
    case manner::zero_window_stall:
      return {to_string(m),
              "One side took no more bytes: its receive window was closed when it ended, or is still.",
              "Its program does not read: it hangs, or waits for its own client to read.",
              "Look at the program that does not read, not at the network. TCP_USER_TIMEOUT bounds the wait "
              "of the "
              "other side."};
    case manner::keepalive_failure:
      return {
          to_string(m), "Keepalive probes found that the other side is gone, and not data.",
          "The connection was idle when its peer vanished.",
          "It was noticed as it should be; if that was too late, shorten TCP_KEEPIDLE and TCP_KEEPINTVL."};
    case manner::unread_data:
      return {to_string(m), "It was reset because data came, or was there, that nobody would read any more.",
              "A program closed with bytes unread in its receive buffer, or before the peer had said all; or "
              "it set "
              "SO_LINGER to 0.",
              "Read to the end before closing: shut the writing side, read until end-of-file, then close. "
              "Else the "
              "reset may destroy a reply on its way."};
    case manner::simultaneous_close:
      return {to_string(m), "Both FINs were on their way at one time.", "Both sides closed, each by itself.",
              "Nothing: it is an orderly end (RFC 9293 section 3.6, figure 13)."};
    case manner::time_wait_reuse:
      return {to_string(m), "Another connection took the same ports within a minute of this one's end.",
              "The opener had no other free port, or chose this one.",
              "Harmless by itself. If it comes often, keep connections open longer, or give the opener more "
              "ports."};
  }
  return no_word;
}

explanation explain(doubt d) noexcept {
  switch (d) {
    case doubt::began_before:
      return {to_string(d),
              "The capture begins in the middle of the connection. So who opened it is a guess by the "
              "ports, and bytes count from the first packet seen.",
              "", "Begin the capture before the program starts."};
    case doubt::time_backwards:
      return {to_string(d), "Packets of the connection do not stand in the order of their times.",
              "Several processors or several capture points wrote the file.",
              "Sort it first: reordercap, of Wireshark, does."};
    case doubt::unanswered:
      return {to_string(d), "Repeats or probes went unanswered, too few to conclude anything from.",
              "The capture ends too early, or an answer was lost.", "Capture for longer."};
    case doubt::one_direction:
      return {to_string(d), "Nothing of one side was captured. Its silence proves nothing.",
              "The two directions take different ways, or the capture's filter lets only one through.",
              "Capture at one of the two hosts."};
    case doubt::missed_packets:
      return {to_string(d), "Bytes were acknowledged that the capture does not hold.",
              "The capture lost packets, or they went another way.",
              "Capture less (a filter, or the first bytes of each packet), or with a larger buffer."};
    case doubt::captured_twice:
      return {to_string(d), "The capture holds packets twice. Each counts once.",
              "More than one interface was captured (-i any), or a port that mirrors another.", ""};
    case doubt::still_open:
      return {to_string(d), "It had not ended when the capture stopped.", "", "Capture for longer."};
    case doubt::watch_given_up:
      return {to_string(d),
              "It was followed no further. It had been silent for too long, or too many were open.", "",
              "Raise --idle or --most-open."};
    case doubt::forged_packets:
      return {to_string(d),
              "The author of an RST is not the host that it names. So other packets may be forged too.", "",
              "See middlebox_reset."};
  }
  return no_word;
}

}  // namespace halfopen::trace
