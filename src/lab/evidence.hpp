#ifndef HALFOPEN_SRC_LAB_EVIDENCE_HPP
#define HALFOPEN_SRC_LAB_EVIDENCE_HPP

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"

namespace halfopen::lab {

/// Hands packets to the recorder one packet late, so that what is done at a
/// packet can still be noted on it.
class evidence {
 public:
  explicit evidence(std::function<void(const record&)> recorder) : recorder_(std::move(recorder)) {}
  ~evidence();
  evidence(const evidence&) = delete;
  evidence& operator=(const evidence&) = delete;

  void packet(std::uint64_t number, trace::time_point when, std::size_t sender,
              std::span<const std::byte> frame);
  void note(std::string what);
  /// What became of the latest packet, and how it is said.
  void became(passage how, std::string what);
  /// Of the latest packet only this part got through: that is what a capture behind the cable has.
  void got_through(std::span<const std::byte> part);
  /// Hands over the last packet. Nothing is recorded after that.
  void end();

 private:
  void flush();

  std::function<void(const record&)> recorder_;
  std::optional<record> latest_;
  std::vector<std::byte> latest_frame_;
  std::vector<std::string> before_any_packet_;
};

}  // namespace halfopen::lab

#endif
