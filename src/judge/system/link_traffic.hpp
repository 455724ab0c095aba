#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_LINK_TRAFFIC_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_LINK_TRAFFIC_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/trace/connection.hpp"
#include "judge/decide/outage.hpp"

namespace halfopen::judge {

/// What became of a connection, in times from the fault on.
[[nodiscard]] dependency_connection told_of(const trace::connection& c, trace::time_point fault);

/// The packets between a service and its dependency, as far as a verdict needs them. Not thread-safe.
class link_traffic {
 public:
  /// `hosts`: how many there are; what comes from beyond them a middlebox says in the name of one.
  /// `also_dependency`: the host to which its name may move; empty: none.
  void know(const trace::ip_address& service, const trace::ip_address& dependency,
            std::optional<trace::ip_address> also_dependency, std::size_t hosts);

  /// For lab::options::recorder.
  void take(const lab::record& r);

  /// Packets between the service and the host that the dependency was at first that were sent after that
  /// moment and arrived, either way; the cable had them in hand no later than that packet, for it may lag
  /// behind.
  [[nodiscard]] std::size_t delivered(trace::time_point from, std::uint64_t until_packet) const;
  /// Packets with payload that the dependency sent in that time.
  [[nodiscard]] std::size_t said_by_dependency(trace::time_point from, trace::time_point until) const;
  /// Packets of the connections that these opened that arrived since then.
  [[nodiscard]] std::size_t delivered_on(const std::vector<trace::endpoint>& openers,
                                         trace::time_point since) const;
  /// Packets that the service sent in that time, whatever became of them.
  [[nodiscard]] std::size_t sent_by_service(trace::time_point since, trace::time_point until) const;
  /// The openers of connections on which the service said something new since that moment, each with whether
  /// something of the dependency's arrived after it.
  [[nodiscard]] std::map<trace::endpoint, bool> said_on(trace::time_point since) const;
  /// The first use of each of these connections after the dependency had ended it with a FIN that arrived, if
  /// an RST was the answer; by when it was used.
  [[nodiscard]] std::vector<stale_use> stale_uses(const std::vector<const trace::connection*>& all,
                                                  trace::time_point fault) const;
  /// Packets with payload that arrived since then, from both sides.
  [[nodiscard]] bool spoke_since(trace::time_point since) const;
  /// None was left out for want of room.
  [[nodiscard]] bool is_complete() const noexcept { return complete_; }

  /// What the service said since that moment, figures apart, each different thing once, the earliest first.
  [[nodiscard]] std::vector<std::string> said(trace::time_point since) const;
  /// How often the service said that, figures apart, since then, each time on new bytes of a connection. Of
  /// those only the ones count that the dependency's kernel acknowledged, and not by an RST alone: a program
  /// that dies with bytes unread resets the connection and acknowledges them too (tcp_send_active_reset() in
  /// net/ipv4/tcp_output.c), and nothing was done of what it never read.
  struct repeats {
    std::size_t arrived = 0;
    std::uint64_t first = 0, last = 0;  ///< packets
  };
  [[nodiscard]] repeats requests_like(const std::string& shape, trace::time_point since) const;

 private:
  struct segment {
    std::uint64_t number = 0;
    trace::time_point when;
    bool by_service = false;
    bool arrived = false;
    bool of_spare = false;
    trace::endpoint opener;
    std::uint32_t sequence = 0, length = 0;
    std::optional<std::uint32_t> acknowledges;  ///< of the dependency's, but for an RST's
    std::string shape;                          ///< of what the service said
  };
  [[nodiscard]] bool is_dependency(const trace::ip_address& a) const;

  trace::ip_address service_, dependency_;
  std::optional<trace::ip_address> also_;
  std::size_t hosts_ = 0;
  bool complete_ = true;
  std::vector<segment> segments_;
};

}  // namespace halfopen::judge

#endif
