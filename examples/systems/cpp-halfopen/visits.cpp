// Counts visits in Redis, and serves them over HTTP/1.0: a server and a client of this library in one
// program.
//
//     visits PORT REDIS_HOST REDIS_PORT
//
// Whoever asks gets an answer within 3 s, whatever has become of Redis.

#include <halfopen/client.hpp>
#include <halfopen/server.hpp>

#include <cstdio>
#include <optional>
#include <string>

using namespace std::chrono_literals;
using halfopen::fate;
using text = std::expected<std::string, fate>;

namespace {

/// One command of Redis, as a line; its reply is one line too.
asio::awaitable<text> command(halfopen::stream& redis, std::string line) {
  const auto sent = co_await redis.write(line, 1s);
  if (!sent) co_return std::unexpected(sent.error());
  const auto reply = co_await redis.read_line(100, 1s);
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->empty() || reply->front() == '-')
    co_return std::unexpected(redis.malformed("Redis said an error"));
  co_return std::string(*reply).substr(1);
}

class visits {
 public:
  visits(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {}

  /// A connection: one request.
  asio::awaitable<fate> serve(halfopen::stream& s) {
    const auto begun = co_await s.next_message(60s);
    if (!begun) co_return begun.error();
    std::string request;
    for (bool first = true;; first = false) {
      const auto line = co_await s.read_line(8192, 10s);
      if (!line) co_return line.error();
      if (first) request = *line;
      if (line->empty() || *line == "\r") break;
    }
    const text body = co_await answer(request);
    const std::string reply = body ? "HTTP/1.0 200 OK\r\n\r\n" + *body + "\n"
                                   : "HTTP/1.0 503 Unavailable\r\n\r\n" + to_string(body.error()) + "\n";
    if (const auto sent = co_await s.write(reply, 10s); !sent) co_return sent.error();
    co_return fate{};
  }

 private:
  asio::awaitable<text> answer(std::string request) {
    const bool visit = request.starts_with("GET /visits ");
    if (!visit && !request.starts_with("GET /health ")) co_return "static";
    // The client belongs to the thread of the connections: the server has one.
    if (!redis_)
      redis_.emplace(co_await asio::this_coro::executor, host_, port_, halfopen::client_options{.most = 16});
    const std::string line = visit ? "INCR visits\r\n" : "PING\r\n";
    const auto exchange = [&](halfopen::stream& redis) { return command(redis, line); };
    // A visit is counted once: what may have arrived is not said again.
    co_return co_await redis_->call(exchange, 3s,
                                    visit ? halfopen::repeat::if_safe : halfopen::repeat::idempotent);
  }

  std::string host_, port_;
  std::optional<halfopen::client> redis_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: visits PORT REDIS_HOST REDIS_PORT\n"), 2;
  visits all(argv[2], argv[3]);
  halfopen::server server({.host = "0.0.0.0", .service = argv[1]},
                          [&](halfopen::stream& s) { return all.serve(s); });
  const auto opened = server.open();
  if (!opened) return std::fprintf(stderr, "%s\n", explain(opened.error()).c_str()), 1;
  const auto done = server.run();
  if (!done) return std::fprintf(stderr, "%s\n", explain(done.error()).c_str()), 1;
}
