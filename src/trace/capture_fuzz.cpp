// Any bytes, taken for a capture file and told to the end: the reader of both formats, the
// decoder, the stream of stories with limits so small that connections are let go, and
// what is told of them. The first byte chooses how the source hands out the rest: whole,
// or in pieces, as a pipe does.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>

#include "halfopen/trace/capture.hpp"
#include "halfopen/trace/story_stream.hpp"

namespace halfopen::trace {

int tell_capture(std::span<const std::byte> rest);  // corpus_test.cpp calls it too

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const file_entry& c) {
  const story& s = c.story;
  require(c.number > 0);
  require(!s.why.empty());
  require(s.ended == (s.by != culprit::unknown));
  require(std::ranges::is_sorted(s.proof));
  require(!describe(s).empty());
  require(!zeek_conn_state(s.what).empty());
  require(c.steps.size() <= 8);
  require(std::ranges::is_sorted(c.steps, {}, &step::number));
}

}  // namespace

int tell_capture(std::span<const std::byte> rest) {
  if (rest.empty()) return 0;
  const std::size_t piece = 1 + std::to_integer<std::size_t>(rest[0]) * 7;
  rest = rest.subspan(1);
  capture_reader reader{[&](std::span<std::byte> into) -> std::expected<std::size_t, std::string> {
    const std::size_t size = std::min({piece, rest.size(), into.size()});
    require(!into.empty());
    std::memcpy(into.data(), rest.data(), size);
    rest = rest.subspan(size);
    return size;
  }};
  std::uint64_t told = 0;
  story_stream stories{[&](untold&& c) {
                         check(std::move(c).tell());
                         ++told;
                       },
                       {.connections = 8},
                       [](std::uint64_t) { return 8; }};
  std::uint64_t frames = 0;
  while (const captured_frame* f = reader.next()) {
    require(f->number == ++frames);
    for (const std::string& text : reader.comments(*f)) require(text.size() < 65'536);
    if (!f->type) continue;
    // A copy of its own, so that a read past the frame is a read past an allocation.
    const std::vector<std::byte> copy(f->bytes.begin(), f->bytes.end());
    if (const auto p = decode(copy, *f->type, f->number, f->when)) stories.add(*p);
    require(stories.held() <= 9);
  }
  require(reader.next() == nullptr);
  stories.finish();
  require(told == stories.begun() && stories.held() == 0);
  require(!reader.error() || !reader.error()->at_offset().empty());
  return 0;
}

}  // namespace halfopen::trace

#ifndef HALFOPEN_REPLAY
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return halfopen::trace::tell_capture(std::as_bytes(std::span{data, size}));
}
#endif
