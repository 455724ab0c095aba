#ifndef HALFOPEN_SRC_JUDGE_LOSS_HPP
#define HALFOPEN_SRC_JUDGE_LOSS_HPP

/// \file
/// How a peer is lost, and what proves that it was. The faults themselves are in src/lab/faults/.

#include <vector>

#include "halfopen/trace/connection.hpp"
#include "judge/decide/finding.hpp"
#include "judge/moment.hpp"
#include "judge/part.hpp"

namespace halfopen::judge {

class stage;

/// A peer to be lost, once. Lives as long as the case's script.
class lost_peer {
 public:
  /// `part`: plays the server's part, if the case stops it at a place of its own.
  lost_peer(stage& s, loss how, subject who, server_part* part = nullptr);

  /// Does it, at this moment.
  void lose();
  /// Waits for the packets that prove it, if there will be some at once.
  void prove_at_once();
  /// At the end: silence is proved by what never came.
  void prove_silence();

  /// It lives on, and goes on answering.
  [[nodiscard]] bool lives_on() const noexcept { return how_ == loss::forgotten || how_ == loss::disowned; }

 private:
  /// What the host had said on a connection when it was lost.
  struct before {
    const trace::connection* on = nullptr;
    bool was_open = false;  ///< established, and the host had not ended its side
    bool was_reset = false;
  };
  void do_it();
  void stop();
  [[nodiscard]] lab::match of_the_part() const;
  void prove_gone();

  stage& stage_;
  loss how_;
  lab::host& host_;
  trace::side side_;
  server_part* part_;
  std::vector<before> before_;
  bool done_ = false;
};

}  // namespace halfopen::judge

#endif
