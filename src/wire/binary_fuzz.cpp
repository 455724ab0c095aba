// Properties: the frames and errors are those of the bytes, not of the segments;
// a frame that decodes is encoded to the same bytes; nothing crashes. The first
// byte says how large the segments are.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "halfopen/wire/binary.hpp"

namespace halfopen::wire::binary {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// The frames encoded again, and the error's description last, if there was one.
std::string outcome(std::string_view bytes, std::size_t segment) {
  framer f;
  std::string seen;
  for (std::size_t at = 0; at < bytes.size(); at += segment) {
    f.feed(bytes.substr(at, segment));
    for (;;) {
      const auto frame = f.next();
      if (!frame) return seen.append(describe(frame.error()));
      if (!*frame) break;
      if (const auto request = decode_request(**frame))
        seen += encode(*request);
      else if (const auto reply = decode_reply(**frame))
        seen += encode(*reply);
      else
        seen += describe(reply.error());
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(data + 1, data + size);
  const std::string whole = outcome(bytes, bytes.size() + 1);
  require(whole == outcome(bytes, data[0] % 16u + 1));

  framer f;
  f.feed(bytes);
  if (const auto frame = f.next(); frame && *frame)
    if (decode_request(**frame) || decode_reply(**frame)) {
      const std::size_t size_of_first = 7 + (*frame)->payload.size();
      require(whole.substr(0, size_of_first) == bytes.substr(0, size_of_first));
    }
  return 0;
}

}  // namespace halfopen::wire::binary
