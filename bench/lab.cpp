// What the lab costs.
//
//   hosts      how long two hosts and their cable take to make and to destroy:
//              what every test of a user pays;
//   ping-pong  what the cable adds to a packet: every one of them wakes the
//              lab's thread, which looks at it and sends it on;
//   bulk       how many packets a second that thread can look at;
//   whole lab  how much longer it takes than its longest run: those run side by
//              side and mostly wait, so the rest is overhead.
//
// The cable is held against a plain veth pair in the same minute on the same
// machine, in turns, because a ratio outlives the machine it was measured on.
// The programs are the same, as processes of their own on both sides: the lab's
// thread competes with them for the processors, as it does in use.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "bench/measure.hpp"
#include "bench/plain_pair.hpp"
#include "bench/traffic.hpp"
#include "halfopen/lab/enter.hpp"
#include "halfopen/lab/experiment.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;

// ---- hosts -----------------------------------------------------------------

struct life {
  double make = 0, destroy = 0;
};

life live_once() {
  life l;
  std::optional<lab::experiment> e;
  l.make = seconds_of([&] { e.emplace(); }) * 1e3;
  l.destroy = seconds_of([&] { e.reset(); }) * 1e3;
  return l;
}

/// In a process that had none before: a fork, which tells through a pipe.
life live_first() {
  int ends[2];
  if (::pipe(ends) < 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    const life l = live_once();
    ::_exit(::write(ends[1], &l, sizeof l) == sizeof l ? 0 : 1);
  }
  life l;
  const bool good = ::read(ends[0], &l, sizeof l) == sizeof l;
  for (const int end : ends) ::close(end);
  ::waitpid(child, nullptr, 0);
  if (!good) throw std::runtime_error("the first experiment of a process failed");
  return l;
}

void print_lives(std::string_view what, life (*live)(), int times, std::string_view aim) {
  std::vector<double> make, destroy, both;
  for (int i = 0; i < times; ++i) {
    const life l = live();
    make.push_back(l.make);
    destroy.push_back(l.destroy);
    both.push_back(l.make + l.destroy);
  }
  print(fmt::format("{}: make", what), "ms", spread_of(make));
  print(fmt::format("{}: destroy", what), "ms", spread_of(destroy));
  print(fmt::format("{}: both", what), "ms", spread_of(both), aim);
}

void measure_hosts() {
  fmt::print("\nTwo hosts with their cable\n");
  print_lives("first in a process", live_first, 15, "");
  live_once();
  print_lives("every further one", live_once, 60, "5 ms, at most 20");
}

// ---- ping-pong and bulk ----------------------------------------------------

/// Two hosts with the cable between them, and the server running.
class through_cable {
 public:
  through_cable() {
    lab::host& server = lab_.at("server");
    server.start({{lab::own_executable(), "serve"}, {}, {}});
    if (!lab_.until_listening(server, 7)) throw std::runtime_error("the server does not listen");
  }

  std::string run_client(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), lab::own_executable());
    const lab::process& client = lab_.at("client").start({std::move(arguments), {}, {}});
    if (!lab_.until_ended(client, 60s)) throw std::runtime_error("the client did not end");
    if (!client.errors().empty()) throw std::runtime_error(client.errors());
    return client.output();
  }

  [[nodiscard]] std::uint64_t lost() const { return lab_.lost_to_capture(); }
  [[nodiscard]] std::uint64_t packets() const { return lab_.packets(); }

 private:
  lab::experiment lab_;
};

struct comparison {
  std::vector<double> cable, plain, ratio;  // ratio: the cable's figure in plain ones
};

/// In turns, so that both meet the same machine.
comparison compare(through_cable& cable, plain_pair& plain, const std::vector<std::string>& client,
                   int times) {
  comparison c;
  for (int i = 0; i < times; ++i) {
    c.cable.push_back(std::stod(cable.run_client(client)));
    c.plain.push_back(std::stod(plain.run_client(client)));
    c.ratio.push_back(c.cable.back() / c.plain.back());
  }
  return c;
}

void measure_traffic() {
  through_cable cable;
  plain_pair plain;
  plain.start_server({"serve"});

  fmt::print("\nPing-pong of 1 byte, medians of 5000 rounds\n");
  const comparison ping = compare(cable, plain, {"ping", server_address, "5000"}, 21);
  print("through the cable", "us", spread_of(ping.cable));
  print("plain veth pair", "us", spread_of(ping.plain));
  print("ratio", "x", spread_of(ping.ratio), "2x, at most 5x");

  fmt::print("\nBulk throughput of one connection, 100 MB a time\n");
  const auto before = cable.packets();
  const comparison bulk = compare(cable, plain, {"fill", server_address, "100000000"}, 15);
  print("through the cable", "Gbit/s", spread_of(bulk.cable), "at least 1 Gbit/s");
  print("plain veth pair", "Gbit/s", spread_of(bulk.plain));
  print("ratio", "x", spread_of(bulk.ratio));
  fmt::print("  {} packets crossed the cable, {} lost to capture (must be 0)\n", cable.packets() - before,
             cable.lost());
}

// ---- the whole lab ---------------------------------------------------------

/// Plays the whole lab once: how long its longest run took, in seconds.
double play_lab(const std::filesystem::path& folder) {
  const auto json = folder / "results.json";
  const auto command = fmt::format("'{}' lab --json '{}' --evidence '{}' > '{}' 2>&1", HALFOPEN_PROGRAM,
                                   json.string(), folder.string(), (folder / "output.txt").string());
  if (std::system(command.c_str()) != 0) fmt::print("  (not all runs were as expected)\n");
  double longest = 0;
  const auto document = nlohmann::json::parse(std::ifstream(json));
  for (const auto& result : document.at("results"))
    longest = std::max(longest, result.at("took_ms").get<double>() / 1e3);
  return longest;
}

void measure_whole_lab() {
  fmt::print("\nThe whole lab (halfopen lab), against its longest run\n");
  const scratch_folder folder;
  std::vector<double> wall, longest, ratio;
  for (int i = 0; i < 3; ++i) {
    wall.push_back(seconds_of([&] { longest.push_back(play_lab(folder.path())); }));
    ratio.push_back(wall.back() / longest.back());
  }
  print("wall time", "s", spread_of(wall));
  print("longest single run", "s", spread_of(longest));
  print("ratio", "x", spread_of(ratio), "1.2x");
}

constexpr std::array<std::string_view, 3> parts{"hosts", "traffic", "whole"};

int measure(const std::vector<std::string>& which) {
  for (const std::string& name : which)
    if (std::ranges::find(parts, name) == parts.end()) {
      fmt::print(stderr, "bench_lab: there is no part {}; there are {}\n", name, fmt::join(parts, ", "));
      return 2;
    }
  const auto wanted = [&](std::string_view name) {
    return which.empty() || std::ranges::find(which, name) != which.end();
  };
  print_machine();
  const int status = lab::enter([&] {
    if (wanted("hosts")) measure_hosts();
    if (wanted("traffic")) measure_traffic();
    return 0;
  });
  if (status == 0 && wanted("whole")) measure_whole_lab();
  fmt::print("\nload average {:.2f} at the end\n", load_average());
  return status;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && bench::is_traffic(arguments[0])) return bench::play_traffic(arguments);
  try {
    return bench::measure(arguments);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_lab: {}\n", e.what());
    return 1;
  }
}
