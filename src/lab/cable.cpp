// One function sees every packet. That is what makes a fault exact: the script
// runs while a packet lies on the cable, and nothing else can move meanwhile.
// Filters in the kernel (tc, nftables, BPF) are quicker, but they act on their
// own, and a script could only look at the result.

#include "lab/cable.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "halfopen/lab/error.hpp"
#include "lab/middlebox.hpp"
#include "lab/namespaces.hpp"
#include "lab/router.hpp"

namespace halfopen::lab {
namespace {

constexpr std::size_t ethernet_header = 14;
constexpr int packets_in_a_row = 256;
constexpr mac_address router_mac{2, 0, 0, 0, 0, 0xfe};
/// A router answers a little later than the packet came: an ICMP error that
/// arrives while connect(2) still holds the socket's lock is put off to the next
/// SYN, a second later (Linux net/ipv4/tcp_ipv4.c, tcp_v4_err, sock_owned_by_user).
constexpr auto router_delay = std::chrono::milliseconds(5);

void write_macs(std::span<std::byte> frame, const mac_address& to) {
  std::memcpy(frame.data(), to.data(), to.size());
}

bool is_unicast(std::span<const std::byte> frame) {
  return frame.size() > ethernet_header && (frame[0] & std::byte{1}) == std::byte{0};
}

bool any_of(const std::vector<match>& rules, const arrival& a) {
  return std::ranges::any_of(rules, [&](const match& m) { return m(a); });
}

/// A packet socket costs two RCU grace periods, some 10 ms each, to give a ring
/// and to close (net/packet/af_packet.c, synchronize_net in packet_set_ring and
/// packet_release). So a thread keeps its last room for its next experiment. What
/// an earlier experiment's interfaces may still say has an index that no port has.
thread_local std::unique_ptr<cable_room> spare_room;

thread_local bool room_in_use = false;

std::unique_ptr<cable_room> enter_room() {
  if (room_in_use) throw error("a thread can have one experiment at a time");
  if (spare_room) return std::move(spare_room);
  if (::unshare(CLONE_NEWNET) < 0) throw error("making the cable's network namespace", errno);
  // The outer ends must not speak by themselves.
  for (const char* which : {"all", "default"})
    write_file(std::string("/proc/sys/net/ipv6/conf/") + which + "/disable_ipv6", "1");
  return std::make_unique<cable_room>();
}

}  // namespace

cable::cable(loop& events, trace::ip_address router, std::function<void(const record&)> recorder)
    : events_(events),
      router_(router),
      room_(enter_room()),
      evidence_(std::move(recorder)),
      overflowed_before_(ring().overflowed()) {
  room_in_use = true;
}

cable::~cable() {
  room_in_use = false;
  spare_room = std::move(room_);
}

std::size_t cable::add_port(const port& p) {
  ports_.push_back(p);
  return ports_.size() - 1;
}

std::optional<std::size_t> cable::port_with(const trace::ip_address& address) const {
  const auto found = std::ranges::find(ports_, address, &port::address);
  if (found == ports_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - ports_.begin());
}

cable::pumped cable::pump(stop when, const match* which) {
  for (int turns = 0; at_hand_ || next_frame(); ++turns) {
    bool matched = false;
    if (!at_hand_) {
      at_hand_ = true;
      matched = which != nullptr && when != stop::never && (*which)(arrival_);
      if (matched && when == stop::before_delivery) {
        ring().flush();
        return pumped::until_match;
      }
    }
    dispose();
    if (matched || turns >= packets_in_a_row) {
      ring().flush();
      return matched ? pumped::until_match : pumped::some;
    }
  }
  ring().flush();
  return pumped::all;
}

/// Puts the next frame that is on the wire at hand: recorded and counted.
/// Frames that are none of the lab's business (a dead host's last words, ARP,
/// multicast) never were on the wire.
bool cable::next_frame() {
  if (!injected_.empty()) {
    is_injected_ = true;
    sender_ = ports_.size();
    receiver_ = injected_.front().receiver;
    if (take_in(injected_.front().bytes, experiment::now())) {
      if (!injected_.front().note.empty()) evidence_.note(injected_.front().note);
      return true;
    }
    injected_.pop_front();
    return next_frame();
  }
  is_injected_ = false;
  packet_ring::frame frame;
  while (ring().peek(frame)) {
    const auto sender = std::ranges::find(ports_, frame.interface, &port::interface);
    if (sender != ports_.end() && sender->connected && is_unicast(frame.bytes)) {
      sender_ = static_cast<std::size_t>(sender - ports_.begin());
      sender_interface_ = frame.interface;
      receiver_.reset();
      if (take_in(frame.bytes, frame.when)) return true;
    }
    ring().advance(0);
  }
  return false;
}

bool cable::take_in(std::span<std::byte> frame, trace::time_point when) {
  if (most_mss_) lab::clamp_mss(frame, *most_mss_);
  const auto decoded = trace::decode(frame, trace::link::ethernet, count_ + 1, when);
  if (!decoded) return false;
  packet_ = *decoded;
  frame_ = frame;
  ++count_;
  last_packet_ = loop::clock::now();
  decision_ = decision::by_rule;
  if (!receiver_) receiver_ = port_with(packet_.destination);
  write_macs(frame_, receiver_ ? ports_[*receiver_].mac : router_mac);
  arrival_ = {&packet_, traffic_.add(packet_), sender_ < ports_.size() ? ports_[sender_].owner : nullptr,
              receiver_ ? ports_[*receiver_].owner : nullptr};
  evidence_.packet(count_, when, sender_, frame_);
  return true;
}

const link_state* cable::known_link(const host& a, const host& b) const {
  const auto found = std::ranges::find_if(
      links_, [&](const link_state& l) { return (l.a == &a && l.b == &b) || (l.a == &b && l.b == &a); });
  return found == links_.end() ? nullptr : &*found;
}

link_state& cable::link(const host& a, const host& b) {
  if (const link_state* l = known_link(a, b)) return const_cast<link_state&>(*l);
  return links_.emplace_back(link_state{.a = &a, .b = &b});
}

link_state* cable::link_at_hand() {
  const auto found = std::ranges::find_if(links_, [&](const link_state& l) {
    return (l.a == arrival_.from && l.b == arrival_.to) || (l.b == arrival_.from && l.a == arrival_.to);
  });
  return found == links_.end() ? nullptr : &*found;
}

void cable::apply_rules() {
  if (any_of(hold_rules_, arrival_)) decision_ = decision::hold;
  if (!is_injected_ && any_of(disown_rules_, arrival_) && !reset_current()) decision_ = decision::lose;
  if (any_of(lose_rules_, arrival_)) decision_ = decision::lose;
  link_state* l = link_at_hand();
  if (l == nullptr) return;
  if (l->countdown && decision_ == decision::by_rule) return count_down(*l);
  if (l->is_cut || (l->lost_share > 0 && std::uniform_real_distribution<>()(chance_) < l->lost_share))
    decision_ = decision::lose;
}

/// The link is cut with the segment that has the last byte that shall get through.
void cable::count_down(link_state& l) {
  const trace::connection* c = arrival_.connection;
  if (arrival_.from != l.countdown->from || c == nullptr || packet_.tcp.length == 0) return;
  const bool opener = c->opener.address == packet_.source;
  const std::uint64_t now = c->of(opener ? trace::side::opener : trace::side::responder).bytes;
  std::uint64_t& said = l.countdown->said[c->first.number];
  const std::uint64_t more = now - std::min(now, std::exchange(said, now));
  if (more < l.countdown->left) {
    l.countdown->left -= more;
    return;
  }
  const std::uint64_t too_many = more - l.countdown->left;
  l.countdown.reset();
  l.is_cut = true;
  evidence_.note("the link between " + l.a->name() + " and " + l.b->name() + " is cut");
  if (too_many > 0 &&
      (too_many >= packet_.tcp.length || !cut_current(packet_.tcp.length - too_many, rest::lost)))
    decision_ = decision::lose;
}

/// Decides what becomes of the frame at hand, and does it.
void cable::dispose() {
  if (decision_ == decision::by_rule) apply_rules();
  if (held_.has_rest_of(packet_) || (decision_ == decision::hold && held_.has(packet_))) {
    evidence_.became(passage::lost, "lost: a repeat of what is held on the cable");
    finish_frame(0);
  } else if (decision_ == decision::hold && receiver_) {
    evidence_.became(passage::held, "held on the cable");
    held_.push(packet_, frame_, sender_, *receiver_);
    finish_frame(0);
  } else if (decision_ == decision::reset) {
    answer_for_receiver();
    finish_frame(0);
  } else if (decision_ == decision::lose || !receiver_ || !ports_[*receiver_].connected ||
             sender_is_cut_off()) {
    lose_current();
    finish_frame(0);
  } else if (decision_ == decision::cut) {
    deliver_part();
    finish_frame(0);
  } else if (const link_state* l = link_at_hand(); l != nullptr && l->delay.count() > 0) {
    delay_current(l->delay);
    finish_frame(0);
  } else {
    finish_frame(ports_[*receiver_].interface);
  }
}

/// The sender's cable went dead while the frame was on it.
bool cable::sender_is_cut_off() const {
  return sender_ < ports_.size() &&
         (!ports_[sender_].connected || ports_[sender_].interface != sender_interface_);
}

void cable::lose_current() {
  if (!receiver_) return evidence_.became(passage::lost, "lost: no host has that address");
  const port& receiver = ports_[*receiver_];
  const link_state* l = link_at_hand();
  const bool link_is_cut = l != nullptr && l->is_cut;
  evidence_.became(passage::lost, !receiver.connected ? "lost: " + receiver.owner->name() + " is unreachable"
                                  : link_is_cut       ? "lost: the link is cut"
                                                      : "lost on the cable");
  const auto says = !receiver.connected ? receiver.answer : link_is_cut ? l->answer : std::nullopt;
  if (says && sender_ < ports_.size()) answer_as_router(*says);
}

/// It arrives later, if the receiver's cable is in by then.
void cable::delay_current(std::chrono::nanoseconds by) {
  events_.at(loop::clock::now() + by,
             [this, bytes = std::vector<std::byte>(frame_.begin(), frame_.end()), to = *receiver_] {
               if (ports_[to].connected) ring().send(bytes, ports_[to].interface);
             });
}

void cable::answer_as_router(unreachable_kind what) {
  auto answer = unreachable_answer(frame_, router_, what);
  if (answer.empty()) return;
  std::memcpy(answer.data() + 6, router_mac.data(), router_mac.size());
  events_.at(loop::clock::now() + router_delay, [this, answer = std::move(answer), to = sender_]() mutable {
    injected_.push_back({std::move(answer), to, {}});
  });
}

bool cable::cut_current(std::size_t bytes, rest what) {
  part_ = first_part(packet_, frame_, bytes);
  if (part_.empty()) return false;
  decision_ = decision::cut;
  rest_ = what;
  return true;
}

void cable::deliver_part() {
  const auto part = trace::decode(part_, trace::link::ethernet, count_, packet_.when);
  const std::size_t bytes = part ? part->tcp.length : 0;
  evidence_.became(passage::cut, "cut by the cable to the first " + std::to_string(bytes) + " of its " +
                                     std::to_string(packet_.tcp.length) + " bytes");
  evidence_.got_through(part_);
  if (rest_ == rest::held) held_.push_rest(packet_, frame_, bytes, sender_, *receiver_);
  ring().send(part_, ports_[*receiver_].interface);
}

bool cable::reset_current() {
  reset_ = reset_answer(packet_);
  if (reset_.empty()) return false;
  decision_ = decision::reset;
  return true;
}

/// At once: an RST that finds its socket busy waits for it (net/ipv4/tcp_ipv4.c,
/// tcp_add_backlog), unlike what the router says.
void cable::answer_for_receiver() {
  evidence_.became(passage::lost, "lost: a middlebox has forgotten this connection");
  if (sender_ >= ports_.size()) return;
  std::memcpy(reset_.data() + 6, router_mac.data(), router_mac.size());
  const std::string name = receiver_ ? ports_[*receiver_].owner->name() : packet_.destination.to_string();
  injected_.push_back({std::move(reset_), sender_, "this RST is a middlebox's, in the name of the " + name});
}

void cable::finish_frame(unsigned send_to_interface) {
  at_hand_ = false;
  if (!is_injected_) {
    ring().advance(send_to_interface);
  } else {
    if (send_to_interface != 0) ring().send(frame_, send_to_interface);
    injected_.pop_front();
  }
  packet_.tcp.payload = {};  // its bytes go back to the kernel
}

void cable::release() {
  hold_rules_.clear();
  lose_rules_.clear();
  for (const held_packets::one& h : held_.take_all()) let_go(h);
}

void cable::let_go(const held_packets::one& h) {
  if (h.is_part) return deliver_held(h);
  const port& receiver = ports_[h.receiver];
  if (!receiver.connected) return;
  evidence_.note("packet " + std::to_string(h.number) + ", held until now, is delivered");
  ring().send(h.frame, receiver.interface);
}

/// It is a packet of its own in the evidence: what was sent never arrived so, or not then.
void cable::deliver_held(const held_packets::one& h) {
  const port& receiver = ports_[h.receiver];
  if (!receiver.connected) return;
  evidence_.packet(++count_, experiment::now(), h.sender, h.frame);
  evidence_.note((h.is_part ? "a part of packet " : "packet ") + std::to_string(h.number) +
                 ", held until now");
  ring().send(h.frame, receiver.interface);
}

std::size_t cable::deliver(const trace::endpoint& sender, std::size_t bytes) {
  std::size_t delivered = 0;
  while (delivered < bytes) {
    const auto next = held_.take(sender, bytes - delivered);
    if (!next) break;
    const auto decoded = trace::decode(next->frame, trace::link::ethernet, next->number, {});
    if (decoded) delivered += decoded->tcp.length;
    deliver_held(*next);
  }
  ring().flush();
  return delivered;
}

}  // namespace halfopen::lab
