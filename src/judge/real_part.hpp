#ifndef HALFOPEN_SRC_JUDGE_REAL_PART_HPP
#define HALFOPEN_SRC_JUDGE_REAL_PART_HPP

/// \file
/// The real program as an opponent, stopped at a byte. It says what it says: nonces, certificates, whatever
/// the judged program wants. What no program can be told to do, the cable does (it delivers a part of a
/// segment, and loses or holds the rest), and a kernel that is given the connection at that byte
/// (lab::take_over).

#include <memory>

#include "halfopen/lab/fault.hpp"
#include "judge/part.hpp"
#include "judge/stage.hpp"

namespace halfopen::judge {

/// The server's program.
class real_server final : public server_part {
 public:
  /// Starts it. Throws does_not_listen. `shall_end`: the case will call die(), reset() or shut_writing().
  real_server(stage& s, bool shall_end);

  bool until_connected(milliseconds limit) override;
  bool answer_until(std::size_t, milliseconds) override { return true; }
  bool until_before_turn(std::size_t turn, milliseconds limit) override;
  bool until_idle(std::size_t turn, milliseconds limit) override;
  bool until_replied(std::size_t turn, std::size_t bytes, milliseconds limit) override;
  void go_on() override;
  void say_bytewise() override;
  void die() override;
  void reset() override;
  void shut_writing() override;
  [[nodiscard]] const trace::endpoint& peer() const override { return peer_; }
  [[nodiscard]] bool spoke_within(milliseconds limit) const override;
  [[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>> undelivered() const override;

 private:
  void take_hold();
  void know_peer();
  /// The lab's own socket in the place of the program's.
  void take_over();

  stage& stage_;
  bool shall_end_;
  trace::endpoint peer_;
  std::optional<lab::grip> grip_;
  std::optional<std::uint64_t> said_;  ///< nothing of the main connection beyond has arrived
  std::shared_ptr<bool> loses_ = std::make_shared<bool>(true);  ///< what is beyond
  lab::unique_fd own_;
  // Byte by byte: what is delivered of the main connection, and where its turn began.
  struct slow_speech {
    std::uint64_t delivered = 0, turn_began = 0, client_said = 0;
    std::chrono::steady_clock::time_point spoke{};
  };
  std::optional<slow_speech> slow_;
};

/// The client's program, started on a host.
class real_client final : public client_part {
 public:
  /// Throws no_verdict if it does not come to its request.
  real_client(stage& s, lab::host& from, const asked& request);
  ~real_client() override { *holds_ = false; }
  real_client(const real_client&) = delete;
  real_client& operator=(const real_client&) = delete;

  [[nodiscard]] const trace::endpoint& self() const override { return connection_->opener; }
  [[nodiscard]] std::vector<trace::endpoint> ends() const override;
  [[nodiscard]] const trace::connection* traffic() const override { return connection_; }
  [[nodiscard]] std::size_t said_before() const override { return said_before_; }
  [[nodiscard]] std::size_t heard_before() const override { return heard_before_; }
  [[nodiscard]] std::size_t request_size() const override { return request_size_; }
  bool say(std::size_t bytes, milliseconds limit) override;
  std::size_t ask(std::size_t, milliseconds limit) override { return say(request_size_, limit) ? 1 : 0; }
  bool ask_and_hear_it_begin(milliseconds limit) override;
  bool put_on_its_way(milliseconds limit) override;
  void say_the_rest() override;
  [[nodiscard]] bool was_read() const override;
  std::size_t hear(reply_size wanted, milliseconds limit) override;
  [[nodiscard]] bool at_end() const override;
  void close() override;
  void shut_writing() override;
  void reset() override;

 private:
  void take_over();

  stage& stage_;
  lab::host& from_;
  const trace::connection* connection_ = nullptr;
  std::optional<lab::grip> grip_;
  std::size_t said_before_ = 0, heard_before_ = 0, request_size_, delivered_ = 0;
  std::shared_ptr<bool> holds_ = std::make_shared<bool>(true);  ///< the request
  bool at_once_ = false;                                        ///< what is held is let go as it comes
  lab::unique_fd own_;
};

}  // namespace halfopen::judge

#endif
