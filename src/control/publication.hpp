#ifndef HALFOPEN_SRC_CONTROL_PUBLICATION_HPP
#define HALFOPEN_SRC_CONTROL_PUBLICATION_HPP

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "halfopen/lab/unique_fd.hpp"
#include "halfopen/trace/address.hpp"

namespace halfopen::control {

/// A port of a host of the system that can be reached from the caller's own network.
struct publication {
  trace::endpoint outside;  ///< where the caller listens; port 0: any free one
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const publication&, const publication&) = default;
};

/// "[ADDRESS:]PORT:HOST:PORT", loopback (127.0.0.1) without an address, an IPv6 one in brackets; PORT 0
/// outside is any free one. The error is a sentence. Pure; thread-safe.
[[nodiscard]] std::expected<publication, std::string> read_publication(std::string_view text);
/// "127.0.0.1:3000 -> app:3000"
[[nodiscard]] std::string in_words(const publication& p);

/// Listens there, in the network namespace of the calling thread; fills in the port. The error is a sentence.
[[nodiscard]] std::expected<lab::unique_fd, std::string> listen_at(publication& p);

}  // namespace halfopen::control

#endif
