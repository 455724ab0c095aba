#include "lab/evidence.hpp"

namespace halfopen::lab {

void evidence::packet(std::uint64_t number, trace::time_point when, std::size_t sender,
                      std::span<const std::byte> frame) {
  if (!recorder_) return;
  flush();
  latest_frame_.assign(frame.begin(), frame.end());
  latest_ =
      record{number, when, sender, latest_frame_, std::exchange(before_any_packet_, {}), passage::delivered};
}

void evidence::note(std::string what) {
  (latest_ ? latest_->notes : before_any_packet_).push_back(std::move(what));
}

void evidence::became(passage how, std::string what) {
  if (latest_) latest_->became = how;
  note(std::move(what));
}

void evidence::got_through(std::span<const std::byte> part) {
  if (!latest_) return;
  latest_frame_.assign(part.begin(), part.end());
  latest_->frame = latest_frame_;
}

std::string_view to_string(passage p) noexcept {
  switch (p) {
    case passage::delivered:
      return "delivered";
    case passage::held:
      return "held";
    case passage::cut:
      return "cut";
    case passage::lost:
      return "lost";
  }
  return "?";
}

evidence::~evidence() {
  try {
    end();
  } catch (...) {  // whoever needs the last packet's fate calls end() in time
  }
}

void evidence::end() {
  flush();
  recorder_ = nullptr;
}

void evidence::flush() {
  if (latest_ && recorder_) recorder_(*std::exchange(latest_, std::nullopt));
}

}  // namespace halfopen::lab
