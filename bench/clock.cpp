// What the virtual clock costs and gives.
//
//   start     a guest that does nothing, from the fork to the end: kernel, init, job, power-off
//   jump      guest seconds a real second of a guest in which one program sleeps
//   whole     halfopen lab --clock virtual: guest seconds a real second of the longest guest
//             time in it, real time, memory of each guest at its most
//   redis     all cases of halfopen test with redis-server and redis-cli, under the virtual clock alone
//   slowdown  a program that only computes, and one that only makes system calls, inside
//             against outside, without the start
//   costs     what a guest's time goes into, each alone: a system call, a look at the clock, a first touch
//             of a page, a fork, a start of a small program and of a large one
//
// Guest seconds of the whole lab are counted once, however many guests pass them side by
// side: they are the longest run's, as a user sees it in the table.

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "bench/measure.hpp"
#include "clock/guest.hpp"
#include "clock/guest_init.hpp"
#include "halfopen/lab/experiment.hpp"

namespace halfopen::bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct options {
  int times = 10;
  std::vector<std::string> parts{"start", "jump", "whole", "redis", "slowdown", "costs"};
};

halfopen::clock::guest_end in_a_guest(const halfopen::clock::kernel& k, std::vector<std::string> argv) {
  namespace vc = halfopen::clock;
  vc::guest_options how;
  how.standstill_limit = 0ms;  // to compute is what some of them are for
  vc::guest g(k, vc::job_here(std::move(argv)), how);
  vc::guest* const all[]{&g};
  while (!g.ended()) vc::wait_for_any(all, 10ms);
  if (g.ended()->how != vc::guest_fate::done || g.ended()->code != 0)
    throw std::runtime_error(vc::in_words(*g.ended()));
  return *g.ended();
}

void measure_start(const halfopen::clock::kernel& k, int times) {
  fmt::print("\nstart\n");
  std::vector<double> ms;
  for (int i = 0; i < times; ++i) ms.push_back(seconds_of([&] { (void)in_a_guest(k, {"true"}); }) * 1e3);
  print("a guest that does nothing, start to end", "ms", spread_of(ms), "150");
}

void measure_jump(const halfopen::clock::kernel& k, int times) {
  fmt::print("\njump\n");
  std::vector<double> rate;
  for (int i = 0; i < times; ++i) {
    const auto end = in_a_guest(k, {"sleep", "86400"});
    rate.push_back(std::chrono::duration<double>(end.guest_time).count() /
                   std::chrono::duration<double>(end.real_time).count());
  }
  print("guest seconds a real second, one sleeper", "", spread_of(rate));
}

// ---- the whole lab ----------------------------------------------------------

std::vector<int> children_of(int pid) {
  const std::string self = std::to_string(pid);
  std::ifstream file("/proc/" + self + "/task/" + self + "/children");
  std::vector<int> all;
  for (int child = 0; file >> child;) all.push_back(child);
  return all;
}

long pss_kib(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string name, rest; file >> name && std::getline(file, rest);)
    if (name == "Pss:") return std::strtol(rest.c_str(), nullptr, 10);
  return 0;
}

/// The most that each guest of that program had, by its process.
void take_memory(int program, std::map<int, double>& most) {
  for (const int guest : children_of(program)) {
    long sum = pss_kib(guest);
    for (const int child : children_of(guest)) sum += pss_kib(child);
    if (sum < 5000) continue;  // one that has not begun, or a guest's janitor
    double& so_far = most[guest];
    so_far = std::max(so_far, static_cast<double>(sum) / 1024);
  }
}

struct whole {
  double real = 0, guest = 0;
  std::map<int, double> memory;
};

whole run_the_lab(const fs::path& folder) {
  const std::string json = folder / "results.json";
  const std::string evidence = folder / "evidence";
  std::vector<const char*> argv{HALFOPEN_PROGRAM, "lab",        "--clock",        "virtual", "--json",
                                json.c_str(),     "--evidence", evidence.c_str(), nullptr};
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  whole w;
  const auto began = clock::now();
  pid_t pid = -1;
  if (::posix_spawn(&pid, argv[0], &quiet, nullptr, const_cast<char* const*>(argv.data()), environ) != 0)
    throw std::runtime_error("cannot start " HALFOPEN_PROGRAM);
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    take_memory(pid, w.memory);
    std::this_thread::sleep_for(100ms);
  }
  w.real = std::chrono::duration<double>(clock::now() - began).count();
  if (status != 0) throw std::runtime_error("the lab did not end as expected");
  std::ifstream file(json);
  const auto results = nlohmann::json::parse(file);
  for (const auto& r : results.at("results"))
    w.guest = std::max(w.guest, r.at("took_ms").get<double>() / 1e3);
  return w;
}

void measure_whole(int times) {
  fmt::print("\nwhole\n");
  const scratch_folder folder;
  std::vector<double> real, rate, memory;
  for (int i = 0; i < times; ++i) {
    const whole w = run_the_lab(folder.path());
    real.push_back(w.real);
    rate.push_back(w.guest / w.real);
    for (const auto& [pid, mb] : w.memory) memory.push_back(mb);
  }
  print("the lab at full length, real time", "s", spread_of(real), "30");
  print("guest seconds a real second", "", spread_of(rate), "1000");
  print("memory of a guest at its most", "MB", spread_of(memory), "150");
}

// ---- slow-down --------------------------------------------------------------

constexpr int calls = 300'000;
constexpr std::uint64_t rounds = 1'000'000'000;

int compute() {
  std::uint64_t x = 1;
  for (std::uint64_t i = 0; i < rounds; ++i) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
  return x == 0 ? 1 : 0;  // never, but the compiler does not know
}

int call() {
  for (int i = 0; i < calls; ++i) ::syscall(SYS_getppid);
  return 0;
}

void measure_slowdown(const halfopen::clock::kernel& k, int times, const char* what, int (*work)(),
                      const std::string& argument, const char* aim) {
  std::vector<double> ratio;
  std::vector<double> outside;
  for (int i = 0; i < times; ++i) {
    const double out = seconds_of([&] { (void)work(); });
    const double empty = seconds_of([&] { (void)in_a_guest(k, {lab::own_executable(), "--nothing"}); });
    const double in = seconds_of([&] { (void)in_a_guest(k, {lab::own_executable(), argument}); });
    ratio.push_back((in - empty) / out);
    outside.push_back(out * 1e3);
  }
  print(fmt::format("{}, outside", what), "ms", spread_of(outside));
  print(fmt::format("{}, inside to outside", what), "x", spread_of(ratio), aim);
}

// ---- by category ------------------------------------------------------------

/// One kind of work that a guest's program does, so many times.
struct kind {
  const char* argument;
  const char* name;
  int times;
  void (*once)();
};

void touch_a_page() {
  constexpr std::size_t room = 64 << 20;
  static std::size_t next = room;
  static char* memory = nullptr;
  if (next == room) {
    memory =
        static_cast<char*>(::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    next = 0;
  }
  memory[next] = 1;
  next += 4096;
}

void fork_and_end() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
}

void start(const char* program, const char* argument) {
  const char* argv[]{program, argument, nullptr};
  pid_t child = -1;
  if (::posix_spawn(&child, program, nullptr, nullptr, const_cast<char* const*>(argv), environ) == 0)
    ::waitpid(child, nullptr, 0);
}

constexpr kind kinds[]{
    {"--calls", "a system call", 100'000, [] { ::syscall(SYS_getppid); }},
    {"--looks", "a look at the clock", 1'000'000, [] { (void)clock::now(); }},
    {"--pages", "the first touch of a page, one after the other", 16'000, touch_a_page},
    {"--forks", "a fork, its child's end and waiting for it", 200, fork_and_end},
    {"--small", "a start of true", 100, [] { start("/usr/bin/true", nullptr); }},
    {"--large", "a start of halfopen", 50, [] { start(HALFOPEN_PROGRAM, "--version"); }},
};

void measure_costs(const halfopen::clock::kernel& k, int times) {
  fmt::print("\ncosts\n");
  for (const kind& one : kinds) {
    std::vector<double> us;
    for (int i = 0; i < times; ++i) {
      const double empty = seconds_of([&] { (void)in_a_guest(k, {lab::own_executable(), "--nothing"}); });
      const double in = seconds_of([&] { (void)in_a_guest(k, {lab::own_executable(), one.argument}); });
      us.push_back((in - empty) / one.times * 1e6);
    }
    print(one.name, "us", spread_of(us));
  }
}

void measure_redis(int times) {
  fmt::print("\nredis\n");
  constexpr const char* server =
      R"(redis-server --port 6379 --protected-mode no --save "" --dir $HALFOPEN_DIR)";
  const char* const argv[]{HALFOPEN_PROGRAM, "test", "--clock",  "virtual",
                           "--server",       server, "--client", "redis-cli -h server ping",
                           nullptr};
  std::vector<double> real;
  for (int i = 0; i < times; ++i)
    real.push_back(seconds_of([&] {
      posix_spawn_file_actions_t quiet;
      ::posix_spawn_file_actions_init(&quiet);
      ::posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
      ::posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
      pid_t pid = -1;
      if (::posix_spawn(&pid, argv[0], &quiet, nullptr, const_cast<char* const*>(argv), environ) != 0)
        throw std::runtime_error("cannot start " HALFOPEN_PROGRAM);
      int status = 0;
      ::waitpid(pid, &status, 0);
      ::posix_spawn_file_actions_destroy(&quiet);
      // 1: some of its cases fail, and are told.
      if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        throw std::runtime_error("halfopen test did not end as expected");
    }));
  print("redis's cases, real time", "s", spread_of(real), "100");
}

int measure(const options& o) {
  const auto wanted = [&](std::string_view name) {
    return std::ranges::find(o.parts, name) != o.parts.end();
  };
  print_machine();
  const auto k = halfopen::clock::find_kernel();
  if (!k) throw std::runtime_error("the kernel is not there: halfopen clock build");
  fmt::print("guest     {}\n", k->key);
  if (wanted("start")) measure_start(*k, o.times);
  if (wanted("jump")) measure_jump(*k, o.times);
  if (wanted("whole")) measure_whole(std::max(1, o.times / 3));
  if (wanted("redis")) measure_redis(std::max(1, o.times / 5));
  if (wanted("slowdown")) {
    fmt::print("\nslowdown\n");
    measure_slowdown(*k, std::max(1, o.times / 2), "computing", compute, "--compute", "");
    measure_slowdown(*k, std::max(1, o.times / 2), "300,000 system calls", call, "--call", "");
  }
  if (wanted("costs")) measure_costs(*k, std::max(1, o.times / 2));
  fmt::print("\nload average {:.2f} at the end\n", load_average());
  return 0;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  if (halfopen::clock::is_guest_init(argc, argv)) halfopen::clock::run_guest_init(argv[2]);
  if (argc == 2 && std::strcmp(argv[1], "--nothing") == 0) return 0;
  if (argc == 2 && std::strcmp(argv[1], "--compute") == 0) return bench::compute();
  if (argc == 2 && std::strcmp(argv[1], "--call") == 0) return bench::call();
  for (const auto& one : bench::kinds)
    if (argc == 2 && std::strcmp(argv[1], one.argument) == 0) {
      for (int i = 0; i < one.times; ++i) one.once();
      return 0;
    }
  bench::options o;
  CLI::App app("What the virtual clock costs", "bench/run clock");
  app.add_option("--times", o.times, "how often each; the whole lab a third as often")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("parts", o.parts, "start, jump, whole, redis, slowdown, costs")
      ->capture_default_str()
      ->check(CLI::IsMember({"start", "jump", "whole", "redis", "slowdown", "costs"}));
  CLI11_PARSE(app, argc, argv);
  try {
    return bench::measure(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_clock: {}\n", e.what());
    return 1;
  }
}
