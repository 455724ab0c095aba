#ifndef HALFOPEN_SRC_PLAY_PROOFS_HPP
#define HALFOPEN_SRC_PLAY_PROOFS_HPP

#include <chrono>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/trace/connection.hpp"
#include "play/check.hpp"

namespace halfopen::play {

/// Writes on a sheet what the packets of an experiment prove. Not thread-safe.
class proofs {
 public:
  /// `soon`: so long is waited for a packet that should come at once.
  proofs(lab::experiment& lab, std::vector<check>& sheet, std::chrono::milliseconds soon)
      : lab_(lab), sheet_(sheet), soon_(soon) {}

  /// Gives back whether it holds.
  bool prove(bool holds, std::string what);
  /// Waits for such a packet to be delivered.
  bool prove_after(const lab::match& which, std::string what);
  /// The same, but it is still on the cable when this returns.
  bool prove_before(const lab::match& which, std::string what);
  /// The packet at hand proves it.
  void prove_current(std::string what) { at_packet(true, std::move(what)); }
  /// A SYN from the witness to the host, which a living kernel would answer at once, is not answered.
  bool prove_unanswered(lab::host& witness, const lab::host& which);
  /// An expectation of the program.
  bool expect(bool holds, std::string what);

 private:
  bool at_packet(bool seen, std::string what);

  lab::experiment& lab_;
  std::vector<check>& sheet_;
  std::chrono::milliseconds soon_;
};

/// That side's host has not sent a segment of the connection since then.
[[nodiscard]] bool silent_since(const trace::connection& c, trace::side of, trace::time_point then) noexcept;

}  // namespace halfopen::play

#endif
