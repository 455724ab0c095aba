#ifndef HALFOPEN_CLIENT_HPP
#define HALFOPEN_CLIENT_HPP

/// \file
/// A client with a pool of connections, which knows what may be asked again.
///
///     asio::awaitable<halfopen::stream::result<std::string>> ask(halfopen::stream& s) {
///       if (auto sent = co_await s.write("1 2\n", 5s); !sent) co_return std::unexpected(sent.error());
///       auto reply = co_await s.read_line(100, 5s);
///       if (!reply) co_return std::unexpected(reply.error());
///       co_return std::string(*reply);
///     }
///
///     halfopen::client c(executor, "server", "7", {.most = 4});
///     auto sum = co_await c.call(ask, 10s, halfopen::repeat::idempotent);
///
/// An exchange that takes a deadline too is told the call's limit, and needs none of its own:
///
///     asio::awaitable<halfopen::stream::result<std::string>> ask(halfopen::stream& s, halfopen::deadline
///     limit);

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "halfopen/connect.hpp"
#include "halfopen/deadline.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/fate_counts.hpp"
#include "halfopen/retry_policy.hpp"
#include "halfopen/stream.hpp"

namespace halfopen {

/// What may be asked again when its connection has ended.
enum class repeat : std::uint8_t {
  if_safe,     ///< only what certainly was not asked (retry::safe)
  idempotent,  ///< what the peer may have done already too: doing it twice does no harm
};

namespace net {
template <class T>
inline constexpr bool is_outcome = false;
template <class T>
inline constexpr bool is_outcome<asio::awaitable<std::expected<T, fate>>> = true;
}  // namespace net

/// Called as exchange(stream&, deadline), with the call's limit.
template <class E>
concept exchange_with_limit = requires(E& exchange, stream& s, deadline limit) {
  requires net::is_outcome<decltype(exchange(s, limit))>;
};
/// Called as exchange(stream&): it sets limits of its own.
template <class E>
concept exchange_without_limit =
    requires(E& exchange, stream& s) { requires net::is_outcome<decltype(exchange(s))>; };
/// What client::call() plays: a coroutine that gives asio::awaitable<std::expected<T, fate>>. One that can
/// be called both ways is told the limit.
template <class E>
concept client_exchange = exchange_with_limit<E> || exchange_without_limit<E>;

namespace net {
template <client_exchange E>
auto begin_exchange(E& exchange, stream& s, deadline limit) {
  if constexpr (exchange_with_limit<E>)
    return exchange(s, limit);
  else
    return exchange(s);
}
}  // namespace net

/// What an exchange gives, and so the call.
template <client_exchange E>
using exchange_outcome =
    decltype(net::begin_exchange(std::declval<E&>(), std::declval<stream&>(), std::declval<deadline>()));

struct client_options {
  std::size_t most = 1;                     ///< connections at one time
  std::chrono::milliseconds idle_limit{0};  ///< one that was idle for longer is not used; 0: any
  unsigned tries = 3;                       ///< of one call, the first included
  std::chrono::milliseconds pause{20};      ///< after a failed connect, doubled each time
  connect_options connecting{};
  /// TLS on every connection (tls_client() of tls.hpp); none: what `connecting` says.
  std::shared_ptr<const tls_context> tls{};
  /// Played on each new connection before its first exchange, within the call's limit: a protocol's hello,
  /// AUTH, SELECT. It reads the whole of what is answered. Its fate is the call's, in the phase
  /// connecting, and safe: no byte of the request went out. Its own bytes count for no request. A peer
  /// that says no is best told by stream::malformed(), which is not tried again. None: nothing is said.
  std::function<asio::awaitable<std::expected<void, fate>>(stream&, deadline)> greet{};
  retry_policy retrying{};
};

/// Not synchronised, and its executor is that of an io_context which one thread runs, as for
/// every stream. Open connections are work for it:
/// close() lets its run() return. Calls side by side are independent; while one is under way
/// the client is neither moved nor destroyed.
class client {
 public:
  client(asio::any_io_executor executor, std::string host, std::string service, client_options options = {});
  ~client();
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;

  /// Plays `exchange` on a connection of the pool: one that is open and has not ended as far
  /// as this host knows, or a new one. `exchange` writes a request, reads the whole reply and
  /// gives std::expected<T, fate>; afterwards the connection is settled and kept, or, after a
  /// fate, closed. What that fate lets be asked again is, on another connection, within the
  /// limit. Waits while `most` connections are in use. An exchange that takes a deadline is told the
  /// limit; another one sets its own. The fate of the last try is the call's. Cancellation ends it with
  /// shut_down, or with what `exchange` made of it.
  template <client_exchange Exchange>
  [[nodiscard]] auto call(Exchange exchange, deadline limit, repeat may = repeat::if_safe)
      -> exchange_outcome<Exchange>;

  /// Closes the idle connections; those in use when their exchange ends.
  void close() noexcept;

  struct counts {
    std::size_t open = 0;  ///< in use, those being opened included, or idle
    std::size_t idle = 0;
    std::size_t connected = 0;  ///< ever
    std::size_t repeated = 0;   ///< exchanges that were played again
    std::size_t stale = 0;      ///< idle connections that had ended, found before use
    std::size_t calls = 0;      ///< begun
    std::size_t answered = 0;   ///< calls that gave a value
    std::size_t throttled = 0;  ///< calls not repeated for want of tokens, see retry_policy
    std::size_t not_tried = 0;  ///< calls that found the circuit open
    fate_counts calls_failed{};
    fate_counts tries_failed{};  ///< of connecting, greeting and exchanges, those repeated later included
  };
  [[nodiscard]] counts count() const noexcept;

 private:
  struct pool;
  /// A connection in use; gives its place back.
  class lease {
   public:
    lease(std::shared_ptr<pool> of, stream taken) noexcept;
    lease(lease&&) noexcept = default;
    lease& operator=(lease&&) = delete;
    ~lease();
    void keep();
    /// Puts a connection into it, an idle one or a new one that has been greeted.
    [[nodiscard]] asio::awaitable<std::optional<fate>> connect_within(deadline limit);
    /// The fate of this try, in which an exchange of several requests counts as a whole.
    [[nodiscard]] fate failed(const fate& why, std::uint64_t handed_over_before);
    stream connection;

   private:
    [[nodiscard]] asio::awaitable<std::optional<fate>> greet(deadline limit);
    [[nodiscard]] fate note(const fate& why);

    std::shared_ptr<pool> pool_;
    bool probes_ = false;  // the circuit breaker waits for what becomes of it
  };

  [[nodiscard]] asio::awaitable<std::expected<lease, fate>> take(deadline limit);
  void begin_call() noexcept;
  /// The call ends so.
  [[nodiscard]] fate end_call(const fate& why) noexcept;
  [[nodiscard]] bool may_repeat(const fate& why, repeat may, unsigned tried, deadline limit) noexcept;
  /// Before the next try; the fate of the call if there will be none.
  [[nodiscard]] asio::awaitable<std::optional<fate>> pause(const fate& why, unsigned tried, deadline limit);

  std::shared_ptr<pool> pool_;
};

template <client_exchange Exchange>
auto client::call(Exchange exchange, deadline limit, repeat may) -> exchange_outcome<Exchange> {
  begin_call();
  for (unsigned tried = 1;; ++tried) {
    fate why;
    {
      auto taken = co_await take(limit);
      if (taken) {
        const std::uint64_t before = taken->connection.handed_over();
        auto answer = co_await net::begin_exchange(exchange, taken->connection, limit);
        if (answer) {
          taken->keep();
          co_return answer;
        }
        why = taken->failed(answer.error(), before);
      } else {
        why = taken.error();
      }
    }
    const auto told = co_await asio::this_coro::cancellation_state;
    if (told.cancelled() != asio::cancellation_type::none || !may_repeat(why, may, tried, limit))
      co_return std::unexpected(end_call(why));
    if (const auto over = co_await pause(why, tried, limit)) co_return std::unexpected(end_call(*over));
  }
}

}  // namespace halfopen

#endif
