// One thread of a server. Each connection is a session in a list, so that the drain finds
// them all, and a coroutine, which takes it out at its end. Nothing here is shared between
// threads: drain() posts.

#include "net/worker.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>

#include "fate/make_fate.hpp"

namespace halfopen {

std::chrono::milliseconds net::usable_grace(std::chrono::milliseconds grace) noexcept {
  return grace - std::min(grace / 10, std::chrono::milliseconds(100));
}

void server::worker::run() {
  if (options.thread_started) options.thread_started(index, context.get_executor());
  for (auto door = doors.begin(); door != doors.end(); ++door)
    asio::co_spawn(context, accept_all(door), asio::detached);
  context.run();
}

void server::worker::drain() {
  asio::post(context, [this] { begin_drain(); });
}

asio::awaitable<void> server::worker::accept_all(std::list<listener>::iterator door) {
  for (;;) {
    auto made = co_await door->accept(deadline::never());
    if (made) {
      begin(std::move(*made));
      continue;
    }
    if (made.error().how != ending::shut_down) {
      failed = made.error();
      on_failure();
    }
    break;
  }
  if (!shares_doors)
    for (stream& waiting : door->take_waiting()) begin(std::move(waiting));
  doors.erase(door);
  stop_if_done();
}

// What an idle connection costs is its coroutine's frame, and Asio's own: hence nothing waits for it here
// but a completion handler.
void server::worker::begin(stream connection) {
  ++tally.served;
  ++tally.open;
  const auto peer = connection.peer();
  const auto here =
      sessions.insert(sessions.end(), session{.connection = std::move(connection), .peer = peer});
  if (draining) here->connection.drain();
  if (serve.message) {
    of_the_list mine(*this, here);
    if (options.tls || next_message_is_here(mine)) play(std::move(mine));
    return;
  }
  asio::co_spawn(
      context, [this, here] { return serve.connection(here->connection); },
      [this, mine = of_the_list(*this, here)](const std::exception_ptr& threw, const fate& how) mutable {
        finish(std::move(mine), threw, how);
      });
}

void server::worker::finish(of_the_list here, const std::exception_ptr& threw, const fate& how) {
  tell(here->peer, threw ? of_local_failure({}, "the handler threw an exception") : how);
  here->said_all = true;
  asio::co_spawn(context, say_goodbye(std::move(here)), asio::detached);
}

void server::worker::tell(const asio::ip::tcp::endpoint& peer, const fate& how) {
  tally.ended(how);
  if (options.ended) options.ended(peer, how);
}

void server::worker::note(const accept_event& what) {
  if (what.what == accept_event::kind::turned_away) ++tally.turned_away;
  if (what.what == accept_event::kind::aborted) ++tally.aborted;
  if (options.listening.tell) options.listening.tell(what);
}

asio::awaitable<void> server::worker::say_goodbye(of_the_list here) {
  co_await here->connection.close(options.linger);
  --tally.open;
  {
    const of_the_list gone(std::move(here));
  }
  stop_if_done();
}

void server::worker::begin_drain() {
  if (std::exchange(draining, true)) return;
  for (listener& door : doors) door.stop();
  for (session& s : sessions)
    if (!s.said_all && s.connection) s.connection.drain();
  asio::co_spawn(context, cut_off_in_time(), asio::detached);
  stop_if_done();
}

asio::awaitable<void> server::worker::cut_off_in_time() {
  asio::error_code cancelled;
  grace.expires_after(net::usable_grace(options.grace));
  co_await grace.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  if (cancelled) co_return;
  // An RST now (tcp_disconnect() in net/ipv4/tcp.c): a FIN first would make half a reply look
  // like a whole one.
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  for (const session& s : sessions) {
    if (s.said_all || !s.connection) continue;
    ++tally.cut_off;
    static_cast<void>(::connect(s.connection.native_handle(), &nobody, sizeof nobody));
  }
  tally.open = 0;
  context.stop();  // and with it go their coroutines
}

void server::worker::stop_if_done() {
  if (draining && doors.empty() && tally.open == 0) context.stop();
}

}  // namespace halfopen
