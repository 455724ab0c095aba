// Ours: a coroutine a connection on the library's server and stream, as a program that
// uses it would be written. What it has and the others have not: a fate for each
// connection, TCP_USER_TIMEOUT and keepalive on each, a stop on SIGTERM that answers
// what was asked, and a listening socket from systemd.

#ifdef WITH_TLS
#include "halfopen/tls.hpp"
#endif

#include "bench/peers/ours.hpp"

namespace halfopen::bench {
namespace {

asio::awaitable<fate> serve(stream& client) {
  sum_stream sums;
  std::string replies;
  for (;;) {
    if (!sums.mid_request())
      if (const auto next = co_await client.next_message(deadline::never()); !next) co_return next.error();
    const auto bytes = co_await client.read(deadline::never());
    if (!bytes) co_return bytes.error();
    replies.clear();
    const bool good = sums.answer(*bytes, replies);
    client.consume(bytes->size());
    if (!replies.empty())
      if (const auto sent = co_await client.write(replies, deadline::never()); !sent) co_return sent.error();
    if (!good) co_return client.malformed("not the binary format");
  }
}

void run(int argc, char** argv) {
  server_options options;
  options.service = argc > 1 ? argv[1] : "0";
#ifdef WITH_TLS
  if (argc != 4) throw std::runtime_error("a port, a certificate and a key are wanted");
  const auto tls = tls_server({.certificate = argv[2], .key = argv[3]});
  if (!tls) throw std::runtime_error(tls.error());
  options.tls = *tls;
#endif
  serve_until_told(options, serve);
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  return halfopen::bench::run_peer([&] { halfopen::bench::run(argc, argv); });
}
