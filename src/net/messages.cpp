// A handler of one message: between messages a connection has no coroutine.
//
// A coroutine that waits for its next message keeps its frame, and Asio's of each coroutine that it was begun
// from or awaits: some 1,500 bytes for a connection that may be idle all its life. Here a completion handler
// waits in the connection's channel, which is two words, and a coroutine plays the message once its first
// byte is here.
//
// To begin a coroutine for each message (asio::co_spawn) would cost more than most messages do. So a
// coroutine that has played one waits for the next, of whichever connection: there are as many as messages
// were under way at one time, and of those that have nothing to do a few are kept.

#include <asio/async_result.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "net/stream_state.hpp"
#include "net/worker.hpp"

namespace halfopen {
namespace {

constexpr std::size_t most_free_players = 16;

}  // namespace

/// Of a connection whose last message is over. True if the next one is here; if not, the connection waits for
/// it, or has ended.
bool server::worker::next_message_is_here(of_the_list& here) {
  net::stream_state::of(here->connection).settle();
  if (options.idle_limit.count() > 0) here->idle_until = options.idle_limit;
  return message_is_here(here, net::wake::ready);
}

bool server::worker::message_is_here(of_the_list& here, net::wake last) {
  net::stream_state& s = net::stream_state::of(here->connection);
  if (s.must_wait_for_message(last)) {
    s.idle_wait = true;
    const deadline limit = here->idle_until;
    s.wire().wait(net::direction::reading, limit, [waits = std::move(here)](net::wake why) mutable {
      worker& w = waits.whose();
      net::stream_state::of(waits->connection).message_wait_ended(why);
      if (w.message_is_here(waits, why)) w.play(std::move(waits));
    });
    return false;
  }
  const auto begun = s.begun(last);
  if (!begun) finish(std::move(here), {}, begun.error());
  return begun.has_value();
}

void server::worker::play(of_the_list here) {
  if (free_players.empty()) return asio::co_spawn(context, play_messages(std::move(here)), asio::detached);
  const auto player = std::move(free_players.back());
  free_players.pop_back();
  player->resume(std::move(here));
}

/// With TLS the handshake comes before the first message.
asio::awaitable<stream::result<void>> server::worker::turn_of(session& here) {
  if (options.tls && !std::exchange(here.secured, true))
    return here.connection.secure(*options.tls, {}, options.handshake_limit);
  return serve.message(here.connection);
}

asio::awaitable<void> server::worker::play_messages(of_the_list first) {
  for (std::optional<of_the_list> here(std::move(first));; here.emplace(co_await next_turn())) {
    do {
      std::exception_ptr threw;
      stream::result<void> played;
      try {
        played = co_await turn_of(**here);
      } catch (...) {
        threw = std::current_exception();
      }
      if (threw || !played || !(*here)->connection) {  // it may have closed its connection itself
        finish(std::move(*here), threw, played ? fate{} : played.error());
        break;
      }
    } while (next_message_is_here(*here));
    here.reset();
    if (free_players.size() >= most_free_players) co_return;
  }
}

asio::awaitable<server::worker::of_the_list> server::worker::next_turn() {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(of_the_list)>(
      [this](auto handler) {
        free_players.push_back(std::make_unique<net::resumption<of_the_list>>());
        free_players.back()->emplace(std::move(handler));
      },
      asio::use_awaitable);
}

}  // namespace halfopen
