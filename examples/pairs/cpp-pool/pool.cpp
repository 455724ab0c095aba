// Asks a server for four sums side by side, pauses, and asks for four more: a client with a pool of four
// connections.
//
//     pool HOST PORT
//
// Exit codes: 0 all sums are there, 1 one is not and stderr says why, 2 bad arguments.

#include <halfopen/client.hpp>
#include <halfopen/wire/text.hpp>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using namespace halfopen::wire;
using result = std::expected<std::string, halfopen::fate>;

namespace {

asio::awaitable<result> ask(halfopen::stream& s, std::string request) {
  const auto sent = co_await s.write(request, 2s);
  if (!sent) co_return std::unexpected(sent.error());
  const auto reply = co_await s.read_line(100, 2s);
  if (!reply) co_return std::unexpected(reply.error());
  co_return std::string(*reply);
}

/// A sum may be asked for twice without harm.
asio::awaitable<result> sum(halfopen::client& server, int number) {
  const std::string request = text::encode(sum_request{number, number});
  const auto exchange = [&](halfopen::stream& s) { return ask(s, request); };
  co_return co_await server.call(exchange, 5s, halfopen::repeat::idempotent);
}

bool print(const result& reply) {
  if (reply)
    std::printf("%s\n", reply->c_str());
  else
    std::fprintf(stderr, "%s\n", explain(reply.error()).c_str());
  return reply.has_value();
}

asio::awaitable<void> run(halfopen::client& server, int& exit_code) {
  bool all = true;
  for (const int first : {1, 5}) {
    const auto [a, b, c, d] = co_await (sum(server, first) && sum(server, first + 1) &&
                                        sum(server, first + 2) && sum(server, first + 3));
    for (const auto& reply : {a, b, c, d}) all = print(reply) && all;
    if (!all) break;
    if (first == 1)
      co_await asio::steady_timer(co_await asio::this_coro::executor, 500ms).async_wait(asio::use_awaitable);
  }
  server.close();  // or the io_context has work for ever
  exit_code = all ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: pool HOST PORT\n"), 2;
  int exit_code = 1;
  asio::io_context context;
  halfopen::client server(context.get_executor(), argv[1], argv[2], {.most = 4});
  asio::co_spawn(context, run(server, exit_code), asio::detached);
  context.run();
  return exit_code;
}
