#ifndef HALFOPEN_SRC_JUDGE_REPLAY_HPP
#define HALFOPEN_SRC_JUDGE_REPLAY_HPP

/// \file
/// The recording as an opponent: a client and a server that say what was said when nothing
/// was wrong, on sockets of the lab's own, on the real kernel TCP of the host whose part
/// they play. They stop at any byte, which no real program can be told to do.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "judge/recording.hpp"

namespace halfopen::judge {

using std::chrono::milliseconds;

/// A reply is as long as it was before, or as it was in another run without a fault.
struct reply_size {
  std::size_t least = 0, most = 0;
};

/// Plays the client's part on one connection. Destroyed, it closes as a process does that ends.
class stand_in_client {
 public:
  /// Connects; throws lab::error if the server does not answer the handshake.
  stand_in_client(lab::host& from, lab::host& server, std::uint16_t port, const recorded_connection& script);

  /// This end's address and port.
  [[nodiscard]] const trace::endpoint& self() const noexcept { return self_; }
  /// The server's program has read all that its kernel has.
  [[nodiscard]] bool was_read() const;
  [[nodiscard]] const trace::connection* traffic() const;

  /// Plays everything before the request; false if the server does not answer it.
  bool until_request(milliseconds limit);
  /// The request's bytes; empty if the client says nothing that is answered.
  [[nodiscard]] const std::string& request() const noexcept { return request_; }
  /// What the server had said before the request, and the client too, in bytes.
  [[nodiscard]] std::size_t heard_before() const noexcept { return heard_before_; }
  [[nodiscard]] std::size_t said_so_far() const noexcept { return said_; }

  /// Sends, and waits until it is acknowledged; false if it is not within the limit.
  bool send(std::string_view bytes, milliseconds limit = std::chrono::seconds(5));
  /// Hands as much to the kernel as it takes at once; the number of bytes.
  std::size_t push(std::string_view bytes);
  /// The same, one byte a segment and a read: each is sent when the one before was read by the
  /// server's program. Gives the number of bytes that were; it stops where none is read for that long.
  std::size_t send_bytewise(std::string_view bytes, milliseconds limit);
  /// Adds to what came until that many bytes are there, the other side's end, or the limit;
  /// from `least` bytes on, silence of 150 ms is enough.
  std::string receive(reply_size wanted, milliseconds limit);
  [[nodiscard]] bool at_end() const noexcept { return at_end_; }    ///< FIN or RST was read
  [[nodiscard]] bool was_reset() const noexcept { return reset_; }  ///< RST was read

  void close() { socket_.reset(); }
  void shut_writing();
  /// Closes with an RST.
  void reset();
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

 private:
  bool take(std::string& into, std::size_t most);

  lab::host& from_;
  lab::host& to_;
  lab::unique_fd socket_;
  trace::endpoint self_;
  std::vector<turn> before_;
  std::string request_;
  std::size_t heard_before_ = 0, said_ = 0;
  bool at_end_ = false, reset_ = false;
};

/// Plays the server's part on every connection that comes: the first as the first recorded
/// one, and so on; more than were recorded, as the main one. It moves only in its own
/// functions. Destroyed, it closes as a process does that ends.
class stand_in_server {
 public:
  stand_in_server(lab::host& on, const recording& script, int backlog = 128);

  // Answers until the main connection has come to a place, and stops there; false if it did
  // not within the limit.

  bool until_connected(milliseconds limit);
  /// Before the client's first byte of that turn.
  bool until_before_turn(std::size_t turn_index, milliseconds limit);
  /// That request (a turn of the main connection) was read, and nothing of the reply is said.
  bool until_request(std::size_t turn_index, milliseconds limit);
  /// That many bytes of its reply have arrived at the client's host, and no more are sent.
  bool until_replied(std::size_t turn_index, std::size_t bytes, milliseconds limit);
  /// Until the condition holds, everything is answered.
  bool until(const std::function<bool()>& condition, milliseconds limit);

  /// Answers what can be answered now.
  void go_on() {
    stop_.reset();
    move();
  }

  /// Each of the first 512 bytes of a turn of the server's is a segment of its own, sent when the
  /// client's program has read the one before: more prove nothing new, and each takes a round trip.
  void say_bytewise() noexcept { how_ = cut::bytes; }
  /// Each segment of the recording is one again, sent when the one before was read.
  void say_in_segments() noexcept { how_ = cut::segments; }

  /// The client's turn with that index on the main connection is never answered.
  void withhold_reply_to(std::size_t turn_index) noexcept { withheld_ = turn_index; }

  /// The latest byte was sent within that time.
  [[nodiscard]] bool spoke_within(milliseconds limit) const;
  /// Where a turn of the server's is not said to its end, though the client has read all that came
  /// so far: how many bytes of how many.
  [[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>> undelivered() const;

  /// SIGKILL, as the kernel sees it: all sockets are closed, with FIN, or RST where data was unread.
  void die();
  /// RST on the main connection; the others and the listener are closed.
  void reset();
  /// FIN on the main connection, which still hears.
  void shut_writing();
  /// The listener is closed; the connections live on.
  void stop_listening() { listener_.reset(); }
  /// The other end of the main connection, once there is one.
  [[nodiscard]] const trace::endpoint& peer() const noexcept { return peer_; }
  [[nodiscard]] std::size_t connections() const noexcept { return live_.size(); }
  /// Becomes true when something was said that is not in the recording: what was answered need not fit.
  [[nodiscard]] std::shared_ptr<const bool> guesses() const noexcept { return guessed_; }

 private:
  struct live {
    lab::unique_fd socket;
    const recorded_connection* script = nullptr;
    std::size_t turn = 0, done = 0;  ///< in the turn: bytes read or sent
    std::chrono::steady_clock::time_point heard = std::chrono::steady_clock::now();
    bool main = false, extra = false;  ///< extra: more connections than were recorded
    trace::endpoint peer;
  };
  enum class cut : std::uint8_t { nowhere, segments, bytes };
  struct place {
    std::size_t turn = 0, done = 0;
  };
  bool until_place(place where, milliseconds limit);
  void move();
  void accept_all();
  void play(live& c);
  void find_turn(live& c);
  void find_script(live& c);
  void give(live& c, const recorded_connection* script);
  [[nodiscard]] bool all_was_acknowledged() const;
  [[nodiscard]] bool was_read(const live& c) const;
  [[nodiscard]] std::size_t end_of_piece(const live& c, const turn& t) const;
  bool listen_to(live& c);
  bool speak(live& c);
  [[nodiscard]] bool stops(const live& c) const;
  [[nodiscard]] live* main();

  lab::host& on_;
  const recording& script_;
  lab::unique_fd listener_;
  std::vector<live> live_;
  std::optional<place> stop_;
  trace::endpoint peer_;
  cut how_ = cut::nowhere;
  std::optional<std::size_t> withheld_;
  std::shared_ptr<bool> guessed_ = std::make_shared<bool>(false);
  int unread_pieces_ = 0;  ///< the client does not read what it could
  std::chrono::steady_clock::time_point spoke_{};
};

}  // namespace halfopen::judge

#endif
