#ifndef HALFOPEN_TRACE_CONVERSATION_HPP
#define HALFOPEN_TRACE_CONVERSATION_HPP

/// Plays two TCPs for the tests: knows what each has said and heard, so that a
/// test names only what matters to it. Every packet goes through decode and a
/// tracker; they are numbered from 1, one millisecond apart. Test-only.

#include <algorithm>
#include <array>

#include "halfopen/trace/story.hpp"
#include "trace/packet_builder.hpp"

namespace halfopen::trace::testing {

using std::chrono::milliseconds;

class conversation {
 public:
  explicit conversation(std::uint32_t opener_isn = 1000, std::uint32_t responder_isn = 900000) {
    begin(opener_isn, responder_isn);
  }

  /// Both forget all; the next SYN has these initial sequence numbers.
  void begin(std::uint32_t opener_isn, std::uint32_t responder_isn) {
    of(side::opener) = {opener_isn, responder_isn};
    of(side::responder) = {responder_isn, opener_isn};
  }

  conversation& wait(milliseconds d) {
    now_ += d;
    return *this;
  }
  /// From now on that side hears nothing.
  conversation& deafen(side s) {
    of(s).deaf = true;
    return *this;
  }

  // ---- what a side can say; each is one packet -------------------------------
  conversation& syn() { return say(side::opener, trace::syn, 0); }
  conversation& syn_ack() { return say(side::responder, trace::syn | trace::ack, 0); }
  conversation& handshake() { return syn().syn_ack().ack(side::opener); }
  conversation& data(side s, std::size_t size) { return say(s, trace::psh | trace::ack, size); }
  conversation& ack(side s) { return say(s, trace::ack, 0); }
  conversation& fin(side s, std::size_t size = 0) { return say(s, trace::fin | trace::ack, size); }
  /// The last segment with a SYN, a FIN or payload again.
  conversation& again(side s) {
    emit(s, of(s).last);
    return *this;
  }
  conversation& probe(side s, std::size_t garbage = 0) {
    emit(s, {.sequence = of(s).next - 1, .acknowledgement = of(s).heard, .payload = garbage});
    return *this;
  }
  /// As a live socket aborts.
  conversation& abort(side s) {
    emit(s, {.sequence = of(s).next, .acknowledgement = of(s).heard, .flags = trace::rst | trace::ack});
    return *this;
  }
  /// As a host without the socket answers: to a SYN, or to anything else.
  conversation& no_such_socket(side s) {
    const voice& asked = of(other(s));
    if ((asked.last.flags & trace::ack) == 0)
      emit(s, {.acknowledgement = asked.next, .flags = trace::rst | trace::ack, .window = 0});
    else
      emit(s, {.sequence = asked.heard, .flags = trace::rst, .window = 0});
    return *this;
  }
  /// A router's ICMP about the last packet of `about`.
  conversation& icmp(side about, unsigned code, const ip_address& router = a_router) {
    return give(icmp_packet(router, at(about).address, code, of(about).last_packet));
  }
  /// The last packet of that side, captured once more.
  conversation& captured_again(side s) { return give(of(s).last_packet); }
  conversation& segment_of(side s, const segment& raw) {
    emit(s, raw);
    return *this;
  }
  /// The same, with another TTL than this side has.
  conversation& forged(side s, const segment& raw, unsigned ttl) {
    return give(tcp_packet(at(s), at(other(s)), raw, {.id = 0, .ttl = ttl}));
  }
  conversation& give(const frame& ip) {
    frame_ = ethernet(ip);
    frames_.push_back(frame_);
    ++number_;
    now_ += milliseconds{1};
    last_ = tracker_.add(decode(frame_, link::ethernet, number_, now_).value());
    return *this;
  }

  // ---- what came of it ---------------------------------------------------------
  [[nodiscard]] const connection& record() const { return *last_; }
  [[nodiscard]] const flow& opener() const { return last_->of(side::opener); }
  [[nodiscard]] const flow& responder() const { return last_->of(side::responder); }
  [[nodiscard]] story told(const story_hints& hints = {}) const { return tell(*last_, hints); }
  [[nodiscard]] std::vector<const connection*> all() const { return tracker_.connections(); }
  [[nodiscard]] const connection* last() const { return last_; }
  [[nodiscard]] time_point now() const { return now_; }
  [[nodiscard]] const std::vector<frame>& frames() const { return frames_; }
  [[nodiscard]] std::uint32_t next(side s) { return of(s).next; }
  [[nodiscard]] std::uint32_t heard(side s) { return of(s).heard; }

 private:
  struct voice {
    std::uint32_t next = 0;   ///< the next sequence number to send
    std::uint32_t heard = 0;  ///< the next one expected of the other side
    bool deaf = false;
    segment last{};
    frame last_packet{};
  };

  voice& of(side s) { return voices_[static_cast<std::size_t>(s)]; }
  static const endpoint& at(side s) { return s == side::opener ? client : server; }

  conversation& say(side s, unsigned flags, std::size_t payload) {
    voice& v = of(s);
    const std::uint32_t answer = (flags & trace::ack) != 0 ? v.heard : 0;
    const segment what{.sequence = v.next, .acknowledgement = answer, .flags = flags, .payload = payload};
    const bool takes_place = (flags & (trace::syn | trace::fin)) != 0;
    v.next += static_cast<std::uint32_t>(payload) + (takes_place ? 1U : 0U);
    if (takes_place || payload > 0) v.last = what;
    if (!of(other(s)).deaf) of(other(s)).heard = v.next;
    emit(s, what);
    return *this;
  }
  void emit(side s, const segment& what) {
    of(s).last_packet = tcp_packet(at(s), at(other(s)), what, {.id = ++ip_id_});
    give(of(s).last_packet);
  }

  std::array<voice, 2> voices_;
  tracker tracker_;
  frame frame_;
  std::vector<frame> frames_;
  std::uint64_t number_ = 0;
  unsigned ip_id_ = 0;
  time_point now_{};
  const connection* last_ = nullptr;
};

}  // namespace halfopen::trace::testing

#endif
