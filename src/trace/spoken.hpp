#ifndef HALFOPEN_SRC_TRACE_SPOKEN_HPP
#define HALFOPEN_SRC_TRACE_SPOKEN_HPP

/// What protocol a payload begins with, and which name it calls the other side by. Names only label
/// what a reader sees: no verdict rests on one, since anybody may write anything there.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "halfopen/trace/address.hpp"
#include "halfopen/trace/packet.hpp"

namespace halfopen::trace {

/// What the first payload of one side begins with.
struct speech {
  protocol what = protocol::unknown;
  std::string_view name{};  ///< TLS: the server name asked for (RFC 6066 section 3); HTTP: the Host
};

/// By the first bytes alone; a name that is cut off, or that has other characters than names have,
/// is none. Nothing is allocated, any bytes may be given.
[[nodiscard]] speech spoken_in(std::span<const std::byte> payload) noexcept;

/// The first message of a side that speaks TLS (RFC 8446 section 4.1).
struct tls_hello {
  bool of_server = false;
  std::uint16_t version =
      0;  ///< 0x0304 is TLS 1.3: the highest that the client offers, or what the server chose
  std::string_view name{};  ///< the server name that the client asks for
  std::string_view
      protocol{};  ///< ALPN (RFC 7301): the client's first wish, or what the server chose; TLS 1.3 hides that
};

/// As far as it is there: a hello may be cut by the end of the segment. Nothing if it is none. Nothing is
/// allocated, any bytes may be given.
[[nodiscard]] std::optional<tls_hello> tls_hello_in(std::span<const std::byte> payload) noexcept;

/// The addresses that a DNS answer (RFC 1035 section 4) gives, with the name that was asked for.
/// What is damaged is read up to there.
void read_dns_answer(std::span<const std::byte> message,
                     const std::function<void(const ip_address&, const std::string&)>& take);

}  // namespace halfopen::trace

#endif
