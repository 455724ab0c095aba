// Properties: the lines and errors are those of the bytes, not of the segments;
// what decodes can be encoded and decodes to the same again; nothing crashes.
// The first byte says how large the segments are.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "halfopen/wire/text.hpp"

namespace halfopen::wire::text {
namespace {

std::vector<std::string> outcome(std::string_view bytes, std::size_t segment) {
  framer f{100};
  std::vector<std::string> seen;
  for (std::size_t at = 0; at < bytes.size(); at += segment) {
    f.feed(bytes.substr(at, segment));
    for (;;) {
      const auto line = f.next();
      if (!line) {
        seen.emplace_back(describe(line.error()));
        return seen;
      }
      if (!*line) break;
      seen.emplace_back(**line);
    }
  }
  return seen;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(data + 1, data + size);
  const auto lines = outcome(bytes, bytes.size() + 1);
  require(lines == outcome(bytes, data[0] % 16u + 1));
  for (const auto& line : lines) {
    if (const auto request = decode_request(line)) {
      std::string again = encode(*request);
      again.pop_back();
      require(decode_request(again) == *request);
    }
    if (const auto reply = decode_reply(line)) {
      std::string again = encode(*reply);
      again.pop_back();
      require(decode_reply(again).value() == *reply);
    }
  }
  return 0;
}

}  // namespace halfopen::wire::text
