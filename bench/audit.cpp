// What `halfopen audit` and `halfopen watch` cost: processor time and memory of a look at very many
// connections, against `ss -topie`, which asks the kernel for the same and computes nothing; and processor
// time of a watch while connections come and go.
//
// Two network namespaces joined by a veth pair: the processes that are looked at are in one, their peer in
// the other, so that each connection is looked at once, as on a machine whose peers are elsewhere. Needs
// root, ip(8) and ss(8).

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.hpp"

namespace {

using namespace halfopen::bench;
using namespace std::chrono_literals;

constexpr std::uint16_t first_port = 6000;
constexpr int doors = 8;  // 28,000 source ports to each

struct options {
  int processes = 2000;
  int connections = 100'000;
  int rate = 5000;
  int seconds = 20;
  int times = 5;
};

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

/// Two namespaces for as long as it lives.
class two_hosts {
 public:
  two_hosts() {
    remove();
    for (const char* name : {"bench_client", "bench_server"}) {
      shell(fmt::format("ip netns add {}", name));
      shell(fmt::format("ip -n {} link set lo up", name));
    }
    shell("ip link add cable netns bench_client type veth peer name cable netns bench_server");
    shell("ip -n bench_client addr add 10.99.0.1/24 dev cable");
    shell("ip -n bench_server addr add 10.99.0.2/24 dev cable");
    for (const char* name : {"bench_client", "bench_server"})
      shell(fmt::format("ip -n {} link set cable up", name));
  }
  ~two_hosts() { remove(); }
  two_hosts(const two_hosts&) = delete;
  two_hosts& operator=(const two_hosts&) = delete;

 private:
  static void remove() {
    (void)!std::system("ip netns del bench_client 2>/dev/null; ip netns del bench_server 2>/dev/null");
  }
};

void enter(const char* name) {
  const int fd = ::open((std::string("/run/netns/") + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) throw std::runtime_error(std::string("cannot enter ") + name);
  ::close(fd);
}

/// A child that dies with this program.
template <class Work>
pid_t start(const char* host, Work&& work) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    enter(host);
    work();
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
  }
  ::_exit(1);
}

class crowd {
 public:
  /// Clients, which started last, end first: they would complain of servers that are gone.
  ~crowd() {
    for (; !pids.empty(); pids.pop_back()) {
      ::kill(pids.back(), SIGKILL);
      ::waitpid(pids.back(), nullptr, 0);
    }
  }
  std::vector<pid_t> pids;
};

sockaddr_in server_at(int door) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<std::uint16_t>(first_port + door));
  ::inet_pton(AF_INET, "10.99.0.2", &a.sin_addr);
  return a;
}

/// Accepts all at one port, and closes each when its client has. A server a port: descriptors are limited.
/// Writes a byte to `ready` when it listens.
void serve(int number, int ready) {
  const int events = ::epoll_create1(0);
  const int door = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const sockaddr_in at = server_at(number);
  const int on = 1;
  ::setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(door, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || ::listen(door, 4096) != 0)
    throw std::runtime_error(std::string("the server cannot listen: ") + std::strerror(errno));
  (void)!::write(ready, "", 1);
  epoll_event news{.events = EPOLLIN, .data = {.fd = door}};
  ::epoll_ctl(events, EPOLL_CTL_ADD, door, &news);
  for (;;) {
    epoll_event come[256];
    const int n = ::epoll_wait(events, come, 256, -1);
    for (int i = 0; i < n; ++i) {
      if (come[i].data.fd != door) {
        ::close(come[i].data.fd);
        continue;
      }
      for (int s = 0; (s = ::accept4(door, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
        news.data.fd = s;
        ::epoll_ctl(events, EPOLL_CTL_ADD, s, &news);
      }
    }
  }
}

/// What children say to this program: a byte each when they are ready.
class readiness {
 public:
  readiness() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  }
  ~readiness() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  readiness(const readiness&) = delete;
  readiness& operator=(const readiness&) = delete;

  [[nodiscard]] int to_tell() const { return ends_[1]; }
  void wait(const char* what_if_not) const {
    pollfd told{ends_[0], POLLIN, 0};
    char byte = 0;
    if (::poll(&told, 1, 60'000) != 1 || ::read(ends_[0], &byte, 1) != 1)
      throw std::runtime_error(what_if_not);
  }

 private:
  int ends_[2]{};
};

void start_servers(crowd& all) {
  const readiness listens;
  for (int i = 0; i < doors; ++i)
    all.pids.push_back(start("bench_server", [&, i] { serve(i, listens.to_tell()); }));
  for (int i = 0; i < doors; ++i) listens.wait("the servers do not listen");
}

int connect_to(int door) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in at = server_at(door);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
    throw std::runtime_error(std::string("connecting: ") + std::strerror(errno));
  return fd;
}

struct cost {
  double processor = 0;  ///< seconds
  double megabytes = 0;
};

/// Of a command, in the client's namespace.
cost cost_of(const std::vector<std::string>& command) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    enter("bench_client");
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    std::vector<char*> arguments;
    for (const std::string& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  ::wait4(pid, &status, 0, &used);
  if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
    throw std::runtime_error(command[0] + " failed with status " + std::to_string(status));
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return {seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) / 1024};
}

void measure(const char* what, int times, const std::vector<std::string>& command, const char* aim = "") {
  std::vector<double> processor, memory;
  for (int i = 0; i < times; ++i) {
    const cost c = cost_of(command);
    processor.push_back(c.processor);
    memory.push_back(c.megabytes);
  }
  print(fmt::format("{}: processor", what), "s", spread_of(processor), aim);
  print(fmt::format("{}: memory", what), "MB", spread_of(memory));
}

void measure_audit(const options& o) {
  const two_hosts hosts;
  crowd all;
  start_servers(all);
  const readiness connected;
  const int each = o.connections / o.processes;
  // One after the other, so that the server's queue does not overflow.
  for (int p = 0; p < o.processes; ++p) {
    all.pids.push_back(start("bench_client", [&] {
      for (int i = 0; i < each; ++i) connect_to((p * each + i) % doors);
      (void)!::write(connected.to_tell(), "", 1);
      for (;;) ::pause();
    }));
    connected.wait("the clients did not all connect");
  }
  fmt::print("\n{} connections in {} processes\n", each * o.processes, o.processes);
  measure("halfopen audit", o.times, {HALFOPEN_PROGRAM, "audit", "--netns", "bench_client"}, "below 1 s");
  measure("halfopen audit --json", o.times, {HALFOPEN_PROGRAM, "audit", "--netns", "bench_client", "--json"});
  measure("ss -topie", o.times, {"ss", "-topie"});
}

void measure_watch(const options& o, const std::vector<std::string>& more) {
  const two_hosts hosts;  // others each time: ports of connections that are over are in TIME_WAIT
  crowd all;
  start_servers(all);
  int told[2];
  if (::pipe(told) != 0) throw std::runtime_error("pipe");
  all.pids.push_back(start("bench_client", [&] {
    const auto begin = clock::now();
    for (std::int64_t made = 0;; ++made) {
      std::this_thread::sleep_until(begin + made * 1s / o.rate);
      const int fd = connect_to(static_cast<int>(made % doors));
      const linger at_once{1, 0};  // no TIME_WAIT: ports would run out
      if (made % 2 == 0) ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      ::close(fd);
      (void)!::write(told[1], "", 1);
    }
  }));
  ::close(told[1]);
  ::fcntl(told[0], F_SETFL, O_NONBLOCK);
  std::uint64_t made = 0;
  std::thread counter([&] {
    const auto end = clock::now() + std::chrono::seconds(o.seconds);
    char some[65536];
    for (; clock::now() < end; std::this_thread::sleep_for(10ms))
      for (ssize_t n = 0; (n = ::read(told[0], some, sizeof some)) > 0;)
        made += static_cast<std::uint64_t>(n);
  });
  std::vector<std::string> command{HALFOPEN_PROGRAM, "watch", "--netns",
                                   "bench_client",   "--for", std::to_string(o.seconds) + "s"};
  command.insert(command.end(), more.begin(), more.end());
  const cost c = cost_of(command);
  counter.join();
  fmt::print("\n{} connections a second made and ended, for {} s\n", made / static_cast<unsigned>(o.seconds),
             o.seconds);
  const std::string name = fmt::format("halfopen watch{}", more.empty() ? "" : " " + more[0]);
  fmt::print("  {:<44} {:>8.2f} %  of a core  aim: below 2 %\n", name + ": processor",
             100 * c.processor / o.seconds);
  fmt::print("  {:<44} {:>8.2f} MB\n", name + ": memory", c.megabytes);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What halfopen audit and watch cost; needs root", "bench/run audit");
  options o;
  std::vector<std::string> parts;
  app.add_option("PART", parts, "audit, watch; both if none is named")
      ->check(CLI::IsMember({"audit", "watch"}));
  app.add_option("--processes", o.processes)->capture_default_str();
  app.add_option("--connections", o.connections)->capture_default_str();
  app.add_option("--rate", o.rate, "connections a second, for watch")->capture_default_str();
  app.add_option("--seconds", o.seconds, "of watch")->capture_default_str();
  app.add_option("--times", o.times, "each command of audit")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (::geteuid() != 0) {
    fmt::print(stderr, "bench/run audit needs root, to make two network namespaces\n");
    return 3;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    print_machine();
    const auto wanted = [&](const char* part) {
      return parts.empty() || std::ranges::count(parts, part) > 0;
    };
    if (wanted("audit")) measure_audit(o);
    if (wanted("watch")) {
      measure_watch(o, {});
      measure_watch(o, {"--no-bpf"});
    }
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench/run audit: {}\n", e.what());
    return 1;
  }
  return 0;
}
