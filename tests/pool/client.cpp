// This library's own client with a pool of four connections: each asks twice.
//
//     pool_client HOST PORT
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <map>
#include <string>

#include "halfopen/client.hpp"

using namespace std::chrono_literals;

namespace {

using result = std::expected<std::string, halfopen::fate>;

/// Two requests on one connection, with a pause between them.
asio::awaitable<result> ask(halfopen::stream& s, std::string who) {
  std::string said;
  for (const char* turn : {"first", "second"}) {
    if (!said.empty()) {
      asio::steady_timer pause(co_await asio::this_coro::executor, 500ms);
      co_await pause.async_wait(asio::use_awaitable);
    }
    const std::string request = std::string(turn) + " request of " + who + "\n";
    if (const auto sent = co_await s.write(request, 2s); !sent) co_return std::unexpected(sent.error());
    const auto reply = co_await s.read_line(100, 2s);
    if (!reply) co_return std::unexpected(reply.error());
    said.append(*reply).append("\n");
  }
  co_return said;
}

struct answers {
  std::map<int, std::string> by_number;
  std::size_t over = 0;
  bool failed = false;
};

asio::awaitable<void> call(halfopen::client& c, int number, int of, answers& all) {
  const auto exchange = [who = std::to_string(number)](halfopen::stream& s) { return ask(s, who); };
  const auto answer = co_await c.call(exchange, 6s);
  if (answer) {
    all.by_number[number] = *answer;
  } else {
    all.failed = true;
    std::fprintf(stderr, "%s\n", to_string(answer.error()).c_str());
  }
  if (++all.over == static_cast<std::size_t>(of)) c.close();  // or the io_context has work for ever
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: pool_client HOST PORT\n"), 2;
  constexpr int calls = 4;
  asio::io_context context;
  answers all;
  halfopen::client c(context.get_executor(), argv[1], argv[2], {.most = calls});
  for (int number = 1; number <= calls; ++number)
    asio::co_spawn(context, call(c, number, calls, all), asio::detached);
  context.run();
  for (const auto& [number, text] : all.by_number) std::fputs(text.c_str(), stdout);
  return all.failed ? 1 : 0;
}
