#ifndef HALFOPEN_SRC_NET_START_HPP
#define HALFOPEN_SRC_NET_START_HPP

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <utility>

namespace halfopen::net {

/// A coroutine that nobody waits for, and that lets no exception out.
using root = asio::awaitable<asio::detail::awaitable_thread_entry_point>;

/// Begins it at once, on the thread that runs the io_context: asio::co_spawn() with
/// asio::detached for one coroutine frame and half a KiB less, as that lasts as long as the
/// coroutine. It cannot be cancelled.
inline void start(asio::io_context& context, root r) {
  asio::detail::awaitable_thread<asio::any_io_executor>(std::move(r), context.get_executor(), {}, {})
      .launch();
}

}  // namespace halfopen::net

#endif
