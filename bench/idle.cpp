// What an idle connection costs a server in memory of its own (the kernel's sockets
// are not in it): 10,000 clients of which nobody speaks, as behind a push service or a
// pool, are memory and little else.
//
// The figure is a slope, from 1,000 connections to 10,000, so that what the server
// needs in any case is not in it. Each connection has had one request answered: what is
// made at the first use, a buffer for instance, is part of the cost, and a buffer that
// is given back is not. Memory is counted in whole pages of anonymous memory that the
// server has touched, so the allocator's waste is in it, as it is for who pays for
// memory. Tables that double in size make single steps uneven; hence the steps beside
// the slope.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <thread>

#include "bench/measure.hpp"
#include "bench/server_process.hpp"
#include "bench/servers.hpp"
#include "bench/sockets.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t spare_descriptors = 64;
constexpr std::size_t least = 1000, step = 1000;
constexpr std::string_view aim = "below 1024 for halfopen";

struct options {
  std::size_t connections = 10'000;
  std::vector<std::string> only;
};

void talk(std::vector<lab::unique_fd>& clients, std::uint16_t port, std::size_t count,
          const server_process& server) {
  while (clients.size() < count) {
    // Another source address for each thousand: the ports of one would suffice, but are searched for longer.
    lab::unique_fd fd =
        connect_to(port, INADDR_LOOPBACK + 0x10000 + static_cast<std::uint32_t>(clients.size() / step));
    if (!fd) throw std::system_error(errno, std::generic_category(), "connect");
    const auto n = static_cast<std::int64_t>(clients.size());
    if (ask(fd.get(), {n, 1}) != answer::right)
      throw std::runtime_error(fmt::format("connection {} had no reply. {}", n, server.errors()));
    clients.push_back(std::move(fd));
  }
}

void measure_server(const server_kind& kind, std::size_t connections) {
  fmt::print(stderr, "{}\n", kind.name);
  std::vector<lab::unique_fd> clients;
  server_process server(kind.command);
  const std::uint16_t port = server.port();
  const auto bytes_at = [&](std::size_t count) {
    talk(clients, port, count, server);
    std::this_thread::sleep_for(50ms);
    return static_cast<double>(server.anonymous_bytes());
  };
  const double alone = bytes_at(0);
  const double first = bytes_at(least);
  std::vector<double> steps;
  double last = first;
  for (std::size_t count = least + step; count <= connections; count += step) {
    const double now = bytes_at(count);
    steps.push_back((now - last) / static_cast<double>(step));
    last = now;
  }
  const spread s = spread_of(steps);
  const auto counted = static_cast<double>(clients.size() - least);
  fmt::print("  {:<18}{:>10.0f}  {:<26}{:>12.0f}{:>14.0f}\n", kind.name, (last - first) / counted,
             fmt::format("{:.0f} ({:.0f} - {:.0f})", s.median, s.least, s.most), alone / 1024, last / 1024);
  std::fflush(stdout);
}

int measure(options o) {
  const std::size_t limit = raise_descriptor_limit();
  if (limit < o.connections + spare_descriptors) {
    const std::size_t possible = limit < spare_descriptors ? 0 : (limit - spare_descriptors) / step * step;
    fmt::print(
        stderr,
        "bench_idle: the hard limit of open descriptors is {} (ulimit -Hn), too few for {} connections; "
        "measuring with {}\n",
        limit, o.connections, possible);
    o.connections = possible;
  }
  if (o.connections < least + step) throw std::runtime_error("too few connections for a slope");
  print_machine();
  fmt::print("\nUser-space memory of an idle connection, from {} to {} of them (aim: {})\n", least,
             o.connections, aim);
  fmt::print("  {:<18}{:>10}  {:<26}{:>12}{:>14}\n", "server", "bytes each", "of each step", "alone, KiB",
             "with all, KiB");
  for (const server_kind& kind : servers())
    if (o.only.empty() || std::ranges::find(o.only, kind.name) != o.only.end())
      measure_server(kind, o.connections);
  return 0;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  bench::options o;
  CLI::App app("What an idle connection costs each server in memory", "bench/run idle");
  app.add_option("--connections", o.connections, "at most")->capture_default_str();
  app.add_option("servers", o.only, "which servers; none: all");
  CLI11_PARSE(app, argc, argv);
  try {
    return bench::measure(std::move(o));
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_idle: {}\n", e.what());
    return 1;
  }
}
