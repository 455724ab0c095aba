// Asio as its C++20 echo example uses it
// (src/examples/cpp17/coroutines_ts/echo_server.cpp): a coroutine a connection,
// asio::awaitable and use_awaitable, an array of 1 KiB in its frame.

#include <array>
#include <asio.hpp>

#include "bench/peers/service.hpp"

namespace halfopen::bench {
namespace {

using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

awaitable<void> serve(tcp::socket socket) {
  try {
    std::array<char, 1024> data;
    sum_stream stream;
    std::string replies;
    for (bool good = true; good;) {
      const std::size_t length = co_await socket.async_read_some(asio::buffer(data), use_awaitable);
      replies.clear();
      good = stream.answer({data.data(), length}, replies);
      if (!replies.empty()) co_await asio::async_write(socket, asio::buffer(replies), use_awaitable);
    }
  } catch (const std::exception&) {
    // The client is gone. The example prints it; 100,000 of those lines would be measured too.
  }
}

awaitable<void> listen(tcp::acceptor& acceptor) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
  }
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  return halfopen::bench::run_peer([&] {
    const int listener = halfopen::bench::take_listener(argc, argv);
    asio::io_context context(1);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](auto, auto) { context.stop(); });
    asio::ip::tcp::acceptor acceptor(context, asio::ip::tcp::v4(), listener);
    asio::co_spawn(context, halfopen::bench::listen(acceptor), asio::detached);
    halfopen::bench::announce(halfopen::bench::port_of(listener));
    context.run();
  });
}
