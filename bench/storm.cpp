// 100,000 connections that are reset before the server has accepted them, while ten
// clients work. Their requests must all be answered, and the server must be left with
// as many descriptors as before.
//
// Linux keeps a connection that is reset in the listener's queue: accept() returns a
// socket whose peer is gone (other systems say ECONNABORTED; accept(2) names both).
// What then goes wrong in servers: getpeername() fails with ENOTCONN, and a library
// that throws there ends the accept loop; an error is taken for the listener's own; a
// handler of a connection that never read is not run, and its socket stays.
//
// That they are reset in the queue must not be a matter of luck. So the server is
// stopped (SIGSTOP) for each burst and the queue's length is read before it goes on
// (SIGCONT): all of the burst are in it, and all are dead. A burst must fit into the
// queue with room to spare; one too many is dropped by the kernel and tried again
// after a second.
//
// The sockets are closed with SO_LINGER 0: an RST at once, and no TIME_WAIT. Each
// burst has a source address of its own, so that ports do not run out while the
// server still holds its side.

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <thread>

#include "bench/load.hpp"
#include "bench/measure.hpp"
#include "bench/server_process.hpp"
#include "bench/servers.hpp"
#include "bench/sockets.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t workers = 10;
constexpr std::chrono::seconds patience{10};

struct options {
  std::size_t connections = 100'000, burst = 512;
  std::vector<std::string> only{"bare", "halfopen"};
};

/// The working clients, in a thread of their own.
class work {
 public:
  explicit work(std::uint16_t port) : clients_(port, workers, 1), thread_([this] { run(); }) {}
  ~work() { end(); }
  work(const work&) = delete;
  work& operator=(const work&) = delete;

  void end() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  /// Of an ended work.
  [[nodiscard]] const load& clients() const { return clients_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void run() try {
    while (!stop_) clients_.run(10ms, waiting::sleep);
  } catch (const std::exception& e) {
    error_ = e.what();
  }

  load clients_;
  std::string error_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

bool until(auto&& holds) {
  const auto limit = clock::now() + patience;
  while (!holds()) {
    if (clock::now() > limit) return false;
    std::this_thread::sleep_for(200us);
  }
  return true;
}

/// Resets `count` connections that are all in the queue; how many of them were seen there.
std::size_t abort_some(const server_process& server, std::uint16_t port, std::size_t count,
                       std::uint32_t from) {
  std::vector<lab::unique_fd> aborted;
  server.send(SIGSTOP);
  for (std::size_t i = 0; i < count; ++i) {
    lab::unique_fd fd = connect_to(port, from);
    if (!fd) throw std::system_error(errno, std::generic_category(), "connect");
    const linger now{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd.reset();
  }
  const std::size_t seen = queue_length(port).value_or(0);
  server.send(SIGCONT);
  return seen;
}

struct storm {
  std::size_t aborted = 0, seen = 0;
  double seconds = 0, draining = 0;
};

storm blow(const server_process& server, std::uint16_t port, const options& o) {
  storm s;
  const auto begin = clock::now();
  for (std::uint32_t burst = 0; s.aborted < o.connections; ++burst) {
    const std::size_t count = std::min(o.burst, o.connections - s.aborted);
    s.seen += abort_some(server, port, count, INADDR_LOOPBACK + 0x10000 + burst);
    s.aborted += count;
    s.draining += seconds_of([&] {
      if (!until([&] { return queue_length(port) == 0U; }))
        throw std::runtime_error("the server does not accept any more. " + server.errors());
    });
    if (burst % 50 == 49) fmt::print(stderr, "  {} connections aborted\n", s.aborted);
  }
  s.seconds = std::chrono::duration<double>(clock::now() - begin).count();
  return s;
}

/// Whether all was as it should be.
bool measure_server(const server_kind& kind, const options& o, std::size_t processor) {
  fmt::print(stderr, "{}\n", kind.name);
  server_process server(kind.command, {processor, {}, -1});
  const std::uint16_t port = server.port();
  work clients(port);
  std::this_thread::sleep_for(200ms);
  const std::size_t before = server.descriptors();
  const double used = server.cpu_seconds();
  const storm s = blow(server, port, o);
  // The clients' connections are open before and after.
  const bool tidy = until([&] { return server.descriptors() <= before; });
  const auto leaked = static_cast<long>(server.descriptors()) - static_cast<long>(before);
  const double spent = server.cpu_seconds() - used;
  std::this_thread::sleep_for(200ms);
  clients.end();

  const auto count = static_cast<double>(s.aborted);
  const bool complete = s.seen >= s.aborted;
  const bool good = tidy && complete && clients.clients().failed() == 0 && clients.error().empty();
  fmt::print("  {:<16}{:>9}{:>10.0f}{:>11.0f}{:>10.2f}{:>11}{:>8}{:>8}  {}\n", kind.name, s.seen,
             count / s.seconds, count / s.draining, spent / count * 1e6, clients.clients().answered(),
             clients.clients().failed(), leaked, good ? "" : "NOT AS IT SHOULD BE");
  if (!complete) fmt::print("  Not all of them were in the queue when they were reset: a smaller --burst?\n");
  if (!clients.error().empty()) fmt::print("  the working clients: {}\n", clients.error());
  std::fflush(stdout);
  return good;
}

int measure(const options& o) {
  raise_descriptor_limit();
  const processors where = choose_processors();
  print_machine();
  fmt::print("\n{} connections reset before accept, {} at a time, while {} clients work\n", o.connections,
             o.burst, workers);
  fmt::print("  {:<16}{:>9}{:>10}{:>11}{:>10}{:>11}{:>8}{:>8}\n", "server", "in queue", "aborts/s",
             "drained/s", "us/abort", "answered", "failed", "leaked");
  pin_to(where.own);
  bool good = true;
  for (const std::string& name : o.only) {
    const auto all = servers();
    const auto kind = std::ranges::find(all, name, &server_kind::name);
    if (kind == all.end()) throw std::runtime_error(fmt::format("there is no server {}", name));
    good = measure_server(*kind, o, where.server) && good;
  }
  fmt::print(
      "  us/abort: the server's processor time, its clients' requests included. failed, leaked: must be 0\n"
      "\nload average {:.2f} at the end\n",
      load_average());
  return good ? 0 : 1;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  bench::options o;
  CLI::App app("Connections that are reset before accept, while others work", "bench/run storm");
  app.add_option("--connections", o.connections, "reset in all")->capture_default_str();
  app.add_option("--burst", o.burst, "how many of them at a time; fewer than the listener's backlog")
      ->capture_default_str()
      ->check(CLI::Range(1, 4000));
  app.add_option("servers", o.only, "which servers")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return bench::measure(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_storm: {}\n", e.what());
    return 1;
  }
}
