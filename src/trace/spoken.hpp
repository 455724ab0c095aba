#ifndef HALFOPEN_SRC_TRACE_SPOKEN_HPP
#define HALFOPEN_SRC_TRACE_SPOKEN_HPP

/// What protocol a payload begins with, and which name it calls the other side by. Names only label
/// what a reader sees: no verdict rests on one, since anybody may write anything there.

#include <cstddef>
#include <functional>
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

/// The addresses that a DNS answer (RFC 1035 section 4) gives, with the name that was asked for.
/// What is damaged is read up to there.
void read_dns_answer(std::span<const std::byte> message,
                     const std::function<void(const ip_address&, const std::string&)>& take);

}  // namespace halfopen::trace

#endif
