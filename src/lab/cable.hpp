#ifndef HALFOPEN_SRC_LAB_CABLE_HPP
#define HALFOPEN_SRC_LAB_CABLE_HPP

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/evidence.hpp"
#include "lab/held_packets.hpp"
#include "lab/loop.hpp"
#include "lab/netlink.hpp"
#include "lab/packet_ring.hpp"

namespace halfopen::lab {

/// The network namespace in which the outer ends of the hosts' cables are.
struct cable_room {
  packet_ring ring;
  unsigned next_interface = 10;
};

/// What the packets between two hosts meet, either way.
struct link_state {
  const host* a = nullptr;
  const host* b = nullptr;
  bool is_cut = false;
  std::optional<unreachable_kind> answer{};  ///< what the router says while it is
  std::chrono::nanoseconds delay{};
  double lost_share = 0;
  /// It will be cut once that host has said so many bytes more.
  struct last_bytes {
    const host* from = nullptr;
    std::uint64_t left = 0;
    std::map<std::uint64_t, std::uint64_t> said;  ///< so far, by its connections' first packets
  };
  std::optional<last_bytes> countdown{};
};

/// The wire between the hosts: every packet passes through pump(), one at a
/// time, and is recorded, counted into its connection, judged and delivered.
class cable {
 public:
  /// Where a host is plugged in.
  struct port {
    const host* owner = nullptr;
    trace::ip_address address;
    mac_address mac{};
    unsigned interface = 0;  ///< 0: nothing is plugged in
    bool connected = false;
    std::optional<unreachable_kind> answer;  ///< what the router says while it is not
  };

  cable(loop& events, trace::ip_address router, std::function<void(const record&)> recorder);
  ~cable();
  cable(const cable&) = delete;
  cable& operator=(const cable&) = delete;

  std::size_t add_port(const port& p);
  port& at(std::size_t index) { return ports_.at(index); }

  enum class stop { never, before_delivery, after_delivery };
  enum class pumped { all, some, until_match };
  /// Lets what waits go across, at most until a packet matches, and for at most a
  /// few hundred packets: while they keep coming, other things must have their turn.
  pumped pump(stop when, const match* which);
  /// After a packet: the next one may come at once (packet_ring.cpp).
  void linger() const noexcept { ring().linger(); }
  [[nodiscard]] int descriptor() const noexcept { return ring().descriptor(); }
  /// An index that no interface at this cable had before.
  [[nodiscard]] unsigned new_interface() noexcept { return room_->next_interface++; }

  [[nodiscard]] bool has_current() const noexcept { return at_hand_; }
  void drop_current() { decision_ = decision::lose; }
  void hold_current() { decision_ = decision::hold; }
  /// False if it is no segment that can be cut there.
  bool cut_current(std::size_t bytes, rest what);
  /// False if there is no RST that answers it.
  bool reset_current();
  void hold(match which) { hold_rules_.push_back(std::move(which)); }
  void lose(match which) { lose_rules_.push_back(std::move(which)); }
  void release();
  /// See experiment::deliver().
  std::size_t deliver(const trace::endpoint& sender, std::size_t bytes);
  /// Of what that end has said and is held, nothing will arrive.
  void lose_held(const trace::endpoint& sender) { held_.drop(sender); }
  /// Packets that match from now on are answered by a middlebox with an RST, in the receiver's name.
  void disown(match which) { disown_rules_.push_back(std::move(which)); }
  /// Of those two; made at the first question.
  link_state& link(const host& a, const host& b);
  /// Null if nobody asked yet: nothing is wrong with it.
  [[nodiscard]] const link_state* known_link(const host& a, const host& b) const;
  /// From now on no SYN offers a larger segment size.
  void clamp_mss(std::optional<std::uint16_t> most) noexcept { most_mss_ = most; }

  void note(std::string what) { evidence_.note(std::move(what)); }

  void end_recording() { evidence_.end(); }

  [[nodiscard]] const trace::tracker& traffic() const noexcept { return traffic_; }
  [[nodiscard]] std::uint64_t packets() const noexcept { return count_; }
  [[nodiscard]] loop::clock::time_point last_packet() const noexcept { return last_packet_; }
  [[nodiscard]] const trace::packet& current() const noexcept { return packet_; }
  [[nodiscard]] const trace::connection* current_connection() const noexcept { return arrival_.connection; }
  [[nodiscard]] std::uint64_t overflowed() { return ring().overflowed() - overflowed_before_; }

 private:
  enum class decision { by_rule, lose, hold, cut, reset };
  struct injected {
    std::vector<std::byte> bytes;
    std::size_t receiver;
    std::string note;
  };
  [[nodiscard]] packet_ring& ring() const noexcept { return room_->ring; }
  bool next_frame();
  bool take_in(std::span<std::byte> frame, trace::time_point when);
  void dispose();
  [[nodiscard]] bool sender_is_cut_off() const;
  [[nodiscard]] link_state* link_at_hand();
  void count_down(link_state& l);
  void apply_rules();
  void lose_current();
  void delay_current(std::chrono::nanoseconds by);
  void answer_as_router(unreachable_kind what);
  void deliver_part();
  void let_go(const held_packets::one& h);
  void deliver_held(const held_packets::one& h);
  void answer_for_receiver();
  void finish_frame(unsigned send_to_interface);
  std::optional<std::size_t> port_with(const trace::ip_address& address) const;

  loop& events_;
  trace::ip_address router_;
  std::unique_ptr<cable_room> room_;
  evidence evidence_;
  trace::tracker traffic_;
  std::vector<port> ports_;
  std::vector<match> hold_rules_, lose_rules_, disown_rules_;
  std::vector<link_state> links_;
  std::minstd_rand chance_;
  held_packets held_;
  std::deque<injected> injected_;  // what the router and a middlebox say
  std::optional<std::uint16_t> most_mss_;

  // The frame at hand, between its arrival and its delivery.
  bool at_hand_ = false;
  bool is_injected_ = false;
  std::span<std::byte> frame_;
  std::size_t sender_ = 0;
  unsigned sender_interface_ = 0;
  std::optional<std::size_t> receiver_;
  trace::packet packet_;
  arrival arrival_;
  decision decision_ = decision::by_rule;
  std::vector<std::byte> part_;   // what the receiver gets if that is `cut`
  rest rest_ = rest::lost;        // ... and what becomes of the rest
  std::vector<std::byte> reset_;  // what the sender gets if that is `reset`
  std::uint64_t count_ = 0;
  std::uint64_t overflowed_before_;
  loop::clock::time_point last_packet_ = loop::clock::now();
};

}  // namespace halfopen::lab

#endif
