#ifndef HALFOPEN_SRC_NET_RESOLVE_HPP
#define HALFOPEN_SRC_NET_RESOLVE_HPP

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <expected>
#include <string>
#include <vector>

#include "halfopen/deadline.hpp"
#include "halfopen/fate.hpp"

namespace halfopen::net {

/// The addresses of a name in the order in which they should be tried: the resolver's (RFC
/// 6724), with the two families taking turns (RFC 8305 section 4).
[[nodiscard]] asio::awaitable<std::expected<std::vector<asio::ip::tcp::endpoint>, fate>> resolve(
    std::string host, std::string service, deadline limit);

/// The two families by turns, beginning with the first one's.
[[nodiscard]] std::vector<asio::ip::tcp::endpoint> by_turns(const std::vector<asio::ip::tcp::endpoint>& all);

}  // namespace halfopen::net

#endif
