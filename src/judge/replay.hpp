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
#include "judge/part.hpp"
#include "judge/recording.hpp"

namespace halfopen::judge {

/// The server's program has read all that came on the connection.
[[nodiscard]] bool server_has_read(const lab::host& server, const trace::connection& c);

/// Plays the client's part on one connection. Destroyed, it closes as a process does that ends.
class stand_in_client final : public client_part {
 public:
  /// Connects; throws lab::error if the server does not answer the handshake.
  stand_in_client(lab::host& from, lab::host& server, std::uint16_t port, const recorded_connection& script);

  /// This end's address and port.
  [[nodiscard]] const trace::endpoint& self() const noexcept override { return self_; }
  [[nodiscard]] std::vector<trace::endpoint> ends() const override { return {self_}; }
  [[nodiscard]] bool was_read() const override;
  [[nodiscard]] const trace::connection* traffic() const override;

  /// Plays everything before the request; false if the server does not answer it.
  bool until_request(milliseconds limit);
  /// The request's bytes; empty if the client says nothing that is answered.
  [[nodiscard]] const std::string& request() const noexcept { return request_; }
  /// What the server had said before the request, and the client too, in bytes.
  [[nodiscard]] std::size_t heard_before() const noexcept override { return heard_before_; }
  [[nodiscard]] std::size_t said_before() const noexcept override { return said_before_; }
  [[nodiscard]] std::size_t request_size() const noexcept override { return request_.size(); }
  [[nodiscard]] std::size_t said_so_far() const noexcept { return said_; }

  /// Sends, and waits until it is acknowledged; false if it is not within the limit.
  bool send(std::string_view bytes, milliseconds limit = std::chrono::seconds(5));
  /// Hands as much to the kernel as it takes at once; the number of bytes.
  std::size_t push(std::string_view bytes);
  bool say(std::size_t bytes, milliseconds limit) override;
  std::size_t ask(std::size_t times, milliseconds limit) override;
  bool ask_and_hear_it_begin(milliseconds limit) override;
  bool put_on_its_way(milliseconds limit) override;
  void say_the_rest() override;
  std::size_t hear(reply_size wanted, milliseconds limit) override { return receive(wanted, limit).size(); }
  /// Adds to what came until that many bytes are there, the other side's end, or the limit;
  /// from `least` bytes on, silence of 150 ms is enough.
  std::string receive(reply_size wanted, milliseconds limit);
  [[nodiscard]] bool at_end() const noexcept override { return at_end_; }  ///< FIN or RST was read
  [[nodiscard]] bool was_reset() const noexcept { return reset_; }         ///< RST was read

  void close() override { socket_.reset(); }
  void shut_writing() override;
  /// Closes with an RST.
  void reset() override;
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

 private:
  bool take(std::string& into, std::size_t most);

  lab::host& from_;
  lab::host& to_;
  lab::unique_fd socket_;
  trace::endpoint self_;
  std::vector<turn> before_;
  std::string request_;
  std::size_t heard_before_ = 0, said_before_ = 0, said_ = 0;
  bool at_end_ = false, reset_ = false;
  std::shared_ptr<bool> holds_ = std::make_shared<bool>(false);  ///< what it says stays on the cable
};

/// Plays the server's part on every connection that comes: the first as the first recorded
/// one, and so on; more than were recorded, as the main one. It moves only in its own
/// functions. Destroyed, it closes as a process does that ends.
class stand_in_server final : public server_part {
 public:
  stand_in_server(lab::host& on, const recording& script, int backlog = 128);

  bool until_connected(milliseconds limit) override;
  /// It does not wait until the last answer is acknowledged: the client's next bytes may do that.
  bool answer_until(std::size_t turn_index, milliseconds limit) override;
  bool until_before_turn(std::size_t turn_index, milliseconds limit) override;
  bool until_replied(std::size_t turn_index, std::size_t bytes, milliseconds limit) override;
  /// Until the condition holds, everything is answered.
  bool until(const std::function<bool()>& condition, milliseconds limit);

  void go_on() override {
    stop_.reset();
    move();
  }

  void say_bytewise() noexcept override { how_ = cut::bytes; }
  /// Each segment of the recording is one again, sent when the one before was read.
  void say_in_segments() noexcept { how_ = cut::segments; }

  /// The client's turn with that index on the main connection is never answered.
  void withhold_reply_to(std::size_t turn_index) noexcept { withheld_ = turn_index; }

  [[nodiscard]] bool spoke_within(milliseconds limit) const override;
  [[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>> undelivered() const override;

  void die() override;
  void reset() override;
  void shut_writing() override;
  /// The listener is closed; the connections live on.
  void stop_listening() { listener_.reset(); }
  [[nodiscard]] const trace::endpoint& peer() const noexcept override { return peer_; }
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
  bool until_place(place where, milliseconds limit, bool acknowledged = true);
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
