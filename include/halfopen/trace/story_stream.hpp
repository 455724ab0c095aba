#ifndef HALFOPEN_TRACE_STORY_STREAM_HPP
#define HALFOPEN_TRACE_STORY_STREAM_HPP

/// \file
/// Packets in, stories out: each connection's when it has ended, in memory that is bounded
/// by the connections open at one time.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "halfopen/trace/packet.hpp"
#include "halfopen/trace/story.hpp"

namespace halfopen::trace {

/// When a connection is followed no further. All times are the capture's own.
struct stream_limits {
  /// Silence after its end: late words belong to it that long. TIME_WAIT is 60 s on Linux.
  std::chrono::nanoseconds after_end = std::chrono::seconds{60};
  /// Silence after a SYN that nobody answered. Linux repeats one for 127 s (tcp_syn_retries).
  std::chrono::nanoseconds unanswered = std::chrono::seconds{150};
  /// Silence of an open connection. Keepalive's first probe comes after 2 hours.
  std::chrono::nanoseconds idle = std::chrono::hours{3};
  /// Connections held at one time, about 2 kB each: with more, the one that has been
  /// silent longest is let go. Beside it, ended ones are kept only while they are fewer
  /// than the open ones and 10,000.
  std::size_t connections = 1'000'000;
};

/// One packet of a connection, as a ladder diagram shows it.
struct step {
  std::uint64_t number = 0;
  time_point when{};
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint32_t length = 0;  ///< payload
  std::uint16_t window = 0;
  std::uint8_t flags = 0;
  side from = side::opener;  ///< of an ICMP error: whose segment is quoted
  unreachable icmp = unreachable::none;
};

/// What is known of one connection.
struct file_entry {
  std::uint64_t number = 0;  ///< in the order in which they began in the capture, from 1
  trace::story story;
  std::vector<step> steps;           ///< if they were wanted: the first and the last ones
  std::uint64_t steps_left_out = 0;  ///< between the first half of `steps` and the second
  std::string server_name;           ///< which tcp_segment::name stands for; whoever counts them sets it
};

/// A connection that is followed no further, and of which no word is made yet. To make the words takes as
/// long as a dozen of packets, and may be done in another thread.
struct untold {
  std::uint64_t number = 0;
  connection what;
  story_hints hints;
  std::vector<step> steps;
  std::uint64_t steps_left_out = 0;
  std::string server_name;

  [[nodiscard]] file_entry tell() &&;
};

/// What the packets before it say of a packet, whichever connection it belongs to.
struct packet_context {
  std::uint64_t hash = 0;  ///< of its addresses and ports, the same for both directions; of this process only
  bool copy = false;       ///< the capture holds it twice, and it is the second
  bool next_of_host = false;  ///< an RST whose IPv4 identification is the next in its sender's row
};

struct packet_in_context {
  packet what;
  packet_context context;
};

/// Takes all packets of a capture, in their order. Not thread-safe; distinct finders are independent, and
/// one may work in another thread than the stream that its contexts are for.
class context_finder {
 public:
  context_finder();
  ~context_finder();
  context_finder(context_finder&&) noexcept;
  context_finder& operator=(context_finder&&) noexcept;

  [[nodiscard]] packet_context of(const packet& p) noexcept;
  /// The same for many, faster than each alone: writes their contexts.
  void find(std::span<packet_in_context> all) noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Not thread-safe; distinct streams are independent.
class story_stream {
 public:
  using sink = std::function<void(untold&&)>;
  /// How many packets of the connection with that number to keep, at most; 0 for none.
  using keep = std::function<std::size_t(std::uint64_t number)>;

  explicit story_stream(sink to, const stream_limits& limits = {}, keep steps = {},
                        std::optional<std::uint64_t> owed_by_responder = {});
  ~story_stream();
  story_stream(story_stream&&) noexcept;
  story_stream& operator=(story_stream&&) noexcept;

  /// Takes one packet in; tells the stories that have come to an end meanwhile. Its payload is not looked
  /// at.
  void add(const packet& p);
  /// The same for many, of which one context_finder has seen all: a few dozen at one time are faster than
  /// each alone. Of one capture either all packets come this way or none.
  void add(std::span<const packet_in_context> all);
  /// Time passes without packets: for a capture that is followed while it is made.
  void advance(time_point now);
  /// The capture has ended: tells all that are left, in the order in which they began.
  void finish();

  [[nodiscard]] std::size_t held() const noexcept;       ///< connections in memory
  [[nodiscard]] std::size_t most_held() const noexcept;  ///< the most of them at one time
  [[nodiscard]] std::uint64_t begun() const noexcept;    ///< connections so far

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace halfopen::trace

#endif
