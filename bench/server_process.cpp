// A server as a program of its own: it has its own descriptors, memory and
// processor time, so that each can be counted from outside, and it can be any
// program. posix_spawn() cannot pin, hand over LISTEN_PID (which needs the child's
// own pid) or tie the child's life to ours, so this is fork and exec. Between the
// two, only calls that are safe in a copy of a process with threads.
//
// Where the figures come from, all without rights and without a cost to the server:
// - processor time: the process's CPU clock (clock_getcpuclockid(3)), in nanoseconds
//   and of all its threads. /proc/PID/stat has ticks of 10 ms, /proc/PID/schedstat
//   only the first thread. What it waited for a processor is only there.
// - memory: "Anonymous" of /proc/PID/smaps_rollup, which counts pages. RssAnon of
//   /proc/PID/status is a per-processor counter since Linux 6.2 and may lag behind.

#include "bench/server_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace halfopen::bench {
namespace {

constexpr std::chrono::seconds time_to_start{10};
constexpr int first_handed_over = 3;  // SD_LISTEN_FDS_START

void check(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

cpu_set_t only(std::size_t processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return set;
}

// Everything that execve() needs, made before the fork.
class arguments {
 public:
  arguments(const std::vector<std::string>& command, const server_setting& setting)
      : command_(command), environment_(setting.environment) {
    if (setting.listener >= 0) {
      environment_.emplace_back("LISTEN_FDS=1");
      environment_.emplace_back("LISTEN_PID=");
      environment_.back().resize(environment_.back().size() + 20);  // NULs, which the child fills in
    }
    for (std::string& a : command_) argv_.push_back(a.data());
    argv_.push_back(nullptr);
    for (char** e = environ; *e != nullptr; ++e)
      if (!std::string_view(*e).starts_with("LISTEN_")) envp_.push_back(*e);
    for (std::string& e : environment_) envp_.push_back(e.data());
    envp_.push_back(nullptr);
  }

  void set_listen_pid(pid_t pid) {
    std::string& variable = environment_.back();
    std::to_chars(variable.data() + variable.find('=') + 1, variable.data() + variable.size(), pid);
  }
  void execute() { ::execve(argv_[0], argv_.data(), envp_.data()); }

 private:
  std::vector<std::string> command_, environment_;
  std::vector<char*> argv_, envp_;
};

[[noreturn]] void become(arguments& program, const server_setting& setting, pid_t parent, int output,
                         int errors) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it ended before the line above
  if (setting.processor) {
    const cpu_set_t set = only(*setting.processor);
    ::sched_setaffinity(0, sizeof set, &set);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  if (setting.listener >= 0) {
    program.set_listen_pid(::getpid());
    if (setting.listener == first_handed_over)
      ::fcntl(first_handed_over, F_SETFD, 0);
    else
      ::dup2(setting.listener, first_handed_over);
  }
  program.execute();
  ::_exit(127);
}

std::size_t kilobytes_of(const std::string& file, std::string_view field) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(field)) return std::stoul(line.substr(field.size()));
  throw std::runtime_error(fmt::format("{} has no line {}", file, field));
}

}  // namespace

double delay_seconds(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/schedstat", pid));
  double ran = 0, waited = 0;  // nanoseconds
  file >> ran >> waited;
  return waited * 1e-9;
}

server_process::server_process(const std::vector<std::string>& command, const server_setting& setting)
    : name_(std::filesystem::path(command.at(0)).filename()) {
  arguments program(command, setting);
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC) == 0, "pipe2");
  output_.reset(ends[0]);
  const lab::unique_fd writes(ends[1]);
  errors_.reset(::memfd_create("errors", MFD_CLOEXEC));
  check(static_cast<bool>(errors_), "memfd_create");
  const pid_t self = ::getpid();
  pid_ = ::fork();
  check(pid_ >= 0, "fork");
  if (pid_ == 0) become(program, setting, self, writes.get(), errors_.get());
  // By number: <sys/pidfd.h> of glibc 2.36 declares a C++ function of that name.
  handle_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

server_process::~server_process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  reap();
}

void server_process::reap() {
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

std::uint16_t server_process::port() {
  if (port_) return *port_;
  const auto limit = std::chrono::steady_clock::now() + time_to_start;
  std::string said;
  while (!said.ends_with('\n')) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now()).count();
    pollfd ready{output_.get(), POLLIN, 0};
    char c = 0;
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0 || ::read(output_.get(), &c, 1) != 1)
      throw std::runtime_error(fmt::format("{} did not say that it listens. {}", name_, errors()));
    said.push_back(c);
  }
  std::uint16_t port = 0;
  const std::size_t colon = said.rfind(':');
  if (!said.starts_with("listening on ") || colon == std::string::npos ||
      std::from_chars(said.data() + colon + 1, said.data() + said.size(), port).ec != std::errc{})
    throw std::runtime_error(fmt::format("{} said: {}", name_, said));
  port_ = port;
  return port;
}

bool server_process::ends_within(std::chrono::milliseconds limit) const {
  pollfd ended{handle_.get(), POLLIN, 0};
  return ::poll(&ended, 1, static_cast<int>(limit.count())) > 0;
}

bool server_process::runs() const {
  return pid_ >= 0 && !ends_within(std::chrono::milliseconds{0});
}

double server_process::cpu_seconds() const {
  clockid_t clock{};
  timespec used{};
  if (const int error = ::clock_getcpuclockid(pid_, &clock); error != 0)
    throw std::runtime_error(fmt::format("{} is gone. {}", name_, errors()));
  check(::clock_gettime(clock, &used) == 0, "clock_gettime");
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

std::size_t server_process::descriptors() const {
  const std::filesystem::directory_iterator all(fmt::format("/proc/{}/fd", pid_));
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::size_t server_process::anonymous_bytes() const {
  return kilobytes_of(fmt::format("/proc/{}/smaps_rollup", pid_), "Anonymous:") * 1024;
}

std::string server_process::errors() const {
  constexpr off_t most = 2000;
  const off_t size = ::lseek(errors_.get(), 0, SEEK_END);
  std::string text(static_cast<std::size_t>(std::clamp<off_t>(size, 0, most)), '\0');
  const ssize_t got = ::pread(errors_.get(), text.data(), text.size(), std::max<off_t>(0, size - most));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return text;
}

void server_process::send(int signal) const {
  ::kill(pid_, signal);
}

bool server_process::stop(std::chrono::milliseconds limit) {
  if (pid_ < 0) return false;
  send(SIGTERM);
  const bool late = !ends_within(limit);
  if (late) send(SIGKILL);
  reap();
  return late;
}

processors choose_processors() {
  cpu_set_t all;
  check(::sched_getaffinity(0, sizeof all, &all) == 0, "sched_getaffinity");
  std::vector<std::size_t> usable;
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &all)) usable.push_back(i);
  if (usable.size() < 2)
    fmt::print(stderr,
               "Only one processor: server and clients share it, and the figures are worth little.\n");
  return {usable.at(0), usable.back()};
}

void pin_to(std::size_t processor) {
  const cpu_set_t set = only(processor);
  check(::sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  check(::setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  return limit.rlim_cur;
}

}  // namespace halfopen::bench
