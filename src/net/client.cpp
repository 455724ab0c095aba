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
#include <random>
#include <vector>

#include "fate/make_fate.hpp"
#include "net/channel.hpp"
#include "net/retrying.hpp"
#include "net/stream_state.hpp"

namespace halfopen {

struct client::pool {
  pool(asio::any_io_executor ex, std::string h, std::string s, client_options how)
      : executor(std::move(ex)),
        host(std::move(h)),
        service(std::move(s)),
        options(std::move(how)),
        budget(options.retrying.tokens, options.retrying.tokens_per_answer),
        breaker(options.retrying.break_after, options.retrying.probe_after) {
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

  fate not_tried() {
    ++seen.not_tried;
    return of_local_failure(opening(), circuit_is_open);
  }

  std::chrono::milliseconds pause_after(unsigned tried) {
    if (!options.retrying.until_limit) return net::doubled_pause(options.pause, tried);
    if (!chance) chance.emplace(std::random_device{}());
    return net::jittered_pause(options.pause, options.retrying.most_pause, tried,
                               std::uniform_real_distribution<double>(0, 1)(*chance));
  }

  asio::any_io_executor executor;
  std::string host, service;
  client_options options;
  net::retry_budget budget;
  net::circuit_breaker breaker;
  std::optional<std::minstd_rand> chance;
  std::vector<rested> idle;
  std::list<in_line*> waiting;  // first come first served; nobody unless `most` are in use
  std::size_t in_use = 0;
  bool closed = false;
  counts seen;
};

client::lease::lease(std::shared_ptr<pool> of, stream taken) noexcept
    : connection(std::move(taken)), pool_(std::move(of)) {}

client::lease::~lease() {
  if (!pool_) return;
  if (probes_) pool_->breaker.probe_is_over();
  pool_->give_place_back();
}

void client::lease::keep() {
  ++pool_->seen.answered;
  pool_->budget.answered();
  pool_->breaker.answered();
  probes_ = false;
  if (!connection) return;  // the exchange has closed it
  connection.settle();
  if (connection.where() != phase::idle || pool_->closed) return;  // bytes that nobody asked for
  pool_->idle.push_back({std::move(connection), deadline::clock::now()});
}

fate client::lease::note(const fate& why) {
  pool_->seen.tries_failed.add(why);
  if (!net::counts_as_failure(why)) return why;
  using entry = net::circuit_breaker::entry;
  pool_->budget.failed();
  pool_->breaker.failed(deadline::clock::now(),
                        std::exchange(probes_, false) ? entry::probe : entry::ordinary);
  return why;
}

fate client::lease::failed(const fate& why, std::uint64_t handed_over_before) {
  const bool untouched = connection && connection.handed_over() == handed_over_before;
  return note(why.again != retry::safe || untouched ? why : for_request(why, why.when, retry::unknown));
}

asio::awaitable<std::optional<fate>> client::lease::connect_within(deadline limit) {
  using entry = net::circuit_breaker::entry;
  const entry as = pool_->breaker.enter(deadline::clock::now());
  if (as == entry::turned_away) co_return pool_->not_tried();
  probes_ = as == entry::probe;
  connection = pool_->take_idle();
  if (!connection) {
    auto made = co_await connect(pool_->host, pool_->service, limit, pool_->options.connecting);
    if (!made) co_return note(made.error());
    ++pool_->seen.connected;
    connection = std::move(*made);
    if (pool_->options.greet) {
      auto failed = co_await greet(limit);
      if (failed) co_return note(*failed);
    }
  }
  net::stream_state::begin_anew(connection);
  co_return std::nullopt;
}

asio::awaitable<std::optional<fate>> client::lease::greet(deadline limit) {
  auto greeted = co_await pool_->options.greet(connection, limit);
  if (!greeted) co_return before_request(greeted.error());
  if (!connection) co_return of_local_failure(opening(), "the greeting closed the connection");
  connection.settle();
  if (connection.where() != phase::idle)
    co_return before_request(connection.malformed("bytes that nobody asked for"));
  co_return std::nullopt;
}

client::client(asio::any_io_executor executor, std::string host, std::string service, client_options options)
    : pool_(std::make_shared<pool>(std::move(executor), std::move(host), std::move(service),
                                   std::move(options))) {}
client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

asio::awaitable<std::expected<client::lease, fate>> client::take(deadline limit) {
  const std::shared_ptr<pool> p = pool_;
  if (p->breaker.turns_away(deadline::clock::now())) co_return std::unexpected(p->not_tried());
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
  const auto failed = co_await taken.connect_within(limit);
  if (failed) co_return std::unexpected(*failed);
  co_return taken;
}

void client::begin_call() noexcept {
  ++pool_->seen.calls;
}

fate client::end_call(const fate& why) noexcept {
  pool_->seen.calls_failed.add(why);
  return why;
}

bool client::may_repeat(const fate& why, repeat may, unsigned tried, deadline limit) noexcept {
  if (!pool_->options.retrying.until_limit && tried >= pool_->options.tries) return false;
  if (limit.passed() || why.again == retry::pointless) return false;
  switch (why.how) {
    case ending::deadline_passed:
    case ending::shut_down:
    case ending::malformed:
    case ending::local_failure:
      return false;
    default:
      if (why.again != retry::safe && may != repeat::idempotent) return false;
  }
  if (pool_->breaker.turns_away(deadline::clock::now())) return false;
  if (pool_->budget.allows_repeat()) return true;
  ++pool_->seen.throttled;
  return false;
}

asio::awaitable<std::optional<fate>> client::pause(const fate& why, unsigned tried, deadline limit) {
  const bool was_open = why.when != phase::connecting;
  if (was_open) pool_->idle.clear();  // what ended this one may have ended them all
  // A new one may work at once.
  const bool at_once = was_open && (tried == 1 || !pool_->options.retrying.until_limit);
  if (!at_once) {
    asio::steady_timer for_a_moment(pool_->executor);
    for_a_moment.expires_at(min(deadline(pool_->pause_after(tried)), limit).at());
    asio::error_code woken;
    co_await for_a_moment.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (net::is_cancelled(co_await asio::this_coro::cancellation_state)) co_return of_stop(opening());
    if (limit.passed()) co_return why;
  }
  ++pool_->seen.repeated;
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
