// The programs on the client's host of bench/run detect: as an ordinary user of the library
// would write them, with a look at the clock as the first thing after a fate.
//
// The first does one thing at a time and takes its orders in between, so it may block on its
// standard input. The second has all its connections at once, and its orders must not keep
// it from them.

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <iostream>
#include <utility>

#include "bench/detect.hpp"
#include "bench/server_process.hpp"
#include "halfopen/connect.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr auto patience = 10s;

void say(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

bool next_order() {
  std::string line;
  return static_cast<bool>(std::getline(std::cin, line));
}

void rethrow(const std::exception_ptr& e) {
  if (e) std::rethrow_exception(e);
}

template <class T>
T need(std::expected<T, fate> found) {
  if (!found) throw std::runtime_error(to_string(found.error()));
  if constexpr (!std::is_void_v<T>) return *std::move(found);
}

// ---- told ------------------------------------------------------------------

asio::awaitable<fate> fate_of(stream& s, bool writes) {
  if (!writes) co_return co_await s.ended();
  if (!next_order()) throw std::runtime_error("told to end in the middle");
  need(co_await s.write("x", patience));
  const auto reply = co_await s.read(deadline::never());
  co_return reply ? s.malformed("bytes that nobody sends") : reply.error();
}

asio::awaitable<void> be_told(tcp::endpoint server, bool writes) {
  const std::vector<tcp::endpoint> addresses(1, server);  // g++ 12 takes no braced list beside co_await
  while (next_order()) {
    stream s = need(co_await connect(addresses, patience));
    say("up");
    const fate f = co_await fate_of(s, writes);
    const auto now = clock::now();
    const double delay = delay_seconds(::getpid());
    say(fmt::format("{} {} {} {:.0f}", to_string(f.how), f.or_else ? to_string(*f.or_else) : "-",
                    nanoseconds(now.time_since_epoch()).count(), delay * 1e9));
  }
}

// ---- vanished --------------------------------------------------------------

/// When the peer was heard last: a segment of any kind. The kernel counts in its ticks.
clock::time_point last_heard(const stream& s) {
  tcp_info info{};
  socklen_t size = sizeof info;
  ::getsockopt(s.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size);
  return clock::now() - milliseconds(std::min(info.tcpi_last_ack_recv, info.tcpi_last_data_recv));
}

class many {
 public:
  many(tcp::endpoint server, int repeats, const std::vector<milliseconds>& promises)
      : server_(std::move(server)), order_(context_, clock::time_point::max()), input_(context_, ::dup(0)) {
    for (const use u : all_uses)
      for (const milliseconds promise : promises)
        for (int i = 0; i < repeats; ++i, ++missing_)
          asio::co_spawn(context_, live(u, promise, spread_over * i / repeats), rethrow);
    asio::co_spawn(context_, wait_for_order(), rethrow);
  }
  void run() { context_.run(); }

 private:
  asio::awaitable<void> sleep_until(clock::time_point when) {
    asio::steady_timer timer(context_, when);
    co_await timer.async_wait(asio::use_awaitable);
  }

  asio::awaitable<void> wait_for_order() {
    co_await input_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    ordered_ = clock::now();
    order_.cancel();
  }

  asio::awaitable<void> live(use u, milliseconds promise, milliseconds exchange_at) {
    connect_options options;
    options.connection.notice_within = promise;
    stream s = need(co_await connect(std::vector(1, server_), patience, options));
    co_await sleep_until(begin_ + exchange_at);
    need(co_await s.write("x", patience));
    s.consume(need(co_await s.read(patience)).size());
    s.settle();
    if (--missing_ == 0) say("ready");
    asio::error_code cancelled;
    co_await order_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));

    const bool late = u == use::written_late;
    if (late) co_await sleep_until(ordered_ + promise / 2);
    const auto since = u == use::idle ? last_heard(s) : clock::now();
    if (u != use::idle)
      need(co_await s.write(std::string(u == use::many_segments ? 20'000 : 1, 'x'), patience));
    const fate f = u == use::idle ? co_await s.ended() : (co_await s.read(deadline::never())).error();
    say(fmt::format("{} {} {} {}", std::to_underlying(u), promise.count(), to_string(f.how),
                    nanoseconds(clock::now() - since).count()));
  }

  /// So that each connection's keepalive timer is in another phase.
  static constexpr milliseconds spread_over{3000};

  asio::io_context context_{1};
  tcp::endpoint server_;
  asio::steady_timer order_;
  asio::posix::stream_descriptor input_;
  clock::time_point begin_ = clock::now() + 500ms, ordered_;
  int missing_ = 0;
};

}  // namespace

bool is_client(std::string_view role) noexcept {
  return role == "client-told" || role == "client-vanished";
}

// Run from main(), with the role as the first argument.
int play_client(const std::vector<std::string>& arguments) {
  const std::string& role = arguments.at(0);
  try {
    const tcp::endpoint server(asio::ip::make_address(arguments.at(1)), detect_port);
    if (role == "client-told") {
      asio::io_context context{1};
      asio::co_spawn(context, be_told(server, arguments.at(2) == "write"), rethrow);
      context.run();
      return 0;
    }
    std::vector<milliseconds> promises;
    for (std::size_t i = 3; i < arguments.size(); ++i) promises.emplace_back(std::stol(arguments[i]));
    many all(server, std::stoi(arguments.at(2)), promises);
    all.run();
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", role, e.what());
    return 1;
  }
}

}  // namespace halfopen::bench
