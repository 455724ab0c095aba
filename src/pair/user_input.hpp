#ifndef HALFOPEN_PAIR_USER_INPUT_HPP
#define HALFOPEN_PAIR_USER_INPUT_HPP

/// Lines from a descriptor that somebody else may share: standard input.

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "halfopen/wire/text.hpp"
#include "net/channel.hpp"

namespace halfopen::pair {

class user_input {
 public:
  /// Lines of up to `most` bytes.
  user_input(const asio::any_io_executor& executor, int fd, std::size_t most);

  /// The next line that is here already; nothing if none is, or at the end.
  [[nodiscard]] std::optional<std::string> take_line();
  /// Until more is here or the input has ended.
  [[nodiscard]] asio::awaitable<void> wait();

  /// No line is left, and none will come.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// What was wrong with it: that has ended it.
  [[nodiscard]] std::optional<wire::decode_error> wrong() const noexcept { return wrong_; }

 private:
  [[nodiscard]] bool is_readable() const noexcept;
  void read_some();

  int fd_;
  std::unique_ptr<net::channel> watched_;  // null: always readable, such as a file
  wire::text::framer lines_;
  bool closed_ = false;  // by whoever writes it; lines may be left
  bool ended_ = false;
  std::optional<wire::decode_error> wrong_;
};

}  // namespace halfopen::pair

#endif
