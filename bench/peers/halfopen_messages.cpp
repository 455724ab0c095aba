// Ours again, with a handler of messages: a connection has no coroutine while it is idle. All else is as
// in halfopen.cpp.

#include "bench/peers/service.hpp"
#include "halfopen/server.hpp"

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
  const server* listening = nullptr;
  server_options options;
  options.service = argc > 1 ? argv[1] : "0";
  options.ready = [&] { announce(listening->local().port()); };
  server s(options, serve);
  listening = &s;
  if (const auto opened = s.open(); !opened) throw std::runtime_error(to_string(opened.error()));
  if (const auto served = s.run(); !served) throw std::runtime_error(to_string(served.error()));
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  return halfopen::bench::run_peer([&] { halfopen::bench::run(argc, argv); });
}
