#ifndef HALFOPEN_LAB_MATCH_HPP
#define HALFOPEN_LAB_MATCH_HPP

/// \file
/// Which packet? A fault is tied to a place in the stream with these, never to a
/// sleep: before(from(server) && payload()), after(acked(client, 100)).

#include <concepts>
#include <cstdint>
#include <functional>
#include <utility>

#include "halfopen/trace/connection.hpp"

namespace halfopen::lab {

class host;

/// A packet that has just come out of a host and is at the cable.
struct arrival {
  const trace::packet* packet = nullptr;
  /// Its connection, this packet counted in; null for anything but TCP.
  const trace::connection* connection = nullptr;
  const host* from = nullptr;
  const host* to = nullptr;  ///< null if no host has that address
};

/// A condition on a packet. Combine with &&, || and !.
class match {
 public:
  using condition = std::function<bool(const arrival&)>;
  template <class Condition>
    requires std::predicate<Condition&, const arrival&>
  match(Condition c) : condition_(std::move(c)) {}  // NOLINT: a lambda is a match
  bool operator()(const arrival& a) const { return condition_(a); }

 private:
  condition condition_;
};

[[nodiscard]] match operator&&(match a, match b);
[[nodiscard]] match operator||(match a, match b);
[[nodiscard]] match operator!(match a);

[[nodiscard]] match any();
[[nodiscard]] match from(const host& sender);
[[nodiscard]] match to(const host& receiver);
[[nodiscard]] match to_port(std::uint16_t port);  ///< either direction of that server port
[[nodiscard]] match flags(std::uint8_t all_of);   ///< trace::tcp_flag bits, all set
[[nodiscard]] match syn();                        ///< SYN without ACK
[[nodiscard]] match syn_ack();
[[nodiscard]] match fin();
[[nodiscard]] match reset();
[[nodiscard]] match payload();  ///< carries at least a byte
[[nodiscard]] match icmp();
[[nodiscard]] match on(const trace::endpoint& opener);  ///< of the connection that was opened from there
[[nodiscard]] match later_than(std::uint64_t number);   ///< a packet that came out of its host after that one
/// With this packet the host has said at least `bytes` payload bytes on the connection.
[[nodiscard]] match said(const host& who, std::uint64_t bytes);
/// With this packet at least `bytes` of what the host said are acknowledged.
[[nodiscard]] match acked(const host& who, std::uint64_t bytes);
/// The ACK of this host's FIN.
[[nodiscard]] match fin_acked(const host& who);
/// A segment that repeats what was already sent.
[[nodiscard]] match retransmission(const host& who);

}  // namespace halfopen::lab

#endif
