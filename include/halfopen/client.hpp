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

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/this_coro.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "halfopen/connect.hpp"
#include "halfopen/deadline.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/stream.hpp"

namespace halfopen {

/// What may be asked again when its connection has ended.
enum class repeat : std::uint8_t {
  if_safe,     ///< only what certainly was not asked (retry::safe)
  idempotent,  ///< what the peer may have done already too: doing it twice does no harm
};

struct client_options {
  std::size_t most = 1;                     ///< connections at one time
  std::chrono::milliseconds idle_limit{0};  ///< one that was idle for longer is not used; 0: any
  unsigned tries = 3;                       ///< of one call, the first included
  std::chrono::milliseconds pause{20};      ///< after a failed connect, doubled each time
  connect_options connecting{};
  /// TLS on every connection (tls_client() of tls.hpp); none: what `connecting` says.
  std::shared_ptr<const tls_context> tls{};
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
  /// limit. Waits while `most` connections are in use. The limit is not passed on: `exchange`
  /// sets its own, and the fate of its last try is the call's. Cancellation ends it with
  /// shut_down, or with what `exchange` made of it.
  template <class Exchange>
  [[nodiscard]] auto call(Exchange exchange, deadline limit, repeat may = repeat::if_safe)
      -> std::invoke_result_t<Exchange&, stream&>;

  /// Closes the idle connections; those in use when their exchange ends.
  void close() noexcept;

  struct counts {
    std::size_t open = 0;  ///< in use, those being opened included, or idle
    std::size_t idle = 0;
    std::size_t connected = 0;  ///< ever
    std::size_t repeated = 0;   ///< exchanges that were played again
    std::size_t stale = 0;      ///< idle connections that had ended, found before use
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
    /// An exchange of several requests is asked again as a whole.
    [[nodiscard]] fate of_the_whole(const fate& why, std::uint64_t before) const;
    stream connection;

   private:
    std::shared_ptr<pool> pool_;
  };

  [[nodiscard]] asio::awaitable<std::expected<lease, fate>> take(deadline limit);
  [[nodiscard]] bool may_repeat(const fate& why, repeat may, unsigned tried, deadline limit) const noexcept;
  /// Before the next try; the fate of the call if it was told to stop meanwhile.
  [[nodiscard]] asio::awaitable<std::optional<fate>> pause(const fate& why, unsigned tried, deadline limit);

  std::shared_ptr<pool> pool_;
};

template <class Exchange>
auto client::call(Exchange exchange, deadline limit, repeat may) -> std::invoke_result_t<Exchange&, stream&> {
  for (unsigned tried = 1;; ++tried) {
    fate why;
    {
      auto taken = co_await take(limit);
      if (taken) {
        const std::uint64_t before = taken->connection.handed_over();
        auto answer = co_await exchange(taken->connection);
        if (answer) {
          taken->keep();
          co_return answer;
        }
        why = taken->of_the_whole(answer.error(), before);
      } else {
        why = taken.error();
      }
    }
    const auto told = co_await asio::this_coro::cancellation_state;
    if (told.cancelled() != asio::cancellation_type::none || !may_repeat(why, may, tried, limit))
      co_return std::unexpected(why);
    if (const auto stopped = co_await pause(why, tried, limit)) co_return std::unexpected(*stopped);
  }
}

}  // namespace halfopen

#endif
