// A pool, and the rule by which a request is sent again.
//
// A connection that was idle may have ended while nobody looked: the server was restarted,
// a middlebox forgot it. A look before use (one recv that finds nothing) catches what has
// arrived by then; a FIN that arrives just after it costs the request, and then the fate
// decides: `safe` if the kernel took no byte of it, else only what the caller has declared
// idempotent is asked again. Never by the errno alone: ECONNRESET says nothing about what
// the server has done.
//
// The connection used last is used first: the others grow old, and are found stale rather
// than kept warm.

#include "halfopen/client.hpp"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <list>
#include <vector>

#include "fate/make_fate.hpp"
#include "net/channel.hpp"

namespace halfopen {

struct client::pool {
  pool(asio::any_io_executor ex, std::string h, std::string s, client_options how)
      : executor(std::move(ex)), host(std::move(h)), service(std::move(s)), options(std::move(how)) {
    if (options.tls) options.connecting.tls = options.tls.get();
  }

  struct rested {
    stream connection;
    deadline::clock::time_point since;
  };

  /// An idle connection that may be used; none if there is none.
  stream take_idle() {
    while (!idle.empty()) {
      rested r = std::move(idle.back());
      idle.pop_back();
      const bool old =
          options.idle_limit.count() > 0 && deadline::clock::now() - r.since > options.idle_limit;
      if (!old && !r.connection.ended_by_now()) return std::move(r.connection);
      ++seen.stale;
    }
    return {};
  }

  [[nodiscard]] bool has_place() const noexcept { return in_use < std::max<std::size_t>(1, options.most); }

  /// Somebody who waits for a place. Should it go without the one it got, the next has it.
  struct in_line {
    in_line(pool& p, deadline limit) : of(p), woken(p.executor, limit.at()) { of.waiting.push_back(this); }
    in_line(const in_line&) = delete;
    in_line& operator=(const in_line&) = delete;
    ~in_line() {
      if (has_place)
        of.give_place_back();
      else
        of.waiting.remove(this);
    }

    pool& of;
    asio::steady_timer woken;
    bool has_place = false;
  };

  /// It is theirs who waited longest from here on: nobody who comes before they have woken
  /// up takes it.
  void give_place_back() noexcept {
    if (waiting.empty()) {
      --in_use;
      return;
    }
    in_line& next = *waiting.front();
    waiting.pop_front();
    next.has_place = true;
    next.woken.cancel();
  }

  asio::any_io_executor executor;
  std::string host, service;
  client_options options;
  std::vector<rested> idle;
  std::list<in_line*> waiting;  // first come first served; nobody unless `most` are in use
  std::size_t in_use = 0;
  bool closed = false;
  counts seen;
};

client::lease::lease(std::shared_ptr<pool> of, stream taken) noexcept
    : connection(std::move(taken)), pool_(std::move(of)) {}

client::lease::~lease() {
  if (pool_) pool_->give_place_back();
}

void client::lease::keep() {
  if (!connection) return;  // the exchange has closed it
  connection.settle();
  if (connection.where() != phase::idle || pool_->closed) return;  // bytes that nobody asked for
  pool_->idle.push_back({std::move(connection), deadline::clock::now()});
}

fate client::lease::of_the_whole(const fate& why, std::uint64_t before) const {
  const bool untouched = connection && connection.handed_over() == before;
  return why.again != retry::safe || untouched ? why : for_request(why, why.when, retry::unknown);
}

client::client(asio::any_io_executor executor, std::string host, std::string service, client_options options)
    : pool_(std::make_shared<pool>(std::move(executor), std::move(host), std::move(service),
                                   std::move(options))) {}
client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

asio::awaitable<std::expected<client::lease, fate>> client::take(deadline limit) {
  const std::shared_ptr<pool> p = pool_;
  if (p->has_place()) {
    ++p->in_use;
  } else {
    pool::in_line mine(*p, limit);
    asio::error_code woken;
    co_await mine.woken.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (net::is_cancelled(co_await asio::this_coro::cancellation_state))
      co_return std::unexpected(of_stop(opening()));
    if (!std::exchange(mine.has_place, false)) co_return std::unexpected(of_deadline(opening()));
  }
  lease taken(p, {});
  if (limit.passed()) co_return std::unexpected(of_deadline(opening()));
  taken.connection = p->take_idle();
  if (!taken.connection) {
    auto made = co_await connect(p->host, p->service, limit, p->options.connecting);
    if (!made) co_return std::unexpected(made.error());
    ++p->seen.connected;
    taken.connection = std::move(*made);
  }
  co_return taken;
}

bool client::may_repeat(const fate& why, repeat may, unsigned tried, deadline limit) const noexcept {
  if (tried >= pool_->options.tries || limit.passed()) return false;
  if (why.again == retry::pointless) return false;
  switch (why.how) {
    case ending::deadline_passed:
    case ending::shut_down:
    case ending::malformed:
    case ending::local_failure:
      return false;
    default:
      return why.again == retry::safe || may == repeat::idempotent;
  }
}

asio::awaitable<std::optional<fate>> client::pause(const fate& why, unsigned tried, deadline limit) {
  ++pool_->seen.repeated;
  if (why.when != phase::connecting) {
    pool_->idle.clear();  // what ended this one may have ended them all; a new one may work at once
    co_return std::nullopt;
  }
  asio::steady_timer for_a_moment(pool_->executor);
  const auto how_long = pool_->options.pause * (1U << std::min(tried - 1, 10U));
  for_a_moment.expires_at(min(deadline(how_long), limit).at());
  asio::error_code woken;
  co_await for_a_moment.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (net::is_cancelled(co_await asio::this_coro::cancellation_state)) co_return of_stop(opening());
  co_return std::nullopt;
}

void client::close() noexcept {
  pool_->closed = true;
  pool_->idle.clear();
}

client::counts client::count() const noexcept {
  counts now = pool_->seen;
  now.idle = pool_->idle.size();
  now.open = now.idle + pool_->in_use;
  return now;
}

}  // namespace halfopen
