// How long it takes a program on the library to know that its peer is gone.
//
//   told      the network says so: from the FIN, RST or ICMP error at the cable to the fate
//             in the program (detect_told.cpp). The kernel has to wake the program, the rest
//             is the library's. The aim is 200 us, at the median and at 99 %.
//   vanished  nobody says so: from the last sign of life, or from the write, to the fate,
//             against the promise that was asked for (detect_vanished.cpp). The aim is never
//             early and at most 10 % late.
//
// The program is a process of its own on the lab's client host (detect_clients.cpp).
// The steady clock is one for all of a machine's processes: network namespaces do not change
// it, and the lab makes no time namespaces (time_namespaces(7)).
//
// Aims that are missed are shown, and do not fail: on a busy machine they say more of it
// than of the library. A fate that is another one than the fault should give fails.

#include "bench/detect.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>

#include "bench/measure.hpp"
#include "halfopen/lab/enter.hpp"
#include "halfopen/liveness.hpp"

namespace halfopen::bench {
namespace {

struct options {
  int times = 300;
  int repeats = 8;
  std::vector<double> within{2, 3, 5, 10};
  bool longer = false;
  std::vector<std::string> parts{"told", "vanished"};
};

std::vector<std::chrono::milliseconds> promises(const options& o) {
  std::vector<std::chrono::milliseconds> all;
  for (const double seconds : o.within)
    all.push_back(std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds)));
  if (o.longer) all.emplace_back(30'000);
  std::ranges::sort(all);
  const auto twice = std::ranges::unique(all);
  all.erase(twice.begin(), twice.end());
  return all;
}

int measure(const options& o) {
  const auto wanted = [&](std::string_view name) {
    return std::ranges::find(o.parts, name) != o.parts.end();
  };
  print_machine();
  const int status = lab::enter([&] {
    bool good = true;
    if (wanted("told")) good = measure_told(o.times);
    if (wanted("vanished")) good = measure_vanished(promises(o), o.repeats) && good;
    return good ? 0 : 1;
  });
  fmt::print("\nload average {:.2f} at the end\n", load_average());
  return status;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && bench::is_client(arguments[0])) return bench::play_client(arguments);
  bench::options o;
  CLI::App app("How soon a program knows that its peer is gone", "bench/run detect");
  app.add_option("--times", o.times, "told: how often each")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  app.add_option("--within", o.within, "vanished: the promises, in seconds")
      ->capture_default_str()
      ->check(CLI::Range(2.0, 600.0));
  app.add_option("--repeats", o.repeats, "vanished: how many connections each")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_flag("--long", o.longer, "vanished: 30 s too");
  app.add_option("parts", o.parts, "told, vanished")
      ->capture_default_str()
      ->check(CLI::IsMember({"told", "vanished"}));
  CLI11_PARSE(app, argc, argv);
  try {
    return bench::measure(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_detect: {}\n", e.what());
    return 1;
  }
}
