#include "play/proofs.hpp"

#include <poll.h>

#include <optional>

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

bool proofs::prove_unanswered(lab::host& witness, const lab::host& which) {
  constexpr std::uint16_t nobodys_port = 1;
  const lab::unique_fd probe = witness.begin_to_connect(which, nobodys_port);
  const auto answered = [&] {
    pollfd ready{probe.get(), POLLOUT, 0};
    return ::poll(&ready, 1, 0) > 0;
  };
  std::optional<std::uint64_t> asking;
  const bool asked = lab_.after(lab::from(witness) && lab::syn() && lab::to_port(nobodys_port), soon_);
  if (asked) asking = lab_.current().number;
  const bool silent = !lab_.until(answered, std::chrono::milliseconds(300));
  prove(asked && silent, "a SYN to the " + which.name() + "'s host is not answered");
  sheet_.back().packet = asking;
  return asked && silent;
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
