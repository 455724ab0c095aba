// Sends each line of its input over TLS, and prints the line that comes back.
//
//     tls_client HOST PORT AUTHORITIES
//
// AUTHORITIES is a file of certificates that are trusted. While it waits for input it watches the
// connection too. Exit codes: 0 all lines came back, 1 one did not and stderr says why, 2 bad arguments.

#include <unistd.h>
#include <halfopen/connect.hpp>
#include <halfopen/tls.hpp>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <cstdio>
#include <optional>
#include <string>

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using halfopen::fate;

namespace {

constexpr std::size_t longest_line = 8 << 20;

class input {
 public:
  explicit input(const asio::any_io_executor& executor) : from_(executor, ::dup(STDIN_FILENO)) {}

  /// The next line with its LF; nothing when there are no more.
  asio::awaitable<std::optional<std::string>> line() {
    asio::error_code ended;
    const std::size_t size = co_await asio::async_read_until(
        from_, asio::dynamic_buffer(bytes_), '\n', asio::redirect_error(asio::use_awaitable, ended));
    if (size == 0) co_return std::nullopt;
    std::string taken = bytes_.substr(0, size);
    bytes_.erase(0, size);
    co_return taken;
  }

 private:
  asio::posix::stream_descriptor from_;
  std::string bytes_;
};

/// The fate that ended it; nothing when all was answered.
asio::awaitable<std::optional<fate>> talk(halfopen::stream& s, input& user) {
  for (;;) {
    const auto next = co_await (user.line() || s.ended());
    if (next.index() == 1) co_return std::get<1>(next);
    const auto& request = std::get<0>(next);
    if (!request) co_return std::nullopt;
    const auto sent = co_await s.write(*request, 5s);
    if (!sent) co_return sent.error();
    const auto reply = co_await s.read_line(longest_line, 5s);
    if (!reply) co_return reply.error();
    std::printf("%s\n", std::string(*reply).c_str());
    std::fflush(stdout);
    s.settle();
  }
}

asio::awaitable<void> run(char** argv, std::shared_ptr<const halfopen::tls_context> tls, int& exit_code) {
  input user(co_await asio::this_coro::executor);
  std::optional<fate> why;
  auto s = co_await halfopen::connect(argv[1], argv[2], 5s,
                                      {.connection = {.notice_within = 3s}, .tls = tls.get()});
  if (s) {
    why = co_await talk(*s, user);
    co_await s->close(2s);
  } else {
    why = s.error();
  }
  if (why) std::fprintf(stderr, "%s\n", to_string(*why).c_str());
  exit_code = why ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: tls_client HOST PORT AUTHORITIES\n"), 2;
  const auto tls = halfopen::tls_client({.trust = argv[3]});
  if (!tls) return std::fprintf(stderr, "%s\n", tls.error().c_str()), 2;
  int exit_code = 1;
  asio::io_context context;
  asio::co_spawn(context, run(argv, *tls, exit_code), asio::detached);
  context.run();
  return exit_code;
}
