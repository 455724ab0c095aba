// Process 1 of a guest: this program itself, so there is nothing to install or to find.
//
// The root that the kernel mounted is the host's own file system, read-only. A tmpfs laid
// over it takes whatever is written, so programs find all they are used to, may change
// anything, and nothing of the host changes. Only the folders that the job names are the
// host's own, for writing. The tmpfs itself lies on /tmp, which every system has.
//
// When init ends the kernel panics, so every failure is written into the file `status` and
// the guest is powered off in good order.

#include "clock/guest_init.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "clock/job.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::clock {
namespace {

using lab::unique_fd;

int status_file = -1;

void say(const std::string& line) {
  const std::string text = line + "\n";
  (void)!::write(status_file, text.data(), text.size());
}

[[noreturn]] void power_off() {
  ::sync();
  ::reboot(RB_POWER_OFF);
  ::_exit(1);  // and the kernel panics, which the host sees
}

[[noreturn]] void give_up(const std::string& step) {
  say("failed " + step + ": " + std::strerror(errno));
  power_off();
}

void must_mount(const char* type, const std::string& where, const std::string& data = {}) {
  if (::mount(type, where.c_str(), type, 0, data.empty() ? nullptr : data.c_str()) < 0)
    give_up("mounting " + std::string(type) + " on " + where);
}

void must_make(const std::string& folder, mode_t mode = 0755) {
  if (::mkdir(folder.c_str(), mode) < 0 && errno != EEXIST) give_up("making the folder " + folder);
}

void write_setting(const char* path, std::string_view value) {
  const unique_fd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (file) (void)!::write(file.get(), value.data(), value.size());
}

std::string read_all(const std::string& path) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) give_up("opening " + path);
  std::string text;
  char buffer[65536];
  for (ssize_t n; (n = ::read(file.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

unique_fd open_for_writing(const std::string& path) {
  unique_fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!file) give_up("opening " + path);
  return file;
}

/// The host's file system below a tmpfs, at `root`, with what a system has of its own.
void build_root(const std::string& root) {
  for (const char* folder : {"/tmp/upper", "/tmp/work", "/tmp/root"}) must_make(folder);
  must_mount("overlay", root, "lowerdir=/,upperdir=/tmp/upper,workdir=/tmp/work");
  for (const char* folder : {"/proc", "/sys", "/dev", "/run", "/tmp"}) must_make(root + folder);
  must_mount("proc", root + "/proc");
  must_mount("sysfs", root + "/sys");
  must_mount("devtmpfs", root + "/dev");
  must_mount("tmpfs", root + "/run", "mode=755");
  must_make(root + "/run/lock", 01777);
  must_make(root + "/dev/shm", 01777);
  must_make(root + "/dev/pts");
  must_mount("tmpfs", root + "/dev/shm");
  must_mount("devpts", root + "/dev/pts", "ptmxmode=666");
  for (const auto& [target, link] : {std::pair{"/proc/self/fd", "/dev/fd"},
                                     {"/proc/self/fd/0", "/dev/stdin"},
                                     {"/proc/self/fd/1", "/dev/stdout"},
                                     {"/proc/self/fd/2", "/dev/stderr"}})
    (void)!::symlink(target, (root + link).c_str());
}

void make_writable(const std::string& root, const std::string& folder) {
  struct stat is{};
  if (::stat((root + folder).c_str(), &is) < 0) give_up("looking for the folder " + folder);
  if (::mount("none", (root + folder).c_str(), "hostfs", 0, folder.c_str()) < 0)
    give_up("mounting the host's " + folder);
}

/// As switch_root(8): `root` becomes what every process sees, and namespaces can be made
/// in it, which chroot(2) alone would forbid.
void enter_root(const std::string& root) {
  if (::chdir(root.c_str()) < 0) give_up("entering " + root);
  if (::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0) give_up("moving the root");
  if (::chroot(".") < 0 || ::chdir("/") < 0) give_up("chroot");
}

void write_files(const job& j) {
  for (const auto& [name, text] : j.files) {
    const unique_fd file(::open((files_folder + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    if (!file) give_up("making the file " + name);
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(file.get(), text.data() + done, text.size() - done);
      if (n <= 0) give_up("writing the file " + name);
      done += static_cast<std::size_t>(n);
    }
  }
}

void loopback_up() {
  const unique_fd s(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq lo{};
  std::strcpy(lo.ifr_name, "lo");
  lo.ifr_flags = IFF_UP;
  if (!s || ::ioctl(s.get(), SIOCSIFFLAGS, &lo) < 0) give_up("starting the loopback interface");
}

[[noreturn]] void become_the_job(const job& j, const unique_fd& output, const unique_fd& errors) {
  ::setsid();
  const unique_fd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (::dup2(input.get(), 0) < 0 || ::dup2(output.get(), 1) < 0 || ::dup2(errors.get(), 2) < 0) ::_exit(126);
  if (::chdir(j.directory.c_str()) < 0 && ::chdir("/") < 0) ::_exit(126);
  ::clearenv();
  for (const std::string& e : j.environment)
    if (const auto equals = e.find('='); equals != std::string::npos)
      ::setenv(e.substr(0, equals).c_str(), e.c_str() + equals + 1, 1);
  std::vector<char*> argv;
  for (const std::string& a : j.argv) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  say("failed starting " + j.argv[0] + ": " + std::strerror(errno));
  ::_exit(127);
}

/// Waits for the job, and reaps every orphan meanwhile.
int wait_for(pid_t child) {
  for (;;) {
    int status = 0;
    const pid_t gone = ::waitpid(-1, &status, 0);
    if (gone < 0 && errno != EINTR) return 128;
    if (gone == child) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

}  // namespace

bool is_guest_init(int argc, char** argv) noexcept {
  return ::getpid() == 1 && argc == 3 && std::strcmp(argv[1], init_argument) == 0;
}

void run_guest_init(const char* folder) {
  const std::string root = "/tmp/root";
  // There is no console, so none of these is open: our own files must not become them.
  while (::open("/", O_RDONLY) < 2) {
  }
  must_mount("tmpfs", "/tmp", "mode=1777");
  must_make("/tmp/job");
  if (::mount("none", "/tmp/job", "hostfs", 0, folder) < 0) power_off();
  status_file = open_for_writing("/tmp/job/status").release();
  const unique_fd output = open_for_writing("/tmp/job/output");
  const unique_fd errors = open_for_writing("/tmp/job/errors");
  const auto j = parse_job(read_all("/tmp/job/job"));
  if (!j) {
    say("failed reading the job: " + j.error());
    power_off();
  }
  build_root(root);
  for (const auto& w : j->writable) make_writable(root, w);
  enter_root(root);
  loopback_up();
  write_files(*j);
  (void)::sethostname(j->host_name.c_str(), j->host_name.size());
  write_setting("/proc/sys/vm/panic_on_oom", "1");
  // A machine with more memory than this one would not refuse to reserve it.
  write_setting("/proc/sys/vm/overcommit_memory", "1");
  write_setting("/proc/sys/kernel/randomize_va_space", "0");
  say("started");
  const pid_t child = ::fork();
  if (child < 0) give_up("fork");
  if (child == 0) become_the_job(*j, output, errors);
  const int code = wait_for(child);
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  say("exit " + std::to_string(code) + " " + std::to_string(now.tv_sec * 1'000'000'000 + now.tv_nsec));
  power_off();
}

}  // namespace halfopen::clock
