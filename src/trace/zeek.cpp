// Our facts in Zeek's words.
//
// Zeek runs one state machine a side (src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc)
// and makes a word of the two states at the end (conn_state() in scripts/base/protocols/
// conn/main.zeek). Here the states are read off the facts that a story rests on. Three of
// its rules are not what one would expect: a SYN+ACK that answers a SYN makes both sides
// "established" (nobody waits for the third packet); a side that sent a FIN and then an
// RST counts as closed once the other side's FIN comes; and an RST after both FINs comes
// too late to count.
//
// Zeek has no word for silence or for ICMP: a peer that vanished is S1 there, a host that
// cannot be reached S0.

#include "halfopen/trace/story.hpp"

namespace halfopen::trace {
namespace {

enum class zeek_state : std::uint8_t {
  inactive,
  partial,
  syn_sent,
  syn_ack_sent,
  established,
  closed,
  reset
};

bool before(const std::optional<mark>& a, const std::optional<mark>& b) noexcept {
  return a && (!b || a->number < b->number);
}

zeek_state state_of(const connection& c, side s) noexcept {
  const flow& own = c.of(s);
  const flow& peer = c.of(other(s));
  const bool both_closed = own.fin && peer.fin;
  if (own.rst) {
    const bool too_late = both_closed && before(own.fin, own.rst) && before(peer.fin, own.rst);
    const bool forgiven = both_closed && before(own.fin, own.rst);
    if (!too_late && !forgiven) return zeek_state::reset;
  }
  if (own.fin) return zeek_state::closed;
  const bool opener_spoke = c.of(side::opener).segments > 0;
  if (c.of(side::responder).syn && opener_spoke) return zeek_state::established;
  if (own.syn) return s == side::opener ? zeek_state::syn_sent : zeek_state::syn_ack_sent;
  return own.segments > 0 ? zeek_state::partial : zeek_state::inactive;
}

bool unseen(zeek_state s) noexcept {
  return s == zeek_state::inactive || s == zeek_state::partial;
}

}  // namespace

std::string_view zeek_conn_state(const connection& c) noexcept {
  const zeek_state opener = state_of(c, side::opener);
  const zeek_state responder = state_of(c, side::responder);
  const bool nothing_said = c.of(side::opener).bytes == 0 && c.of(side::responder).bytes == 0;
  if (responder == zeek_state::reset) {
    const bool rejected = opener == zeek_state::syn_sent || opener == zeek_state::syn_ack_sent ||
                          (opener == zeek_state::reset && nothing_said);
    return rejected ? "REJ" : unseen(opener) ? "RSTRH" : "RSTR";
  }
  if (opener == zeek_state::reset) return unseen(responder) ? "RSTOS0" : "RSTO";
  if (opener == zeek_state::closed && responder == zeek_state::closed) return "SF";
  if (opener == zeek_state::closed) return unseen(responder) ? "SH" : "S2";
  if (responder == zeek_state::closed) return unseen(opener) ? "SHR" : "S3";
  if (opener == zeek_state::syn_sent && responder == zeek_state::inactive) return "S0";
  if (opener == zeek_state::established && responder == zeek_state::established) return "S1";
  return "OTH";
}

}  // namespace halfopen::trace
