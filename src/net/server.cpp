// Several workers behind one door, and the two who may tell them to stop: signals and
// systemd.
//
// SIGTERM and SIGINT are waited for with a handler (asio::signal_set), which is put back
// afterwards: as a namespace's process 1, or started with SIGTERM ignored, a process gets
// the signal even so. signalfd(2) would need the signals blocked in every thread of the
// program, which is not a library's to do.
//
// A server that systemd hands its socket to leaves the queue alone when it stops: the
// socket lives on, and the next process accepts what has come meanwhile. That is how a
// restart loses no connection.

#include "halfopen/server.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <deque>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <vector>

#include "fate/make_fate.hpp"
#include "net/local_socket.hpp"
#include "net/service_manager.hpp"
#include "net/worker.hpp"

namespace halfopen {
namespace {

/// SIGTERM and SIGINT, and what they did before.
class stop_signals {
 public:
  stop_signals(asio::io_context& context, std::function<void()> stop) : signals_(context) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      ::sigaction(numbers[i], nullptr, &before_[i]);
      signals_.add(numbers[i]);
    }
    signals_.async_wait([stop = std::move(stop)](const asio::error_code& why, int) {
      if (!why) stop();
    });
  }
  ~stop_signals() {
    signals_.clear();
    for (std::size_t i = 0; i < numbers.size(); ++i) ::sigaction(numbers[i], &before_[i], nullptr);
  }
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

 private:
  static constexpr std::array numbers{SIGTERM, SIGINT};
  asio::signal_set signals_;
  std::array<struct sigaction, 2> before_{};
};

/// What a server with TLS does on each connection.
asio::awaitable<fate> serve_secured(stream& s, const server_options& options, const server::handler& serve) {
  const auto secured = co_await s.secure(*options.tls, {}, options.handshake_limit);
  if (!secured) co_return secured.error();
  co_return co_await serve(s);
}

}  // namespace

struct server::state {
  state(server_options how, service what) : options(std::move(how)), serve(std::move(what)) {
    if (options.tls && serve.connection)
      serve.connection = [this, then = std::move(serve.connection)](stream& s) {
        return serve_secured(s, options, then);
      };
    for (unsigned i = 0; i < std::max(1U, options.threads); ++i) {
      workers.push_back(std::make_unique<worker>(options, serve, tallies.emplace_back(), i));
      workers.back()->on_failure = [this] { stop(); };
    }
  }

  state(server_options how, stoppable_handler then)
      : state(std::move(how), service{.connection = [this, then = std::move(then)](stream& s) {
                return then(s, stopping.get_token());
              }}) {}

  void stop() {
    stopping.request_stop();  // without the lock: whoever is told may ask the server something
    const std::scoped_lock lock(guard);
    for (const auto& w : workers) w->drain();
    if (options.use_systemd && !workers.empty()) net::tell_service_manager("STOPPING=1");
  }

  /// What its listener is told.
  [[nodiscard]] listen_options listening_of(worker& w) const {
    listen_options how = options.listening;
    how.tell = [&w](const accept_event& what) { w.note(what); };
    return how;
  }

  /// The workers' end, and that of the connections that are left.
  void dismiss() {
    std::vector<std::unique_ptr<worker>> gone;
    {
      const std::scoped_lock lock(guard);
      gone.swap(workers);
    }
  }

  std::expected<void, fate> open_by_name(const server_address& where);
  std::expected<void, fate> open_handed_over(int handed_over);
  std::expected<void, fate> share(worker& w, int listening);

  server_options options;
  service serve;
  std::mutex guard;                       // of the workers: stop() may come from any thread
  std::deque<net::server_tally> tallies;  // one a worker, and longer than it
  std::vector<std::unique_ptr<worker>> workers;
  std::vector<asio::ip::tcp::endpoint> locals;
  std::stop_source stopping;
  bool ready = false;
};

std::expected<void, fate> server::state::open_by_name(const server_address& where) {
  const bool local = net::local_path(where.host).has_value();
  std::string service = where.service;
  for (const auto& w : workers) {
    if (local && w != workers.front()) {  // a Unix socket has no SO_REUSEPORT: all accept from one
      if (auto shared = share(*w, workers.front()->doors.back().native_handle()); !shared) return shared;
      continue;
    }
    listen_options how = listening_of(*w);
    how.share_port = how.share_port || workers.size() > 1;
    auto opened = listener::open(w->context.get_executor(), where.host, service, how);
    if (!opened) return std::unexpected(opened.error());
    w->doors.push_back(std::move(*opened));
    service = std::to_string(w->doors.back().local().port());  // the others share what "0" became
  }
  locals.push_back(workers.front()->doors.back().local());
  return {};
}

/// Copies share one queue, which the kernel deals out among the threads.
std::expected<void, fate> server::state::share(worker& w, int listening) {
  unique_fd copy(::fcntl(listening, F_DUPFD_CLOEXEC, 3));
  if (!copy) return std::unexpected(of_local_failure(accepting, "dup", errno));
  auto adopted = listener::adopt(w.context.get_executor(), std::move(copy), listening_of(w));
  if (!adopted) return std::unexpected(adopted.error());
  w.doors.push_back(std::move(*adopted));
  return {};
}

std::expected<void, fate> server::state::open_handed_over(int handed_over) {
  if (handed_over > 1)
    return std::unexpected(
        of_local_failure(accepting, "systemd handed over more than one socket; this server takes one"));
  for (const auto& w : workers) {
    if (auto shared = share(*w, net::first_handed_over); !shared) return shared;
    w->shares_doors = true;
  }
  locals.push_back(workers.front()->doors.back().local());
  return {};
}

server::server(server_options options, handler serve)
    : state_(std::make_unique<state>(std::move(options), service{.connection = std::move(serve)})) {}
server::server(server_options options, message_handler serve)
    : state_(std::make_unique<state>(std::move(options), service{.message = std::move(serve)})) {}
server::server(server_options options, stoppable_handler serve)
    : state_(std::make_unique<state>(std::move(options), std::move(serve))) {}
server::~server() = default;

std::expected<void, fate> server::open() {
  const auto handed_over =
      state_->options.use_systemd ? net::sockets_handed_over() : std::expected<int, const char*>(0);
  if (!handed_over) return std::unexpected(of_local_failure(accepting, handed_over.error()));
  if (*handed_over > 0) return state_->open_handed_over(*handed_over);
  auto opened = state_->open_by_name({.host = state_->options.host, .service = state_->options.service});
  for (const server_address& another : state_->options.also)
    if (opened) opened = state_->open_by_name(another);
  return opened;
}

asio::ip::tcp::endpoint server::local() const {
  return state_->locals.empty() ? asio::ip::tcp::endpoint{} : state_->locals.front();
}

std::vector<asio::ip::tcp::endpoint> server::all_local() const {
  return state_->locals;
}

void server::stop() {
  state_->stop();
}

server::counts server::count() const {
  counts all;
  for (const net::server_tally& t : state_->tallies) t.add_to(all);
  return all;
}

std::expected<server::outcome, fate> server::run() {
  state& s = *state_;
  std::optional<stop_signals> signals;
  if (s.options.heed_signals) signals.emplace(s.workers.front()->context, [&s] { s.stop(); });
  if (s.options.use_systemd) net::tell_service_manager("READY=1");
  if (s.options.ready) s.options.ready();
  {
    std::vector<std::jthread> others;
    try {
      for (std::size_t i = 1; i < s.workers.size(); ++i)
        others.emplace_back([w = s.workers[i].get()] { w->run(); });
    } catch (const std::system_error&) {  // no thread to be had: those that run are to end
      s.stop();
    }
    s.workers.front()->run();
  }
  std::optional<fate> failed;
  for (const auto& w : s.workers)
    if (w->failed && !failed) failed = w->failed;
  signals.reset();
  s.dismiss();
  if (failed) return std::unexpected(*failed);
  const counts all = count();
  return outcome{.served = all.served, .cut_off = all.cut_off};
}

}  // namespace halfopen
