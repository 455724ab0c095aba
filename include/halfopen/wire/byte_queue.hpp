#ifndef HALFOPEN_WIRE_BYTE_QUEUE_HPP
#define HALFOPEN_WIRE_BYTE_QUEUE_HPP

/// \file
/// Bytes that came in and were not used yet, or that wait to go out. TCP keeps
/// no message boundaries, so both ends of every conversation need one.
///
/// A value, not synchronised. Appending is amortised constant time a byte; a
/// queue that once held a large message gives the memory back when it is empty.

#include <cstddef>
#include <string>
#include <string_view>

namespace halfopen::wire {

class byte_queue {
 public:
  /// Invalidates every view taken before.
  void append(std::string_view bytes);

  /// Drops the first n bytes (n <= size()). Views stay valid: nothing moves.
  void consume(std::size_t n) noexcept { begin_ += n; }

  [[nodiscard]] std::string_view view() const noexcept { return std::string_view{bytes_}.substr(begin_); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - begin_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace halfopen::wire

#endif
