// What a judgement costs, and whether it is the same each time: the whole catalogue, again and again.
//
//   real      the robust echo pair, real clock: wall time against its longest case, since the
//             cases mostly wait, side by side
//   virtual   the same with the virtual clock: what hangs is watched to its end
//   redis     redis-server and redis-cli, as halfopen chooses the clocks
//
// With --load N, N processes compute all the while: what a busy machine changes.

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <vector>

#include "bench/judgements.hpp"
#include "bench/measure.hpp"

namespace halfopen::bench {
namespace {

namespace fs = std::filesystem;

struct options {
  int times = 20;
  int load = 0;  ///< processes that compute all the while
  std::vector<std::string> parts{"real", "virtual", "redis"};
};

struct subject {
  const char* name;
  std::string server, client, clock;
  const char* aim;  ///< of the wall time
};

const std::vector<subject>& subjects() {
  static const std::string echo = HALFOPEN_PROGRAM;
  static const std::string serve = "exec " + echo + " serve echo --listen 0.0.0.0";
  static const std::string call = "(echo one; sleep 1; echo two) | " + echo + " call echo server";
  static const std::vector<subject> all{
      {"real", serve, call, "real", ""},
      {"virtual", serve, call, "virtual", ""},
      {"redis", R"(redis-server --port 6379 --protected-mode no --save "" --dir $HALFOPEN_DIR)",
       "redis-cli -h server ping", "auto", "45"}};
  return all;
}

/// Processes that do nothing but compute, until it is destroyed.
class load {
 public:
  explicit load(int processes) {
    for (int i = 0; i < processes; ++i) {
      const pid_t pid = ::fork();
      if (pid < 0) throw std::runtime_error("cannot fork");
      if (pid > 0) {
        pids_.push_back(pid);
        continue;
      }
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (volatile bool forever = true; forever;) {
      }
    }
  }
  ~load() {
    for (const pid_t pid : pids_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }
  load(const load&) = delete;
  load& operator=(const load&) = delete;

 private:
  std::vector<pid_t> pids_;
};

void measure(const subject& s, int times, const fs::path& folder) {
  fmt::print("\n{}: {}\n", s.name, s.server);
  const bool real = s.clock == "real";
  std::vector<double> wall, ratio, rate, longest;
  std::optional<judged> first;
  std::size_t other = 0;
  for (int i = 1; i <= times; ++i) {
    const judged now =
        judge({"--server", s.server, "--client", s.client, "--clock", s.clock}, ".", folder / "results.json");
    if (!first) first = now;
    other += print_differences(*first, now, i);
    wall.push_back(now.wall);
    longest.push_back(now.longest);
    ratio.push_back(real ? now.wall / now.longest : now.longest / now.wall);
    rate.push_back(static_cast<double>(now.verdicts.size()) / now.wall);
  }
  print("wall time", "s", spread_of(wall), s.aim);
  print(real ? "longest case" : "longest case, of guest time", "s", spread_of(longest));
  print(real ? "wall time to longest case" : "longest case to wall time", "x", spread_of(ratio));
  print("cases a second", "", spread_of(rate));
  fmt::print("  verdicts: {}; {} differ in {} runs (must be 0)\n", counts_of(*first), other, times);
}

int measure_all(const options& o) {
  print_machine();
  const scratch_folder folder;
  const load busy(o.load);
  if (o.load > 0) fmt::print("{} processes compute all the while\n", o.load);
  for (const subject& s : subjects())
    if (std::ranges::find(o.parts, s.name) != o.parts.end()) measure(s, o.times, folder.path());
  fmt::print("\nload average {:.2f} at the end\n", load_average());
  return 0;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  bench::options o;
  CLI::App app("What a judgement costs, and whether it is the same each time", "bench/run judge");
  app.add_option("--times", o.times, "how often each")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--load", o.load, "processes that compute all the while")
      ->capture_default_str()
      ->check(CLI::Range(0, 64));
  app.add_option("parts", o.parts, "real, virtual, redis")
      ->capture_default_str()
      ->check(CLI::IsMember({"real", "virtual", "redis"}));
  CLI11_PARSE(app, argc, argv);
  try {
    return bench::measure_all(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_judge: {}\n", e.what());
    return 1;
  }
}
