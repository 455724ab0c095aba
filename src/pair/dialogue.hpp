#ifndef HALFOPEN_PAIR_DIALOGUE_HPP
#define HALFOPEN_PAIR_DIALOGUE_HPP

/// What the robust client and server say to each other, without a socket: bytes in,
/// bytes or replies out.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "halfopen/wire/binary.hpp"
#include "halfopen/wire/text.hpp"
#include "pair/pair.hpp"

namespace halfopen::pair {

using framer = std::variant<wire::text::framer, wire::binary::framer>;

/// The server's side of one connection.
class answering {
 public:
  explicit answering(const serve_options& options);

  void feed(std::string_view bytes);

  /// Appends the answers to whole requests until none is left or `out` has reached the
  /// high-water mark: a client that sends requests and reads no replies must not make
  /// the server hold them all.
  void answer(wire::byte_queue& out);

  /// What was wrong with the bytes; its error reply is the last that is said.
  [[nodiscard]] std::optional<wire::decode_error> wrong() const noexcept { return wrong_; }

  /// A request has begun and is not answered.
  [[nodiscard]] bool mid_request() const noexcept;

 private:
  [[nodiscard]] bool answer_one(wire::byte_queue& out);
  bool reject(wire::byte_queue& out, wire::decode_error e);

  service service_;
  std::size_t high_water_;
  framer framer_;
  std::optional<wire::decode_error> wrong_;
};

/// The client's side of one connection.
class asking {
 public:
  explicit asking(const call_options& options);

  /// The bytes of the request that a line of input stands for; the error says why it is none.
  [[nodiscard]] static std::expected<std::string, std::string_view> encode(const call_options& options,
                                                                           std::string_view line);

  void feed(std::string_view bytes);

  /// The next whole reply as a line to print; nothing if there is none yet. `line` is the
  /// request that it should answer. The error says what is wrong with it.
  [[nodiscard]] std::expected<std::optional<std::string>, std::string> next(std::string_view line);

  /// Bytes of a reply that was not taken out.
  [[nodiscard]] bool mid_reply() const noexcept;

 private:
  service service_;
  framer framer_;
};

}  // namespace halfopen::pair

#endif
