#ifndef HALFOPEN_SRC_NET_BULK_HPP
#define HALFOPEN_SRC_NET_BULK_HPP

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace halfopen::net {

/// What is left of pieces that are written one after the other. Values that others own.
class pieces {
 public:
  explicit pieces(std::span<const std::string_view> all) noexcept : left_(all) { skip_empty(); }

  [[nodiscard]] bool empty() const noexcept { return left_.empty(); }
  /// The rest of the first one.
  [[nodiscard]] std::string_view first() const noexcept { return left_.front().substr(done_); }
  /// Of the rest as many as there are places: how many.
  [[nodiscard]] std::size_t list(std::span<iovec> places) const noexcept;
  /// The beginning of the rest, copied into one piece.
  [[nodiscard]] std::string_view join(std::span<char> into) const noexcept;
  /// So many bytes are done, which are no more than there are.
  void consume(std::size_t bytes) noexcept;

 private:
  void skip_empty() noexcept;

  std::span<const std::string_view> left_;
  std::size_t done_ = 0;  // of the first
};

/// What is left of a part of a file that is sent.
struct file_part {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t left = 0;
  bool copied = false;           ///< sendfile(2) does not take this kind of file
  bool others_turn = false;      ///< it goes on when others had theirs
  std::string_view failed_in{};  ///< what the file failed in, not the connection; empty if it did not
  int error = 0;                 ///< its errno; 0 if the file ended too early
};

}  // namespace halfopen::net

#endif
