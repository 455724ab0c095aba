// Asks a server for a sum, again if need be, for 10 s at most.
//
//     sum_client HOST PORT 1 2
//
// Exit codes: 0 there is a sum, 1 there is none and stderr says why, 2 bad arguments.

#include <halfopen/client.hpp>
#include <halfopen/wire/text.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;
using namespace halfopen::wire;
using result = std::expected<sum_reply, halfopen::fate>;

namespace {

asio::awaitable<result> ask(halfopen::stream& s, sum_request numbers) {
  const std::string request = text::encode(numbers);
  const auto sent = co_await s.write(request, 5s);
  if (!sent) co_return std::unexpected(sent.error());
  text::framer lines(100);
  const auto line = co_await s.read_message(lines, 5s);
  if (!line) co_return std::unexpected(line.error());
  const auto reply = text::decode_reply(*line);
  if (!reply) co_return std::unexpected(s.malformed(describe(reply.error())));
  co_return *reply;
}

asio::awaitable<void> run(halfopen::client& server, sum_request numbers, int& exit_code) {
  // A sum may be asked for twice without harm; an order or a payment may not.
  const auto exchange = [&](halfopen::stream& s) { return ask(s, numbers); };
  const auto reply = co_await server.call(exchange, 10s, halfopen::repeat::idempotent);
  server.close();  // or the io_context has work for ever
  exit_code = reply && *reply ? 0 : 1;
  if (!reply)
    std::fprintf(stderr, "%s\n%s\n", to_string(reply.error()).c_str(), explain(reply.error()).c_str());
  else if (!*reply)
    std::fprintf(stderr, "no sum: %s\n", std::string(to_string(reply->error())).c_str());
  else
    std::printf("%lld\n", static_cast<long long>(**reply));
}

}  // namespace

int main(int argc, char** argv) {
  const auto numbers = text::decode_request(argc == 5 ? std::string(argv[3]) + " " + argv[4] : "");
  if (!numbers) return std::fprintf(stderr, "usage: sum_client HOST PORT NUMBER NUMBER\n"), 2;
  int exit_code = 1;
  asio::io_context context;
  halfopen::client server(context.get_executor(), argv[1], argv[2]);
  asio::co_spawn(context, run(server, *numbers, exit_code), asio::detached);
  context.run();
  return exit_code;
}
