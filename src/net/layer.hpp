#ifndef HALFOPEN_SRC_NET_LAYER_HPP
#define HALFOPEN_SRC_NET_LAYER_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "halfopen/fate.hpp"
#include "halfopen/stream.hpp"
#include "halfopen/wire/byte_queue.hpp"

namespace halfopen::net {

/// What lies between a stream and its socket and changes the bytes: TLS (src/tls). It does no input
/// and output, and knows neither deadlines nor phases: bytes go in and bytes come out. The
/// stream_state that owns it moves them, and makes the fates.
class layer {
 public:
  enum class course : std::uint8_t {
    opening,   ///< the handshake is under way
    open,      ///< plaintext may go both ways
    finished,  ///< the peer has said that it will say no more (close_notify)
    failed,    ///< `why` says how
  };
  /// How it failed, in a few words that live for ever.
  struct failure {
    ending how = ending::malformed;
    std::string_view detail;
  };

  layer() = default;
  layer(const layer&) = delete;
  layer& operator=(const layer&) = delete;
  virtual ~layer() = default;

  /// Takes bytes that came from the socket, and appends what is in them for the reader.
  virtual void take(std::string_view came, wire::byte_queue& plain) = 0;
  /// Puts the first of these bytes, as many as go into one record, into to_send: how many. 0 if it
  /// has failed.
  [[nodiscard]] virtual std::size_t wrap(std::string_view plain) = 0;
  /// Puts its farewell into to_send, once; nothing if it is not open.
  virtual void finish() = 0;
  /// A part of a record has come, and not the rest.
  [[nodiscard]] virtual bool in_mid_record() const = 0;
  [[nodiscard]] virtual tls_facts facts() const = 0;

  [[nodiscard]] bool over() const noexcept { return now == course::finished || now == course::failed; }

  course now = course::opening;
  failure why;
  wire::byte_queue to_send;   ///< for the socket
  std::size_t untouched = 0;  ///< plaintext in to_send of which the kernel has taken no byte
};

}  // namespace halfopen::net

#endif
