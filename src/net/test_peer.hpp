#ifndef HALFOPEN_SRC_NET_TEST_PEER_HPP
#define HALFOPEN_SRC_NET_TEST_PEER_HPP

/// For tests: the other end of a connection, as a plain blocking descriptor, and
/// coroutines played to their end. Nothing here waits longer than `patience`.

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "halfopen/stream.hpp"
#include "halfopen/unique_fd.hpp"

namespace halfopen::net::test {

inline constexpr std::chrono::milliseconds patience{20'000};
/// The limit of what is to succeed, however busy the machine is.
inline constexpr std::chrono::milliseconds ample = patience / 2;
/// Long enough for what is under way on a busy machine, where its end cannot be seen.
inline constexpr std::chrono::milliseconds moment{40};

/// Runs the context until the coroutine ends, and no longer.
template <class T>
T play(asio::io_context& context, asio::awaitable<T> what, asio::cancellation_slot told = {}) {
  std::optional<T> result;
  std::exception_ptr thrown;
  const auto ended = [&](const std::exception_ptr& e, T value) {
    thrown = e;
    if (!e) result.emplace(std::move(value));
    context.stop();
  };
  asio::co_spawn(context, std::move(what), asio::bind_cancellation_slot(told, ended));
  context.restart();
  context.run_for(patience);
  if (thrown) std::rethrow_exception(thrown);
  if (!result) throw std::runtime_error("the coroutine did not end in time");
  return std::move(*result);
}

/// The same, and tells it to stop after that time: Asio's cancellation.
template <class T>
T play_and_cancel(asio::io_context& context, asio::awaitable<T> what, std::chrono::milliseconds after) {
  asio::cancellation_signal stop;
  asio::steady_timer timer(context, after);
  timer.async_wait([&](asio::error_code) { stop.emit(asio::cancellation_type::terminal); });
  return play(context, std::move(what), stop.slot());
}

inline void play(asio::io_context& context, asio::awaitable<void> what) {
  bool ended = false;
  std::exception_ptr thrown;
  asio::co_spawn(context, std::move(what), [&](const std::exception_ptr& e) {
    thrown = e;
    ended = true;
    context.stop();
  });
  context.restart();
  context.run_for(patience);
  if (thrown) std::rethrow_exception(thrown);
  if (!ended) throw std::runtime_error("the coroutine did not end in time");
}

/// Listens on 127.0.0.1 with a port that is free. A backlog of 0 has room for one.
[[nodiscard]] unique_fd listen_here(int backlog = 16, const char* address = "127.0.0.1");
[[nodiscard]] asio::ip::tcp::endpoint name_of(int fd);
/// Empty if nobody connects.
[[nodiscard]] unique_fd accept_from(int listening);
[[nodiscard]] unique_fd connect_to(const asio::ip::tcp::endpoint& where);
/// The same from 127.0.0.`from`.
[[nodiscard]] unique_fd connect_to(const asio::ip::tcp::endpoint& where, std::uint8_t from);

struct ends {
  unique_fd here, there;
};
[[nodiscard]] ends connection();

/// False if the connection ended first.
bool send_all(int fd, std::string_view bytes);

/// What came until the end, or until `enough` was there.
struct received {
  std::string bytes;
  int error = 0;       ///< of read; EAGAIN if nothing came for too long
  bool ended = false;  ///< by a FIN
};
[[nodiscard]] received receive(int fd, std::size_t enough = SIZE_MAX);

/// close() that sends an RST, or a FIN.
void reset(unique_fd& fd);
void finish(const unique_fd& fd);

[[nodiscard]] std::size_t open_descriptors();

/// A process of its own, killed at the end if it has not ended by itself.
class child {
 public:
  explicit child(const std::function<int()>& run);
  ~child();
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  void signal(int number) const;
  /// The exit status, 128 + N for death by signal N, or -1 if it did not end in time.
  [[nodiscard]] int wait();

 private:
  int id_;
};

/// A stream in a context, and who is at its other end.
struct conversation {
  conversation() : conversation(connection()) {}
  explicit conversation(ends e) : s(context.get_executor(), std::move(e.here)), peer(std::move(e.there)) {}

  template <class T>
  T play(asio::awaitable<T> what) {
    return test::play(context, std::move(what));
  }
  auto line(deadline limit = ample) { return play(s.read_line(100, limit)); }
  auto write(std::string_view bytes, deadline limit = ample) { return play(s.write(bytes, limit)); }

  asio::io_context context{1};
  stream s;
  unique_fd peer;
};

}  // namespace halfopen::net::test

#endif
