// Ours again, with a handler of messages: a connection has no coroutine while it is idle. All else is as
// in halfopen.cpp.

#include "bench/peers/ours.hpp"

namespace halfopen::bench {
namespace {

/// The next messages, all that are whole.
asio::awaitable<stream::result<void>> serve(stream& client) {
  sum_stream sums;
  std::string replies;
  bool good = sums.answer(client.unread(), replies);
  client.consume(client.unread().size());
  while (good && sums.mid_request()) {
    const auto bytes = co_await client.read(deadline::never());
    if (!bytes) co_return std::unexpected(bytes.error());
    good = sums.answer(*bytes, replies);
    client.consume(bytes->size());
  }
  if (!replies.empty())
    if (const auto sent = co_await client.write(replies, deadline::never()); !sent) co_return sent;
  if (!good) co_return std::unexpected(client.malformed("not the binary format"));
  co_return stream::result<void>();
}

void run(int argc, char** argv) {
  server_options options;
  options.service = argc > 1 ? argv[1] : "0";
  serve_until_told(options, serve);
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  return halfopen::bench::run_peer([&] { halfopen::bench::run(argc, argv); });
}
