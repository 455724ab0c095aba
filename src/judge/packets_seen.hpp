#ifndef HALFOPEN_SRC_JUDGE_PACKETS_SEEN_HPP
#define HALFOPEN_SRC_JUDGE_PACKETS_SEEN_HPP

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/trace/connection.hpp"
#include "judge/recording.hpp"
#include "judge/result.hpp"

namespace halfopen::judge {

/// A segment with payload, as it left the cable.
struct data_segment {
  std::uint64_t number = 0;
  trace::time_point when{};
  std::uint32_t length = 0;
};

/// What a case keeps of its packets: for its proofs, and for the report. Not thread-safe.
class packets_seen {
 public:
  /// Before the first packet. `client` and `server` are two of the names.
  void know(std::map<trace::ip_address, std::string> names, const trace::ip_address& client,
            const trace::ip_address& server);

  /// For lab::options::recorder.
  void take(const lab::record& r);

  /// Segments with payload of a side of the connection that got through, repeats too.
  [[nodiscard]] std::vector<data_segment> segments(const trace::endpoint& opener, trace::side of) const;
  /// The maximum segment sizes that the SYNs of the client's connections offered, either way.
  [[nodiscard]] const std::vector<std::uint16_t>& offered_mss() const noexcept { return offered_mss_; }
  /// What that client's end said, as far as it got through.
  [[nodiscard]] std::string said_by(const trace::endpoint& opener, std::size_t most = SIZE_MAX) const {
    return heard_.said_by(opener, most);
  }

  /// What every client's end said, the same.
  [[nodiscard]] const recorder& heard() const noexcept { return heard_; }

  /// Of a moment, from the first packet on; nothing if there was none.
  [[nodiscard]] std::optional<double> milliseconds_at(trace::time_point when) const;
  /// For the report: of very many the first thousand and the last. At the end.
  [[nodiscard]] std::vector<seen_packet> give();

 private:
  struct segment : data_segment {
    trace::endpoint opener;
    trace::side of{};
  };
  void note_segment(const trace::packet& p);

  std::map<trace::ip_address, std::string> names_;
  trace::ip_address client_, server_;
  recorder heard_;
  std::vector<segment> segments_;
  std::vector<std::uint16_t> offered_mss_;
  std::deque<seen_packet> first_ones_, last_ones_;
  std::optional<trace::time_point> first_;
};

}  // namespace halfopen::judge

#endif
