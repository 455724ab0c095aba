// Addresses raced against each other. One after the other, a first address that is dead
// costs its whole time limit (127 s if nobody sets one) before the second is tried; all at
// once, servers get connections that nobody wants. RFC 8305 starts them 250 ms apart, and
// the next at once when one has failed.
//
// Each attempt is a small coroutine that owns its socket and reports to the race by waking
// its timer; the race outlives them all, as each holds it. Losers are closed by ending
// their waits.
//
// TCP_USER_TIMEOUT and the rest are set once the connection is open: before, they would
// cut the SYN's retransmission short (tcp_write_timeout() in net/ipv4/tcp_timer.c).
// IP_RECVERR is set before, so that the router is known which sent an ICMP error.

#include "halfopen/connect.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <memory>

#include "fate/make_fate.hpp"
#include "halfopen/liveness.hpp"
#include "net/local_socket.hpp"
#include "net/resolve.hpp"
#include "net/stream_state.hpp"

namespace halfopen {
namespace {

using asio::ip::tcp;
using net::channel;
using net::direction;
using net::wake;

/// The attempts of one connect(), and who won.
struct race {
  race(const asio::any_io_executor& executor, connect_options how, deadline until)
      : woken(executor), options(how), limit(until) {}

  void fail(const tcp::endpoint& to, const fate& why) {
    last = why;
    if (options.failed != nullptr && !over) options.failed->push_back({to, why});
  }

  asio::steady_timer woken;
  connect_options options;
  deadline limit;
  std::vector<std::shared_ptr<channel>> under_way;  // shared: any of them may be destroyed first
  std::shared_ptr<channel> winner;
  tcp::endpoint won_by;
  fate last = of_local_failure(opening(), "no address");
  bool over = false;  // nobody looks at options.failed any more
};

/// A socket that is connecting; null and errno if it never began.
std::shared_ptr<channel> begin(const asio::any_io_executor& executor, const tcp::endpoint& to,
                               const connect_options& options) {
  unique_fd fd(
      ::socket(to.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, to.protocol().protocol()));
  if (!fd) return nullptr;
  if (options.connection.heed_icmp) static_cast<void>(report_icmp(fd.get()));
  if (::connect(fd.get(), to.data(), static_cast<socklen_t>(to.size())) != 0 && errno != EINPROGRESS)
    return nullptr;
  return std::make_shared<channel>(executor, std::move(fd));
}

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool is_connected(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

asio::awaitable<void> try_one(std::shared_ptr<race> r, std::shared_ptr<channel> c, tcp::endpoint to) {
  for (;;) {
    const wake why = co_await c->wait(direction::writing, r->limit);
    if (why == wake::cancelled) {
      if (!r->over && !r->winner) r->fail(to, of_stop(opening(c->fd())));
    } else if (why == wake::timed_out) {
      r->fail(to, of_deadline(opening(c->fd())));
    } else if (const int error = pending_error(c->fd()); error != 0) {
      r->fail(to, of_error(opening(c->fd()), error));
    } else if (!is_connected(c->fd())) {
      continue;  // an edge of another kind
    } else if (!r->winner) {
      std::erase(r->under_way, c);
      r->winner = std::move(c);
      r->won_by = to;
    }
    break;
  }
  if (c) std::erase(r->under_way, c);
  r->woken.cancel();
}

void start(const std::shared_ptr<race>& r, const asio::any_io_executor& executor, const tcp::endpoint& to) {
  std::shared_ptr<channel> c = begin(executor, to, r->options);
  if (!c) return r->fail(to, of_error(opening(), errno));
  r->under_way.push_back(c);
  asio::co_spawn(executor, try_one(r, std::move(c), to), asio::detached);
}

/// Until something happens, or that time.
asio::awaitable<void> wait(race& r, deadline::clock::time_point until) {
  asio::error_code why;
  r.woken.expires_at(until);
  co_await r.woken.async_wait(asio::redirect_error(asio::use_awaitable, why));
}

/// The race may be destroyed with its coroutine at any co_await: the others must not write
/// into the caller's list then.
struct finish {
  std::shared_ptr<race> r;
  explicit finish(std::shared_ptr<race> of) : r(std::move(of)) {}
  finish(const finish&) = delete;
  finish& operator=(const finish&) = delete;
  ~finish() {
    r->over = true;
    for (const auto& c : r->under_way) c->cancel(direction::writing);
  }
};

/// A queue that is full is EAGAIN at once, and nobody says when it has room (unix_stream_connect() in
/// net/unix/af_unix.c).
constexpr std::chrono::milliseconds until_there_is_room{5};

asio::awaitable<std::expected<stream, fate>> connect_locally(std::string path, deadline limit) {
  const auto executor = co_await asio::this_coro::executor;
  const auto address = net::local_address_of(path);
  if (!address) co_return std::unexpected(of_local_failure(opening(), address.error()));
  asio::steady_timer pause(executor);
  while (!limit.passed()) {
    unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) co_return std::unexpected(of_error(opening(), errno));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address->name), address->size) == 0)
      co_return net::stream_state::make(std::make_unique<net::stream_state>(executor, std::move(fd)));
    const int error = errno;
    if (error != EAGAIN && error != EINTR) co_return std::unexpected(of_error(opening(fd.get()), error));
    asio::error_code woken;
    pause.expires_at(min(deadline(until_there_is_room), limit).at());
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (net::is_cancelled(co_await asio::this_coro::cancellation_state))
      co_return std::unexpected(of_stop(opening()));
  }
  co_return std::unexpected(of_deadline(opening()));
}

/// With what the options ask for on a Unix socket: TLS, and the list of those that failed.
asio::awaitable<std::expected<stream, fate>> begin_locally(std::string path, deadline limit,
                                                           connect_options options) {
  auto made = co_await connect_locally(std::move(path), limit);
  if (made && options.tls) {
    const auto secured = co_await made->secure(*options.tls, std::string(options.tls_name), limit);
    if (!secured) made = std::unexpected(secured.error());
  }
  if (!made && options.failed) options.failed->push_back({{}, made.error()});
  co_return made;
}

}  // namespace

asio::awaitable<std::expected<stream, fate>> connect(std::vector<tcp::endpoint> addresses, deadline limit,
                                                     connect_options options) {
  const auto executor = co_await asio::this_coro::executor;
  const auto r = std::make_shared<race>(executor, options, limit);
  const finish at_the_end(r);
  auto next_start = deadline::clock::now();
  std::size_t next = 0;
  while (!r->winner && (next < addresses.size() || !r->under_way.empty())) {
    const std::size_t racing = r->under_way.size();
    if (next < addresses.size() && (racing == 0 || deadline::clock::now() >= next_start)) {
      if (limit.passed()) {
        r->fail(addresses[next], of_deadline(opening()));
        break;
      }
      start(r, executor, addresses[next++]);
      const bool begun = r->under_way.size() > racing;
      next_start = deadline::clock::now() + (begun ? r->options.head_start : std::chrono::milliseconds(0));
      continue;
    }
    co_await wait(*r, next < addresses.size() ? next_start : deadline::clock::time_point::max());
    if (net::is_cancelled(co_await asio::this_coro::cancellation_state))
      co_return std::unexpected(of_stop(opening()));
    if (r->under_way.size() < racing) next_start = deadline::clock::now();  // one has failed
  }
  if (!r->winner) co_return std::unexpected(r->last);
  auto state = std::make_unique<net::stream_state>(std::move(r->winner));
  state->set_options(r->options.connection);
  state->set_peer(r->won_by);
  stream made = net::stream_state::make(std::move(state));
  if (r->options.tls) {
    std::string name(r->options.tls_name);
    if (name.empty()) name = r->won_by.address().to_string();
    const auto secured = co_await made.secure(*r->options.tls, std::move(name), limit);
    if (!secured) {
      r->fail(r->won_by, secured.error());
      co_return std::unexpected(secured.error());
    }
  }
  co_return made;
}

asio::awaitable<std::expected<stream, fate>> connect(std::string host, std::string service, deadline limit,
                                                     connect_options options) {
  if (auto path = net::local_path(host)) {
    auto begun = co_await begin_locally(*std::move(path), limit, options);
    co_return begun;
  }
  if (options.tls_name.empty()) options.tls_name = host;
  auto found = co_await net::resolve(host, std::move(service), limit);
  if (!found) co_return std::unexpected(found.error());
  auto connected = co_await connect(std::move(*found), limit, options);
  co_return connected;
}

}  // namespace halfopen
