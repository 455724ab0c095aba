// A guest from outside: a process (User-Mode Linux is a program), a folder, and two files
// that grow.
//
// Output comes through files of that folder, not through the guest's consoles: a console is
// a terminal that waits for its reader, and while it waits the guest's time would jump on,
// so what a program sees would depend on how busy this process is. A write to a file is one
// write(2) of the host's, done when it returns; inotify tells us of it.
//
// The guest's clock is read out of its memory (process_vm_readv(2), which needs no more
// right than being the parent). The alternative, a heartbeat from inside, costs wake-ups
// in guest time, and it is just the guest whose time stands still that sends none.
//
// It has a process group of its own, which is killed as one.
//
// No trace outside: the guest dies with this process (PR_SET_PDEATHSIG), its helper
// processes with it (they ask for the same, arch/um/os-Linux/skas/process.c), its memory has
// no name (memfd_create(2)), and the folder's names are removed as soon as the guest has
// the files open: by a process that does nothing else, in case we are killed before.

#include "clock/guest.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "clock/guest_init.hpp"
#include "clock/one_processor.hpp"
#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/unique_fd.hpp"
#include "lab/waiting_for_processor.hpp"

namespace halfopen::clock {
namespace {

namespace fs = std::filesystem;
using lab::error;
using lab::unique_fd;
using steady = std::chrono::steady_clock;

/// Where folders are made.
fs::path temporary() {
  const char* wanted = std::getenv("TMPDIR");
  return wanted != nullptr && *wanted == '/' && ::access(wanted, W_OK) == 0 ? wanted : "/tmp";
}

/// A folder that goes with this process, however that ends: another process makes it, does
/// nothing but wait for the end, and removes it.
class temporary_folder {
 public:
  temporary_folder() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) throw error("socketpair", errno);
    unique_fd theirs(ends[0]);
    alive_.reset(ends[1]);
    std::string name = temporary() / "halfopen-guest-XXXXXX";
    pid_ = ::fork();
    if (pid_ < 0) throw error("fork", errno);
    if (pid_ == 0) keep(theirs.get(), name);
    theirs.reset();
    ssize_t got = 0;
    while ((got = ::read(alive_.get(), name.data(), name.size())) < 0 && errno == EINTR) {
    }
    if (got != static_cast<ssize_t>(name.size())) {
      alive_.reset();
      throw error("making " + name, end_of_keeper());
    }
    path = name;
  }
  ~temporary_folder() {
    alive_.reset();
    end_of_keeper();
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  fs::path path;

 private:
  [[noreturn]] static void keep(int line, std::string name) {
    ::setsid();  // a terminal's Ctrl-C is not for it
    ::dup2(line, 0);
    ::close_range(1, ~0U, 0);
    if (::mkdtemp(name.data()) == nullptr) ::_exit(errno);
    if (::send(0, name.data(), name.size(), MSG_NOSIGNAL) < 0) {
      const int why = errno;
      ::rmdir(name.c_str());
      ::_exit(why);
    }
    char byte = 0;
    while (::read(0, &byte, 1) < 0 && errno == EINTR) {
    }
    // The guest's kernel may be removing what it made there: each fails where the other was first.
    std::error_code why;
    for (int i = 0; i < 100 && (fs::remove_all(name, why), why); ++i) ::usleep(10'000);
    ::_exit(0);
  }

  /// Waits for it; gives its exit status, an errno.
  int end_of_keeper() const noexcept {
    int status = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {
    }
    return ended == pid_ && WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
  }

  unique_fd alive_;
  pid_t pid_ = -1;
};

unique_fd make_file(const fs::path& path) {
  unique_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) throw error("making " + path.string(), errno);
  return fd;
}

/// The folder through which the guest is told its job; its names go as soon as it is no
/// longer needed, at the latest with this object.
class job_folder {
 public:
  explicit job_folder(const job& what) {
    folder_.emplace();
    const std::string text = to_text(what);
    const unique_fd file = make_file(path() / "job");
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      throw error("writing the job", errno);
    output = make_file(path() / "output");
    errors = make_file(path() / "errors");
    status = make_file(path() / "status");
    fs::create_symlink(lab::own_executable(), path() / "init");
  }
  ~job_folder() { remove(); }
  job_folder(const job_folder&) = delete;
  job_folder& operator=(const job_folder&) = delete;

  /// The names; the files stay as long as they are open.
  void remove() noexcept { folder_.reset(); }
  [[nodiscard]] bool has_names() const noexcept { return folder_.has_value(); }

  /// While it has names.
  [[nodiscard]] const fs::path& path() const noexcept { return folder_->path; }

  unique_fd output, errors, status;

 private:
  std::optional<temporary_folder> folder_;
};

/// The folder by a name that is the same for every guest: the kernel's command line is a part
/// of what its random numbers are made of (drivers/char/random.c, random_init_early).
constexpr int folder_descriptor = 9;
constexpr const char* folder_inside = "/proc/self/fd/9";

std::vector<std::string> command_line(const kernel& k, const guest_options& how) {
  std::vector<std::string> line{
      k.executable,
      "mem=" + std::to_string(how.memory_mb) + "M",
      "root=none",
      "rootfstype=hostfs",
      "rootflags=/",
      "ro",
      how.speed == computing::takes_no_time ? "time-travel=inf-cpu" : "time-travel",
      // No console: what the kernel has to say when it panics goes to its standard output.
      "console=none",
      "con=null",
      "uml_dir=" + std::string(folder_inside),
      "init=" + std::string(folder_inside) + "/init",
  };
  if (how.begins)
    line.push_back("time-travel-start=" + std::to_string(how.begins->time_since_epoch().count()));
  for (const char* a : {"--", init_argument, folder_inside}) line.emplace_back(a);
  return line;
}

[[noreturn]] void become_the_guest(const std::vector<std::string>& line,
                                   const std::vector<std::string>& environment, int console, int folder,
                                   pid_t parent, const one_processor& place) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::setpgid(0, 0);
  place.enter();
  // The same addresses each time, and no gap in front of the guest's memory
  // (arch/um/kernel/um_arch.c, linux_main).
  ::personality(ADDR_NO_RANDOMIZE);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, 0);
  ::dup2(console, 1);
  ::dup2(console, 2);
  ::dup2(folder, folder_descriptor);
  ::fcntl(folder_descriptor, F_SETFD, 0);  // it may have been that one before
  ::close_range(3, folder_descriptor - 1, CLOSE_RANGE_CLOEXEC);
  ::close_range(folder_descriptor + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int s = 1; s < SIGRTMIN; ++s)
    if (s != SIGKILL && s != SIGSTOP) ::signal(s, SIG_DFL);
  std::vector<char*> argv;
  for (const std::string& a : line) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (const std::string& e : environment) envp.push_back(const_cast<char*>(e.c_str()));
  envp.push_back(nullptr);
  ::execve(argv[0], argv.data(), envp.data());
  ::dprintf(2, "cannot start %s\n", argv[0]);
  ::_exit(127);
}

std::string contents(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (ssize_t n; (n = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(n));
  return text;
}

/// A file that grows.
struct growing {
  int fd = -1;
  off_t seen = 0;

  void read_on(const std::function<void(std::string_view)>& give) {
    std::array<char, 65536> buffer{};
    for (ssize_t n; (n = ::pread(fd, buffer.data(), buffer.size(), seen)) > 0;) {
      seen += n;
      if (give) give({buffer.data(), static_cast<std::size_t>(n)});
    }
  }
};

/// Its share of memory, in KiB.
long memory_of(const std::string& process) {
  std::ifstream file(process + "/smaps_rollup");
  for (std::string name, rest; file >> name && std::getline(file, rest);)
    if (name == "Pss:") return std::strtol(rest.c_str(), nullptr, 10);
  return 0;
}

}  // namespace

struct guest::state {
  /// Nothing runs before start().
  state(const kernel& k, const job& what, guest_options options)
      : how(std::move(options)), clock_at(k.time_travel_time), folder(what) {
    output.fd = folder.output.get();
    errors.fd = folder.errors.get();
  }
  ~state() { kill(); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;

  void start(const kernel& k) {
    console.reset(::memfd_create("halfopen-guest-console", MFD_CLOEXEC));
    if (!console) throw error("memfd_create", errno);
    const auto line = command_line(k, how);
    std::vector<std::string> environment{"PATH=/usr/bin:/bin", "HOME=/"};
    if (how.seed) environment.push_back("UML_SEED=" + std::to_string(*how.seed));
    const unique_fd directory(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) throw error("opening " + folder.path().string(), errno);
    const pid_t parent = ::getpid();
    pid = ::fork();
    if (pid < 0) throw error("fork", errno);
    if (pid == 0) become_the_guest(line, environment, console.get(), directory.get(), parent, place);
    ::setpgid(pid, pid);  // whoever of the two is first; it fails if the guest has begun already
    process.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  }

  void watch() {
    changes.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    ready.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!changes || !ready || !process) throw error("watching a guest", errno);
    for (const char* name : {"output", "errors", "status"})
      if (::inotify_add_watch(changes.get(), (folder.path() / name).c_str(), IN_MODIFY) < 0)
        throw error("inotify_add_watch", errno);
    for (const int fd : {process.get(), changes.get()}) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.fd = fd;
      if (::epoll_ctl(ready.get(), EPOLL_CTL_ADD, fd, &event) < 0) throw error("epoll_ctl", errno);
    }
  }

  /// Nanoseconds, from the guest's own variable.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> read_clock() const {
    std::uint64_t ns = 0;
    const iovec here{&ns, sizeof ns};
    const iovec there{reinterpret_cast<void*>(clock_at), sizeof ns};
    if (::process_vm_readv(pid, &here, 1, &there, 1, 0) != sizeof ns) return std::nullopt;
    return std::chrono::nanoseconds(ns);
  }

  void take_in() {
    std::array<char, 4096> events{};
    while (::read(changes.get(), events.data(), events.size()) > 0) {
    }
    if (folder.has_names() && parse_status(contents(folder.status.get())).started) folder.remove();
    output.read_on(how.output);
    errors.read_on(how.errors);
  }

  void look() {
    if (ended) return;
    take_in();
    int status = 0;
    rusage used{};
    const pid_t gone = ::wait4(pid, &status, WNOHANG, &used);
    if (gone == pid) return settle(status, used);
    hold_to_limits();
  }

  /// On a busy machine it is not the guest's fault that it does not get on: its processes, of which one
  /// runs at a time, wait for a processor. What they ran is counted beside it (proc_pid_schedstat: time on a
  /// processor, time ready, both in nanoseconds).
  void note_delays(steady::time_point now) {
    constexpr auto every = std::chrono::seconds(1);
    if (now - looked < every) return;
    looked = now;
    std::vector<lab::run_delay> all, on_processor;
    const auto add = [&](int one) {
      std::ifstream file("/proc/" + std::to_string(one) + "/schedstat");
      std::int64_t ran = 0;
      std::int64_t waited = 0;
      const auto number = static_cast<std::uint64_t>(one);
      if (!(file >> ran >> waited)) return;
      all.push_back({number, number, std::chrono::nanoseconds(waited)});
      on_processor.push_back({number, number, std::chrono::nanoseconds(ran)});
    };
    add(pid);
    std::ifstream children("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
    for (int child = 0; children >> child;) add(child);
    delays.look(all);
    computed.look(on_processor);
  }

  void hold_to_limits() {
    const auto now = steady::now();
    note_delays(now);
    place.look(pid, now);
    if (const auto time = read_clock(); time && *time != guest_time) {
      guest_time = *time;
      moved = now;
      excused_when_moved = delays.so_far();
      computed_when_moved = computed.so_far();
    }
    if (how.real_limit.count() > 0 && now - began - delays.so_far() > how.real_limit)
      end_it(guest_fate::too_long);
    else if (how.standstill_limit.count() > 0 && standstill(now) > how.standstill_limit)
      end_it(guest_fate::stood_still);
  }

  [[nodiscard]] std::chrono::nanoseconds standstill(steady::time_point now) const {
    if (ended || guest_time.count() == 0) return {};
    const std::chrono::nanoseconds stood = now - moved - (delays.so_far() - excused_when_moved);
    if (computed.so_far().count() == 0) return stood;  // a kernel that does not count it
    // Whatever kept it from running (a disk, a stopped process), it did not compute; but not for ever.
    constexpr int without_computing = 4;
    return std::clamp(computed.so_far() - computed_when_moved, stood / without_computing,
                      std::max(stood, stood / without_computing));
  }

  void settle(int status, const rusage& used) {
    process.reset();
    take_in();
    ended = judge_end(parse_status(contents(folder.status.get())), contents(console.get()), status);
    finish(used);
  }

  void end_it(guest_fate why) {
    if (ended) return;
    ::kill(-pid, SIGKILL);
    rusage used{};
    while (::wait4(pid, nullptr, 0, &used) < 0 && errno == EINTR) {
    }
    process.reset();
    take_in();
    ended = guest_end{};
    ended->how = why;
    finish(used);
  }

  void finish(const rusage& used) {
    ended->guest_time = guest_time = std::max(guest_time, ended->guest_time);
    ended->real_time = std::chrono::round<std::chrono::milliseconds>(steady::now() - began);
    ended->peak_kib = used.ru_maxrss;
    folder.remove();
  }

  void kill() noexcept {
    if (ended || pid <= 0) return;
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  guest_options how;
  std::uintptr_t clock_at;
  job_folder folder;
  unique_fd console, process, changes, ready;
  growing output, errors;
  pid_t pid = -1;
  one_processor place;
  steady::time_point began = steady::now();
  steady::time_point moved = began, looked = began;
  lab::run_delays delays;    ///< how long its processes were ready, and others ran
  lab::run_delays computed;  ///< how long they ran
  std::chrono::nanoseconds excused_when_moved{}, computed_when_moved{};
  std::chrono::nanoseconds guest_time{};
  std::optional<guest_end> ended;
};

guest::guest(const kernel& k, const job& what, guest_options how) {
  if (what.argv.empty()) throw error("a job without a program");
  state_ = std::make_unique<state>(k, what, std::move(how));
  state_->start(k);
  state_->watch();  // if that fails, ~state ends what was started
}
guest::~guest() = default;
guest::guest(guest&&) noexcept = default;
guest& guest::operator=(guest&&) noexcept = default;

void guest::look() {
  state_->look();
}
const std::optional<guest_end>& guest::ended() const noexcept {
  return state_->ended;
}
void guest::stop() {
  state_->end_it(guest_fate::stopped);
}
std::chrono::nanoseconds guest::guest_time() const {
  return state_->ended ? state_->guest_time : state_->read_clock().value_or(state_->guest_time);
}
std::chrono::nanoseconds guest::standstill() const {
  return state_->standstill(steady::now());
}
int guest::pid() const noexcept {
  return state_->pid;
}
int guest::descriptor() const noexcept {
  return state_->ready.get();
}

long guest::memory_kib() const {
  const std::string self = "/proc/" + std::to_string(state_->pid);
  long sum = memory_of(self);
  std::ifstream children(self + "/task/" + std::to_string(state_->pid) + "/children");
  for (int child = 0; children >> child;) sum += memory_of("/proc/" + std::to_string(child));
  return sum;
}

void wait_for_any(std::span<guest* const> guests, std::chrono::milliseconds limit) {
  std::vector<pollfd> ready;
  for (const guest* g : guests)
    if (!g->ended()) ready.push_back({g->descriptor(), POLLIN, 0});
  ::poll(ready.data(), ready.size(), static_cast<int>(limit.count()));
  for (guest* g : guests) g->look();
}

}  // namespace halfopen::clock
