// A server of sums: "1 2\n" asks, "3\n" answers (docs/wire-format.md).
//
//     sum_server [PORT]
//
// It says how each connection ended. SIGTERM ends it, with all answered that was asked.

#include <halfopen/server.hpp>
#include <halfopen/wire/text.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;
using namespace halfopen::wire;
using halfopen::fate;

namespace {

sum_reply answer(std::string_view line) {
  const auto numbers = text::decode_request(line);
  return numbers ? add(*numbers) : std::unexpected(answer_to(numbers.error()));
}

asio::awaitable<fate> serve(halfopen::stream& s) {
  text::framer lines(4096);
  for (;;) {
    // The next request may be here already, in the same segment as the last one.
    if (!lines.mid_message()) {
      const auto begun = co_await s.next_message(60s);
      if (!begun) co_return begun.error();
    }
    const auto line = co_await s.read_message(lines, 10s);
    if (!line && line.error().how != halfopen::ending::malformed) co_return line.error();
    const auto reply = line ? answer(*line) : std::unexpected(answer_to(lines.next().error()));
    const std::string bytes = text::encode(reply);
    const auto sent = co_await s.write(bytes, 10s);
    if (!sent) co_return sent.error();
    if (!reply && ends_connection(reply.error())) co_return s.malformed(to_string(reply.error()));
  }
}

void tell(const asio::ip::tcp::endpoint& peer, const fate& how) {
  std::printf("%s: %s\n", peer.address().to_string().c_str(), to_string(how).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  halfopen::server server({.service = argc > 1 ? argv[1] : "0", .ended = tell}, serve);
  const auto opened = server.open();
  if (!opened) return std::fprintf(stderr, "%s\n", explain(opened.error()).c_str()), 1;
  std::printf("listening on port %u\n", server.local().port());
  std::fflush(stdout);
  const auto done = server.run();
  if (!done) return std::fprintf(stderr, "%s\n", explain(done.error()).c_str()), 1;
  std::printf("served %zu, cut off %zu\n", done->served, done->cut_off);
}
