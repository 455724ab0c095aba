#ifndef HALFOPEN_CONNECT_HPP
#define HALFOPEN_CONNECT_HPP

/// \file
/// From a name to a connection: all of the name's addresses, side by side with a head
/// start for each (Happy Eyeballs, RFC 8305), and one deadline for everything, the name's
/// resolution included.
///
///     std::vector<halfopen::attempt> failed;
///     auto s = co_await halfopen::connect("server", "7", 5s, {.failed = &failed});
///     if (!s) report(s.error());      // and for each address: failed[i].to, failed[i].why
///
/// It runs on the coroutine's executor, which is that of an io_context which one thread runs,
/// as for every stream. Connections side by side are independent. Cancellation ends it with
/// the fate shut_down.

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "halfopen/deadline.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/stream.hpp"

namespace halfopen {

/// One address that did not answer as it should.
struct attempt {
  asio::ip::tcp::endpoint to;
  fate why;
};

struct connect_options {
  stream_options connection{};
  /// From one attempt to the next while none has failed (RFC 8305 section 5 recommends
  /// 250 ms). After a failure the next begins at once.
  std::chrono::milliseconds head_start{250};
  /// Gets each address that failed, in the order of their ends, also if another one
  /// succeeded. Those still under way when the deadline passes are deadline_passed. Must live
  /// until connect() is done.
  std::vector<attempt>* failed = nullptr;
  /// TLS on the connection (tls_client() of tls.hpp), its handshake within the same deadline; null:
  /// plain TCP. A handshake that fails is not tried on another address. Must live until connect()
  /// is done, and so must the name.
  const tls_context* tls = nullptr;
  /// Whom the certificate must name, see stream::secure(); empty: the host, or the address.
  std::string_view tls_name{};
};
// Nothing in it has a destructor: g++ 12 copies such temporaries of a co_await bit by bit.
static_assert(std::is_trivially_copyable_v<connect_options>);

/// Connects to the first address of the name that answers. The fate is that of the address
/// that failed last; local_failure for a name that does not resolve; deadline_passed when
/// time was up first. Its `again` is safe: no connection, no request.
///
/// "unix:/path" is a Unix socket (unix(7)), "unix:@name" one with an abstract name; `service` means
/// nothing then, and TLS needs a `tls_name`. It is refused if nobody listens (ECONNREFUSED) or nobody has
/// made it (ENOENT); where the queue is full it is tried again until the deadline.
///
/// `service` is a port number or a name of services(5). A name is resolved by Asio's resolver
/// thread, which getaddrinfo(3) may block longer than the deadline: the operation still ends
/// in time, but the io_context's destructor waits for that thread.
[[nodiscard]] asio::awaitable<std::expected<stream, fate>> connect(std::string host, std::string service,
                                                                   deadline limit,
                                                                   connect_options options = {});

/// The same for addresses that are known, in this order.
[[nodiscard]] asio::awaitable<std::expected<stream, fate>> connect(
    std::vector<asio::ip::tcp::endpoint> addresses, deadline limit, connect_options options = {});

}  // namespace halfopen

#endif
