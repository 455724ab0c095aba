// What it costs to judge a service that depends on another one: node, ioredis and redis of
// examples/systems/node-ioredis, all outages.
//
//   start     a system of three hosts with trivial programs, from `halfopen up` to its first served ask,
//   against
//             the same three programs started one after the other without a lab
//   default   as halfopen chooses the clocks
//   full      with the virtual clock alone: every outage at full length, hours in all; the same each time, to
//   the
//             millisecond?

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <vector>

#include "bench/judgements.hpp"
#include "bench/measure.hpp"

namespace halfopen::bench {
namespace {

namespace fs = std::filesystem;

struct options {
  int times = 10;
  std::vector<std::string> parts{"start", "default", "full"};
};

/// A program of ours until it prints that word, which it does on either output; then SIGINT ends it.
double until_it_says(const std::vector<std::string>& words, const char* word) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  const auto began = clock::now();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("cannot fork");
  if (pid == 0) {
    for (const int fd : {1, 2}) ::dup2(ends[1], fd);
    std::vector<char*> argv;
    for (const std::string& w : words) argv.push_back(const_cast<char*>(w.c_str()));
    argv.push_back(nullptr);
    ::close_range(3, ~0U, 0);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  std::FILE* said = ::fdopen(ends[0], "r");
  std::array<char, 4096> line{};
  bool seen = false;
  std::string all;
  while (!seen && std::fgets(line.data(), line.size(), said) != nullptr) {
    all += line.data();
    seen = std::string_view(line.data()).contains(word);
  }
  const double took = std::chrono::duration<double>(clock::now() - began).count();
  ::kill(pid, SIGINT);
  while (std::fgets(line.data(), line.size(), said) != nullptr) {
  }
  std::fclose(said);
  ::waitpid(pid, nullptr, 0);
  if (!seen) throw std::runtime_error(fmt::format("{} never said '{}':\n{}", words.front(), word, all));
  return took;
}

void measure_start(int times, const fs::path& folder) {
  fmt::print("\nstart: three hosts, each with the echo server, and an ask that does nothing\n");
  const fs::path file = folder / "halfopen.toml";
  const std::string server = HALFOPEN_PROGRAM " serve echo --listen ";
  std::ofstream settings(file);
  std::string needs;
  for (const char* name : {"a", "b", "c"}) {
    settings << fmt::format("[hosts.{}]\nrun = \"exec {}0.0.0.0\"\nport = 7007\n{}", name, server, needs);
    needs = fmt::format("needs = [\"{}\"]\n", name);
  }
  settings << "[probe]\nrun = \"true\"\n";
  settings.close();
  std::vector<double> with, without, more;
  for (int i = 0; i < times; ++i) {
    with.push_back(1e3 * until_it_says({HALFOPEN_PROGRAM, "up", "--no-capture", file}, "is served"));
    double alone = 0;
    for (int n = 0; n < 3; ++n)
      alone += 1e3 * until_it_says({HALFOPEN_PROGRAM, "serve", "echo", "--listen", "127.0.0.1"}, "127.0.0.1");
    without.push_back(alone);
    more.push_back(with.back() - alone);
  }
  print("up, until the first ask is served", "ms", spread_of(with));
  print("the three programs alone", "ms", spread_of(without));
  print("what the system's start takes beyond them", "ms", spread_of(more), "50");
}

void measure_outages(const char* name, const std::string& clock_of_it, const char* aim, int times,
                     const fs::path& folder) {
  const fs::path example = fs::path(HALFOPEN_SOURCE) / "examples/systems/node-ioredis";
  if (!fs::exists(example / "node_modules"))
    throw std::runtime_error(fmt::format("npm install in {} first", example.string()));
  fmt::print("\n{}: {}, all outages, --clock {}\n", name, example.string(), clock_of_it);
  std::vector<double> wall, all;
  std::optional<judged> first;
  std::size_t other = 0, other_figures = 0;
  for (int i = 1; i <= times; ++i) {
    const judged now = judge({"--clock", clock_of_it}, example, folder / "results.json");
    if (!first) first = now;
    other += print_differences(*first, now, i);
    for (const auto& [id, words] : now.happened)
      if (words != first->happened[id]) ++other_figures;
    wall.push_back(now.wall);
    all.push_back(now.all / 60);
  }
  print("wall time", "s", spread_of(wall), aim);
  print("the cases' own time, one after the other", "min", spread_of(all));
  fmt::print("  verdicts: {}; {} differ in {} runs (must be 0); {} times another figure\n", counts_of(*first),
             other, times, other_figures);
}

int measure_all(const options& o) {
  print_machine();
  const scratch_folder folder;
  const auto wanted = [&](const char* part) { return std::ranges::find(o.parts, part) != o.parts.end(); };
  if (wanted("start")) measure_start(o.times, folder.path());
  if (wanted("default")) measure_outages("default", "auto", "60", o.times, folder.path());
  if (wanted("full")) measure_outages("full", "virtual", "120", o.times, folder.path());
  fmt::print("\nload average {:.2f} at the end\n", load_average());
  return 0;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  bench::options o;
  CLI::App app("What it costs to judge a service that depends on another one", "bench/run systems");
  app.add_option("--times", o.times, "how often each")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("parts", o.parts, "start, default, full")
      ->capture_default_str()
      ->check(CLI::IsMember({"start", "default", "full"}));
  CLI11_PARSE(app, argc, argv);
  try {
    return bench::measure_all(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_systems: {}\n", e.what());
    return 1;
  }
}
