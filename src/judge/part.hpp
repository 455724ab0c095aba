#ifndef HALFOPEN_SRC_JUDGE_PART_HPP
#define HALFOPEN_SRC_JUDGE_PART_HPP

/// \file
/// The peer's part in a case, played to an exact byte: by the recording (replay.hpp), or by the real program
/// with what the cable and the kernel can do to it (real_part.hpp). A case asks for places and ends, and does
/// not know which of the two plays.

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "halfopen/trace/connection.hpp"

namespace halfopen::judge {

using std::chrono::milliseconds;

/// So much of a turn is said byte by byte.
inline constexpr std::size_t single_bytes = 512;

/// A reply is as long as it was before, or as it was in another run without a fault.
struct reply_size {
  std::size_t least = 0, most = 0;
};

/// The server's part, in a case about a client. Turns are those of the main connection (recording.hpp).
class server_part {
 public:
  virtual ~server_part() = default;

  // Answers until the main connection has come to a place, and stops there; false if it did not within the
  // limit.

  virtual bool until_connected(milliseconds limit) = 0;
  /// Answers what comes before that turn, which is not the first; a program does so by itself.
  virtual bool answer_until(std::size_t turn, milliseconds limit) { return until_before_turn(turn, limit); }
  /// Before the client's first byte of that turn.
  virtual bool until_before_turn(std::size_t turn, milliseconds limit) = 0;
  /// The same, and the client pauses there.
  virtual bool until_idle(std::size_t turn, milliseconds limit) { return until_before_turn(turn, limit); }
  /// So many bytes of the reply to that request have arrived at the client's host, and no more will. With 0
  /// the request is acknowledged.
  virtual bool until_replied(std::size_t turn, std::size_t bytes, milliseconds limit) = 0;

  /// Answers what can be answered now.
  virtual void go_on() = 0;
  /// From now on each of the first 512 bytes of a turn of the server's is a segment of its own, sent in
  /// go_on() when the client's program has read the one before: more prove nothing new, and each takes a
  /// round trip.
  virtual void say_bytewise() = 0;
  /// SIGKILL, as the kernel sees it: all sockets are closed, with FIN, or RST where data was unread.
  virtual void die() = 0;
  /// RST on the main connection; the others and the listener are closed.
  virtual void reset() = 0;
  /// FIN on the main connection, which still hears.
  virtual void shut_writing() = 0;

  /// The other end of the main connection, once there is one.
  [[nodiscard]] virtual const trace::endpoint& peer() const = 0;
  /// The latest byte was sent by the judge within that time.
  [[nodiscard]] virtual bool spoke_within(milliseconds limit) const = 0;
  /// Where the judge has not said a turn to its end, though the client has read all that came so far: how
  /// many bytes of how many.
  [[nodiscard]] virtual std::optional<std::pair<std::size_t, std::size_t>> undelivered() const = 0;

 protected:
  server_part() = default;
  server_part(server_part&&) = default;
  server_part& operator=(server_part&&) = default;
};

/// The client's part, in a case about a server: all before its request is said and answered, and nothing of
/// the request.
class client_part {
 public:
  virtual ~client_part() = default;

  /// The main connection's end, and those of all its connections.
  [[nodiscard]] virtual const trace::endpoint& self() const = 0;
  [[nodiscard]] virtual std::vector<trace::endpoint> ends() const = 0;
  [[nodiscard]] virtual const trace::connection* traffic() const = 0;
  /// What the two had said before the request, in bytes.
  [[nodiscard]] virtual std::size_t said_before() const = 0;
  [[nodiscard]] virtual std::size_t heard_before() const = 0;
  [[nodiscard]] virtual std::size_t request_size() const = 0;

  /// Until the first `bytes` of the request, and no more, are acknowledged; false if they are not within the
  /// limit.
  virtual bool say(std::size_t bytes, milliseconds limit) = 0;
  /// Says the whole request so often, if it can: a program asks once. How often; all is acknowledged.
  virtual std::size_t ask(std::size_t times, milliseconds limit) = 0;
  /// Asks, and of the reply no more than its beginning comes.
  virtual bool ask_and_hear_it_begin(milliseconds limit) = 0;
  /// The whole request is on the cable, and none of it arrives before say_the_rest().
  virtual bool put_on_its_way(milliseconds limit) = 0;
  /// Lets the rest of it go, and does not wait.
  virtual void say_the_rest() = 0;
  /// The server's program has read all that its kernel has.
  [[nodiscard]] virtual bool was_read() const = 0;
  /// Bytes of the reply that came, until there are so many, the other side's end, or the limit; from `least`
  /// bytes on, silence of 150 ms is enough.
  virtual std::size_t hear(reply_size wanted, milliseconds limit) = 0;
  /// FIN or RST came.
  [[nodiscard]] virtual bool at_end() const = 0;

  /// As a process that ends.
  virtual void close() = 0;
  virtual void shut_writing() = 0;
  virtual void reset() = 0;

 protected:
  client_part() = default;
  client_part(client_part&&) = default;
  client_part& operator=(client_part&&) = default;
};

}  // namespace halfopen::judge

#endif
