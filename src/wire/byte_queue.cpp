// A queue of bytes in one std::string: what is consumed stays in front until it
// is at least half of the whole, so each byte is moved at most about once. A ring
// would never move bytes, but could not give one contiguous view of a message,
// and a deque or a list of blocks could neither.

#include "halfopen/wire/byte_queue.hpp"

namespace halfopen::wire {
namespace {

// Kept by an empty queue. Most messages fit; a 16 MiB line must not be paid for
// as long as its connection lives.
constexpr std::size_t kept_capacity = 256 * 1024;

}  // namespace

void byte_queue::append(std::string_view bytes) {
  if (empty()) {
    if (bytes_.capacity() > kept_capacity) std::string{}.swap(bytes_);
    bytes_.clear();
    begin_ = 0;
  } else if (begin_ >= bytes_.size() / 2) {
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
  bytes_.append(bytes);
}

}  // namespace halfopen::wire
