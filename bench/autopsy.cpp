// How fast a capture is read, against others who read captures: libpcap that does nothing
// with the packets (the limit for whoever uses it), tshark's and tcptrace's conversation
// statistics. Each is a program of its own, run over the same file, pinned to one core (or two, where it
// says so).
//
// The file is read once before, so that it comes from the page cache and not from a disk.
// The figure is processor time, user and system: what another program on the machine takes
// away does not count. The time by the clock is printed beside it.

#include <fcntl.h>
#include <fmt/format.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/capture_generator.hpp"
#include "bench/measure.hpp"

namespace halfopen::bench {
namespace {

struct options {
  std::uint64_t packets = 10'000'000, connections = 100'000;
  std::vector<std::uint64_t> at_one_time{1'000, 100'000};
  std::size_t rounds = 3;
  rlim_t patience = 200;  ///< s of processor time
  std::string folder = std::filesystem::temp_directory_path();
  std::string read_with_libpcap;  ///< of the child that does only that
};

struct cost {
  double processor = 0, clock = 0, megabytes = 0;
  bool worked = false;
  bool stopped = false;  ///< its processor time was over
};

int read_with_libpcap(const std::string& path) {
  char why[PCAP_ERRBUF_SIZE];
  pcap_t* const file = ::pcap_open_offline(path.c_str(), why);
  if (file == nullptr) return 1;
  ::pcap_pkthdr* header = nullptr;
  const unsigned char* data = nullptr;
  while (::pcap_next_ex(file, &header, &data) == 1) {
  }
  ::pcap_close(file);
  return 0;
}

[[noreturn]] void become(const std::vector<std::string>& argv, rlim_t patience, int cores) {
  const rlimit limit{patience, patience + 1};
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CPU, &limit);
  ::setrlimit(RLIMIT_CORE, &no_core);
  cpu_set_t those;
  CPU_ZERO(&those);
  for (int i = 0; i < cores; ++i) CPU_SET(static_cast<std::size_t>(i), &those);
  ::sched_setaffinity(0, sizeof those, &those);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  std::vector<char*> raw;
  for (const std::string& a : argv) raw.push_back(const_cast<char*>(a.c_str()));
  raw.push_back(nullptr);
  ::execvp(raw[0], raw.data());
  std::_Exit(127);
}

cost run(const std::vector<std::string>& argv, rlim_t patience, int cores) {
  cost c;
  struct rusage used{};
  int status = 0;
  c.clock = seconds_of([&] {
    const pid_t child = ::fork();
    if (child == 0) become(argv, patience, cores);
    ::wait4(child, &status, 0, &used);
  });
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  c.processor = seconds(used.ru_utime) + seconds(used.ru_stime);
  c.megabytes = static_cast<double>(used.ru_maxrss) / 1024;
  c.stopped = WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU;
  c.worked = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return c;
}

struct reader {
  std::string name;
  std::vector<std::string> argv;  ///< the file's name follows
  std::size_t rounds;
  int cores = 1;
};

class contest {
 public:
  contest(const options& o, std::string self) : o_{o} {
    readers_ = {
        {"libpcap, doing nothing", {std::move(self), "--read-with-libpcap"}, o.rounds},
        {"halfopen autopsy", {HALFOPEN_PROGRAM, "autopsy", "--jobs", "1"}, o.rounds},
        {"halfopen autopsy --json", {HALFOPEN_PROGRAM, "autopsy", "--json", "--jobs", "1"}, o.rounds},
        {"  the same, two cores", {HALFOPEN_PROGRAM, "autopsy", "--json", "--jobs", "2"}, o.rounds, 2},
        {"  and without --json", {HALFOPEN_PROGRAM, "autopsy", "--jobs", "2"}, o.rounds, 2},
        {"tshark -z conv,tcp", {"tshark", "-n", "-q", "-z", "conv,tcp", "-r"}, 1},
        {"tcptrace", {"tcptrace"}, 1},
    };
  }

  void run(const capture_plan& plan) {
    const std::string path = o_.folder + "/halfopen-bench-autopsy.pcap";
    const std::uint64_t size = generate_capture(path, plan);
    fmt::print("\n{} packets ({:.2f} GB), {} connections, {} at one time\n", plan.packets,
               static_cast<double>(size) / 1e9, plan.connections,
               std::min(plan.at_one_time, plan.connections));
    (void)bench::run({"cat", path}, o_.patience, 1);
    std::map<std::string, std::optional<measured>> all;
    for (const reader& r : readers_) {
      all[r.name] = measure(r, path, static_cast<double>(plan.packets));
    }
    std::filesystem::remove(path);
    const auto &limit = all["libpcap, doing nothing"], &tshark = all["tshark -z conv,tcp"],
               &ours = all["halfopen autopsy"], &json = all["halfopen autopsy --json"],
               &both = all["  and without --json"], &json_both = all["  the same, two cores"];
    if (ours && limit) fmt::print("  ratio to libpcap {:.2f} (aim: 0.5)\n", ours->rate / limit->rate);
    if (json && limit)
      fmt::print("  ratio to libpcap with --json {:.2f} (aim: 0.35)\n", json->rate / limit->rate);
    if (ours && tshark) fmt::print("  ratio to tshark {:.0f} (aim: 30)\n", ours->rate / tshark->rate);
    if (ours && both)
      fmt::print("  two cores against one, by the clock {:.2f} (aim: near 2)\n", ours->clock / both->clock);
    if (json && json_both)
      fmt::print("  two cores against one, by the clock, with --json {:.2f} (aim: near 2)\n",
                 json->clock / json_both->clock);
  }

 private:
  struct measured {
    double rate = 0;   ///< packets a second of processor time, millions
    double clock = 0;  ///< s
  };
  std::optional<measured> measure(const reader& r, const std::string& path, double packets) const {
    std::vector<double> rates, megabytes, by_clock;
    for (std::size_t i = 0; i < r.rounds; ++i) {
      std::vector<std::string> argv = r.argv;
      argv.push_back(path);
      const cost c = bench::run(argv, o_.patience, r.cores);
      if (c.stopped) {
        fmt::print("  {:<26} below {:.3f} million packets/s, {:.0f} MB: stopped after {:.0f} s\n", r.name,
                   packets / c.processor / 1e6, c.megabytes, c.processor);
        return std::nullopt;
      }
      if (!c.worked) {
        fmt::print("  {:<26} failed, or is not installed\n", r.name);
        return std::nullopt;
      }
      rates.push_back(packets / c.processor / 1e6);
      by_clock.push_back(c.clock);
      megabytes.push_back(c.megabytes);
    }
    const spread rate = spread_of(rates);
    fmt::print(
        "  {:<26} {:>8.3f} million packets/s ({:.3f} - {:.3f}, {} times), {:>7.0f} MB, {:.2f} s by the "
        "clock\n",
        r.name, rate.median, rate.least, rate.most, rate.count, spread_of(megabytes).median,
        spread_of(by_clock).median);
    std::fflush(stdout);
    return measured{rate.median, spread_of(by_clock).median};
  }

  const options& o_;
  std::vector<reader> readers_;
};

int main(int argc, char** argv) {
  options o;
  CLI::App app("Packets a second from a capture to its connections' stories");
  app.add_option("--packets", o.packets)->capture_default_str();
  app.add_option("--connections", o.connections)->capture_default_str();
  app.add_option("--at-one-time", o.at_one_time, "connections open at one time; several to compare")
      ->capture_default_str();
  app.add_option("--rounds", o.rounds, "of halfopen and libpcap; the others are slow, and run once")
      ->capture_default_str();
  app.add_option("--patience", o.patience, "processor time for one reading, s: then it is stopped")
      ->capture_default_str();
  app.add_option("--folder", o.folder, "where the capture is made, and removed: 5 GB at most")
      ->capture_default_str();
  app.add_option("--read-with-libpcap", o.read_with_libpcap,
                 "the limit: reads FILE and does nothing with it");
  CLI11_PARSE(app, argc, argv);
  if (!o.read_with_libpcap.empty()) return read_with_libpcap(o.read_with_libpcap);

  print_machine();
  contest all(o, std::filesystem::read_symlink("/proc/self/exe"));
  for (const std::uint64_t open : o.at_one_time) {
    all.run({o.packets / 10, o.connections / 10, open});
    all.run({o.packets, o.connections, open});
  }
  return 0;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  return halfopen::bench::main(argc, argv);
}
