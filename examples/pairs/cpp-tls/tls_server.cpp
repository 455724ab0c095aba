// Gives each line back, over TLS.
//
//     tls_server PORT CERTIFICATE KEY
//
// It says on stderr how each connection ended. SIGTERM ends it, with all answered that was asked.

#include <halfopen/server.hpp>
#include <halfopen/tls.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;
using halfopen::fate;

namespace {

constexpr std::size_t longest_line = 8 << 20;

// There is no word of TLS in it: the server has a context, and its streams are as any other.
asio::awaitable<fate> echo(halfopen::stream& s) {
  for (;;) {
    const auto next = co_await s.next_message(halfopen::deadline::never());
    if (!next) co_return next.error();
    const auto line = co_await s.read_line(longest_line, 5s);
    if (!line) co_return line.error();
    const std::string reply = std::string(*line) + "\n";
    const auto sent = co_await s.write(reply, 5s);
    if (!sent) co_return sent.error();
  }
}

void tell(const asio::ip::tcp::endpoint&, const fate& how) {
  std::fprintf(stderr, "%s\n", to_string(how).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: tls_server PORT CERTIFICATE KEY\n"), 2;
  const auto tls = halfopen::tls_server({.certificate = argv[2], .key = argv[3]});
  if (!tls) return std::fprintf(stderr, "%s\n", tls.error().c_str()), 2;

  halfopen::server server({.host = "0.0.0.0",
                           .service = argv[1],
                           .tls = *tls,
                           .handshake_limit = 5s,
                           .listening = {.connection = {.notice_within = 3s}},
                           .ended = tell},
                          echo);
  if (const auto opened = server.open(); !opened)
    return std::fprintf(stderr, "%s\n", explain(opened.error()).c_str()), 1;
  if (const auto done = server.run(); !done)
    return std::fprintf(stderr, "%s\n", explain(done.error()).c_str()), 1;
}
