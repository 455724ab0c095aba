#include "play/proofs.hpp"

namespace halfopen::play {

bool proofs::prove(bool holds, std::string what) {
  sheet_.push_back({std::move(what), holds, true, {}});
  return holds;
}

bool proofs::at_packet(bool seen, std::string what) {
  sheet_.push_back({std::move(what), seen, true, {}});
  if (seen) sheet_.back().packet = lab_.current().number;
  return seen;
}

bool proofs::prove_after(const lab::match& which, std::string what) {
  return at_packet(lab_.after(which, soon_), std::move(what));
}

bool proofs::prove_before(const lab::match& which, std::string what) {
  return at_packet(lab_.before(which, soon_), std::move(what));
}

bool proofs::expect(bool holds, std::string what) {
  sheet_.push_back({std::move(what), holds, false, {}});
  return holds;
}

bool silent_since(const trace::connection& c, trace::side of, trace::time_point then) noexcept {
  const auto& last = c.of(of).last_heard;
  return !last || last->when <= then;
}

}  // namespace halfopen::play
