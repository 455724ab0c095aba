// The server that survives the seven situations: what is left for it to do on top of the
// library (server.hpp, stream.hpp), which is the protocol.
//
// - Each connection is a coroutine with buffers of its own, so half a request keeps nobody
//   waiting, and two requests in a segment are both answered. Who reads no replies is not
//   read from either: the next request is read once the replies are in the kernel's hands.
// - A request that has begun must be whole within a time, or a client that sends a byte a
//   second would hold its place for ever. An idle client may stay as long as it lives.
// - What is wrong with the bytes is said, and the connection closed: after that nobody
//   knows where the next request begins.

#include <fmt/format.h>

#include <cstdio>
#include <sstream>

#include "halfopen/server.hpp"
#include "pair/dialogue.hpp"
#include "pair/kinds.hpp"
#include "pair/sockets.hpp"

namespace halfopen::pair {
namespace {

template <class Endpoint>
std::string text_of(const Endpoint& e) {
  std::ostringstream text;
  text << e;
  return text.str();
}

deadline within(std::chrono::milliseconds limit) {
  return limit.count() > 0 ? deadline(limit) : deadline::never();
}

/// Answers all whole requests that are here, as far as the client takes the answers. Whether
/// there was one.
asio::awaitable<std::expected<bool, fate>> answer(stream& s, answering& talk,
                                                  std::chrono::milliseconds limit) {
  wire::byte_queue out;
  for (bool any = false;; any = true) {
    talk.answer(out);
    if (out.empty()) co_return any;
    const auto sent = co_await s.write(out.view(), within(limit));
    if (!sent) co_return std::unexpected(sent.error());
    out.consume(out.size());
  }
}

asio::awaitable<fate> converse(stream& s, const serve_options& options) {
  answering talk(options);
  for (;;) {
    if (!talk.mid_request())
      if (const auto next = co_await s.next_message(deadline::never()); !next) co_return next.error();
    deadline whole = within(options.timeout);
    do {
      const auto bytes = co_await s.read(whole);
      if (!bytes) co_return bytes.error();
      talk.feed(*bytes);
      s.consume(bytes->size());
      const auto answered = co_await answer(s, talk, options.timeout);
      if (!answered) co_return answered.error();
      if (*answered) whole = within(options.timeout);  // what is left is the next request's beginning
      if (talk.wrong()) co_return s.malformed(describe(*talk.wrong()));
    } while (talk.mid_request());
  }
}

void report(const fate& why, const std::string& name) {
  fmt::print(stderr, "serve: {}: {}\n", name, to_string(why));
}

void on_accept(const accept_event& e, const serve_options& options) {
  switch (e.what) {
    case accept_event::kind::out_of_room:
      fmt::print(stderr, "serve: accept: {}; trying again every {} ms\n", errno_text(e.why.error),
                 listen_options{}.pause.count());
      break;
    case accept_event::kind::aborted:
      if (options.tell_endings) report(e.why, e.peer.port() != 0 ? text_of(e.peer) : "?");
      break;
    default:
      break;
  }
}

server_options options_for(const serve_options& options) {
  server_options made;
  made.host = options.listen_address;
  made.service = std::to_string(options.port);
  made.grace = options.grace;
  made.listening.connection.notice_within = options.notice_within;
  made.listening.tell = [&options](const accept_event& e) { on_accept(e, options); };
  made.ended = [&options](const auto& peer, const fate& how) {
    const bool orderly = how.how == ending::completed || how.how == ending::shut_down;
    if (!orderly || options.tell_endings) report(how, text_of(peer));
  };
  return made;
}

}  // namespace

int serve_robustly(const serve_options& options) {
  server_options how = options_for(options);
  const server* listening = nullptr;
  how.ready = [&listening] {
    fmt::print("listening on {}\n", text_of(listening->local()));
    std::fflush(stdout);
  };
  server s(std::move(how), [&options](stream& c) { return converse(c, options); });
  listening = &s;
  if (const auto opened = s.open(); !opened) {
    fmt::print(stderr, "serve: {} {}:{}: {}\n", opened.error().detail, options.listen_address, options.port,
               opened.error().error != 0 ? errno_text(opened.error().error) : "failed");
    return 1;
  }
  const auto outcome = s.run();
  if (!outcome) {
    fmt::print(stderr, "serve: accept: {}\n", to_string(outcome.error()));
    return 1;
  }
  if (outcome->cut_off > 0)
    fmt::print(stderr, "serve: the grace is over, connections cut off: {}\n", outcome->cut_off);
  return 0;
}

}  // namespace halfopen::pair
