// Restarts a server 200 times under load and counts the requests that are lost; none
// may be.
//
// Two things are needed for that. The listening socket must outlive the server, else a
// connection in its queue is reset and one that comes meanwhile is refused: this
// program keeps it and hands it to each server, as systemd does with a .socket unit
// (sd_listen_fds(3): descriptor 3, LISTEN_FDS, LISTEN_PID). And the server must end in
// order on SIGTERM: answer what was asked, then close, without a reset. The rest is
// the clients' part, see callers.cpp.
//
// The alternatives keep two servers for a moment: SO_REUSEPORT loses what is in the
// queue of the socket that closes (before tcp_migrate_req, Linux 5.14), and a server
// that passes its socket to its successor (SCM_RIGHTS) must itself be right about it.
//
// The next server starts when the last has ended, which is systemd's order, so the time
// for that is in the slowest request. Each serves at least one request and --serve
// milliseconds before it is stopped.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <thread>

#include "bench/callers.hpp"
#include "bench/measure.hpp"
#include "bench/server_process.hpp"
#include "bench/servers.hpp"
#include "bench/sockets.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned callers_of_a_kind = 4;
constexpr std::chrono::seconds time_for_first_reply{10};

struct options {
  int restarts = 200;
  int serve_ms = 30;
  std::vector<std::string> only;
};

lab::unique_fd listen_somewhere() {
  lab::unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_in here = loopback(0);
  const int on = 1;
  if (!fd || ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0)
    throw std::system_error(errno, std::generic_category(), "listen");
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in here{};
  socklen_t size = sizeof here;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size);
  return ntohs(here.sin_port);
}

/// What one caller, in its thread, has seen.
struct tally {
  std::vector<double> latencies;  // ms
  std::uint64_t lost = 0, sent_again = 0;
};

class crowd {
 public:
  crowd(std::uint16_t port, const caller_kind& kind, unsigned first) : tallies_(callers_of_a_kind) {
    for (unsigned i = 0; i < callers_of_a_kind; ++i)
      threads_.emplace_back([&, port, kind, i, first] { run(tallies_[i], *kind.make(port, first + i)); });
  }
  ~crowd() { end(); }
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  void end() {
    stop_ = true;
    for (std::thread& t : threads_)
      if (t.joinable()) t.join();
  }
  [[nodiscard]] std::uint64_t answered() const { return answered_; }

  /// Of an ended crowd.
  [[nodiscard]] tally sum() const {
    tally all;
    for (const tally& t : tallies_) {
      all.latencies.insert(all.latencies.end(), t.latencies.begin(), t.latencies.end());
      all.lost += t.lost;
      all.sent_again += t.sent_again;
    }
    return all;
  }

 private:
  void run(tally& t, caller& client) {
    for (std::int64_t n = 0; !stop_; ++n) {
      bool good = false;
      t.latencies.push_back(1e3 * seconds_of([&] { good = client.call({n, -2 * n}); }));
      if (good)
        ++answered_;
      else
        ++t.lost;
    }
    t.sent_again = client.sent_again();
  }

  std::vector<tally> tallies_;
  std::atomic<std::uint64_t> answered_ = 0;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

/// Starts, lets serve, stops, and so on.
class supervisor {
 public:
  supervisor(const server_kind& kind, std::size_t processor, int listener)
      : kind_(kind), setting_{processor, {}, listener} {
    start();
  }

  /// `answered`: how many requests were, by any server.
  void restart(const options& o, auto&& answered) {
    const std::uint64_t before = answered();
    const auto limit = clock::now() + time_for_first_reply;
    std::this_thread::sleep_for(std::chrono::milliseconds(o.serve_ms));
    while (answered() == before) {
      if (clock::now() > limit || !server_->runs())
        throw std::runtime_error(fmt::format("{} does not serve. {}", kind_.name, server_->errors()));
      std::this_thread::sleep_for(1ms);
    }
    stops_.push_back(1e3 * seconds_of([&] { stop(); }));
    start();
  }
  void stop() {
    if (server_->stop()) ++killed_;
  }

  [[nodiscard]] const std::vector<double>& stops() const { return stops_; }
  [[nodiscard]] int killed() const { return killed_; }

 private:
  void start() { server_ = std::make_unique<server_process>(kind_.command, setting_); }

  const server_kind& kind_;
  server_setting setting_;
  std::unique_ptr<server_process> server_;
  std::vector<double> stops_;  // ms from SIGTERM to the end
  int killed_ = 0;
};

std::uint64_t print_crowd(std::string_view name, tally t) {
  const std::size_t count = t.latencies.size();
  const double median = at_quantile(t.latencies, 0.5), rare = at_quantile(t.latencies, 0.999),
               slowest = at_quantile(t.latencies, 1);
  fmt::print("  {:<24}{:>10}{:>12}{:>8}{:>12.3f}{:>10.2f}{:>10.2f}\n", name, count, t.sent_again, t.lost,
             median, rare, slowest);
  return t.lost;
}

/// How many requests were lost.
std::uint64_t measure_server(const server_kind& kind, const options& o, const processors& where) {
  const lab::unique_fd listener = listen_somewhere();
  const std::uint16_t port = port_of(listener.get());
  supervisor servers(kind, where.server, listener.get());
  std::vector<std::unique_ptr<crowd>> crowds;
  const std::vector<caller_kind> callers = caller_kinds();
  for (const caller_kind& c : callers)
    crowds.push_back(
        std::make_unique<crowd>(port, c, 1 + callers_of_a_kind * static_cast<unsigned>(crowds.size())));
  for (int i = 0; i < o.restarts; ++i) {
    servers.restart(o, [&] {
      std::uint64_t sum = 0;
      for (const auto& c : crowds) sum += c->answered();
      return sum;
    });
    if (i % 50 == 49) fmt::print(stderr, "{}: {} restarts\n", kind.name, i + 1);
  }
  for (const auto& c : crowds) c->end();
  servers.stop();

  fmt::print("\n{}, {} restarts\n", kind.name, o.restarts);
  print("from SIGTERM to the end", "ms", spread_of(servers.stops()));
  if (servers.killed() != 0) fmt::print("  {} had to be killed\n", servers.killed());
  fmt::print("  {:<24}{:>10}{:>12}{:>8}{:>12}{:>10}{:>10}\n",
             fmt::format("clients, {} of each", callers_of_a_kind), "requests", "sent again", "lost",
             "median, ms", "99.9%", "slowest");
  std::uint64_t lost = 0;
  for (std::size_t i = 0; i < crowds.size(); ++i) lost += print_crowd(callers[i].name, crowds[i]->sum());
  fmt::print("  lost (must be 0): {}\n", lost);
  std::fflush(stdout);
  return lost;
}

int measure(const options& o) {
  const auto all = servers();
  const processors where = choose_processors();
  print_machine();
  pin_to(where.own);
  std::uint64_t lost = 0;
  for (const server_kind& kind : all) {
    const bool named = std::ranges::find(o.only, kind.name) != o.only.end();
    if (!named && (!o.only.empty() || kind.is == role::library)) continue;
    lost += measure_server(kind, o, where);
  }
  fmt::print("\nload average {:.2f} at the end\n", load_average());
  return lost == 0 ? 0 : 1;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  bench::options o;
  CLI::App app("Requests lost while a server is restarted under load", "bench/run restart");
  app.add_option("--restarts", o.restarts)->capture_default_str()->check(CLI::Range(1, 100'000));
  app.add_option("--serve", o.serve_ms, "milliseconds from a start to the next stop, at least")
      ->capture_default_str()
      ->check(CLI::Range(0, 10'000));
  app.add_option(
      "servers", o.only,
      "which servers; none: bare and halfopen. The others end at once on SIGTERM and do lose requests");
  CLI11_PARSE(app, argc, argv);
  try {
    return bench::measure(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_restart: {}\n", e.what());
    return 1;
  }
}
