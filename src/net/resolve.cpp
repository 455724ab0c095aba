// Names to addresses, without blocking. Asio's resolver calls getaddrinfo(3) on a thread of
// its own, so hosts(5), nsswitch.conf(5) and the rest count as for any program; a resolver
// of our own would not see them. That call cannot be cancelled: at the deadline we leave
// it alone, and its answer finds nobody waiting.

#include "net/resolve.hpp"

#include <netdb.h>

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include "fate/make_fate.hpp"
#include "net/channel.hpp"

namespace halfopen::net {
namespace {

using asio::ip::tcp;
using endpoints = std::vector<tcp::endpoint>;

std::optional<endpoints> numeric(const std::string& host, const std::string& service) {
  asio::error_code no;
  const auto address = asio::ip::make_address(host, no);
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(service.data(), service.data() + service.size(), port);
  if (no || code != std::errc{} || end != service.data() + service.size()) return std::nullopt;
  return endpoints{{address, port}};
}

/// gai_strerror(3)'s texts live for ever; netdb's errors are not errnos.
fate failed(const asio::error_code& why) {
  if (why.category() == asio::error::get_system_category())
    return of_local_failure(opening(), "the name cannot be resolved", why.value());
  if (why == asio::error::service_not_found) return of_local_failure(opening(), "no such service");
  if (why == asio::error::host_not_found_try_again)
    return of_local_failure(opening(), "no name server answers");
  return of_local_failure(opening(), "no such name");
}

struct answer {
  explicit answer(const asio::any_io_executor& executor) : here(executor) {}
  asio::steady_timer here;
  std::optional<asio::error_code> why;
  endpoints found;
};

}  // namespace

std::vector<tcp::endpoint> by_turns(const std::vector<tcp::endpoint>& all) {
  endpoints first;
  endpoints second;
  for (const auto& e : all) (e.protocol() == all.front().protocol() ? first : second).push_back(e);
  endpoints mixed;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

asio::awaitable<std::expected<endpoints, fate>> resolve(std::string host, std::string service,
                                                        deadline limit) {
  if (auto known = numeric(host, service)) co_return std::move(*known);
  const auto executor = co_await asio::this_coro::executor;
  const auto a = std::make_shared<answer>(executor);
  const auto resolver = std::make_shared<tcp::resolver>(executor);
  a->here.expires_at(limit.at());
  resolver->async_resolve(host, service,
                          [a, resolver](const asio::error_code& why, const tcp::resolver::results_type& got) {
                            a->why = why;
                            for (const auto& entry : got) a->found.push_back(entry.endpoint());
                            a->here.cancel();
                          });
  asio::error_code woken;
  co_await a->here.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!a->why) resolver->cancel();
  if (is_cancelled(co_await asio::this_coro::cancellation_state))
    co_return std::unexpected(of_stop(opening()));
  if (!a->why) co_return std::unexpected(of_deadline(opening(), "the name was not resolved in time"));
  if (*a->why) co_return std::unexpected(failed(*a->why));
  co_return by_turns(a->found);
}

}  // namespace halfopen::net
