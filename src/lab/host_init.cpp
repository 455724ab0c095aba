// A host's init is this program's own code in a forked process, not an exec'd
// helper: nothing to install, nothing to find, 1 ms less a host. It is the only
// process that can signal "every process of this host" in one call, as init does
// at shutdown (kill(2), pid -1), and when it dies the kernel kills them all.

#include "lab/host_init.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/host.hpp"
#include "lab/layers.hpp"
#include "lab/messages.hpp"
#include "lab/namespaces.hpp"

namespace halfopen::lab {
namespace {

struct answer {
  int value = 0;  ///< an errno, or a count
  char step[40] = {};
};

void say(int control, int value, const char* step, int descriptor = -1) {
  answer a;
  a.value = value;
  std::snprintf(a.step, sizeof a.step, "%s", step);
  if (!send_message(control, &a, sizeof a, descriptor)) ::_exit(0);
}

/// One message of exactly that size; false at the other end's death.
bool receive(int line, void* into, std::size_t size) {
  for (;;) {
    const ssize_t n = ::recv(line, into, size, 0);
    if (n < 0 && errno == EINTR) continue;
    return n == static_cast<ssize_t>(size);
  }
}

constexpr int count_request = -1;  // no signal has that number

/// Processes of this PID namespace but init, by their folders in its own /proc.
int count_processes() {
  int count = 0;
  std::error_code why;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", why)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos && name != "1") ++count;
  }
  return count;
}

/// The lab is gone, and with it every reason to live.
bool alone(int control) {
  pollfd p{control, 0, 0};
  return ::poll(&p, 1, 0) > 0 && (p.revents & POLLHUP) != 0;
}

/// Puts a file of the host's own over one of the system's, where there is one.
bool cover(const std::string& path, const std::string& text) {
  if (::access(path.c_str(), F_OK) < 0) return true;
  const std::string own = "/run/" + path.substr(path.rfind('/') + 1);
  const unique_fd file(::open(own.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  return file && write_file(own, text) && ::mount(own.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0;
}

/// A minimal system, as debootstrap or a container image has it, may lack /etc/hosts, and what is not there
/// cannot be covered: then the host gets an /etc of its own above the system's (overlayfs), with room for it.
bool make_room_for_names() {
  if (::access("/etc/hosts", F_OK) == 0) return true;
  if (!mount_above("/etc", "/run/etc", "/etc")) return false;
  const unique_fd made(::open("/etc/hosts", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  return made.get() >= 0;
}

/// The system's name service switch, but host names come from /etc/hosts alone:
/// a question to a name server could only be lost on the cable, and waited for.
std::string name_service_switch() {
  std::ifstream system("/etc/nsswitch.conf");
  std::string text = "hosts: files\n";
  for (std::string line; std::getline(system, line);)
    if (!line.starts_with("hosts:")) text += line + "\n";
  return text;
}

/// The host's disk, at its private folder: the one of its life before, or an empty one. A mount
/// dies with its mount namespace, and that with the host. So a second mount of the same files,
/// which is in no namespace (open_tree(2), OPEN_TREE_CLONE), is handed to the lab: a descriptor
/// holds it, and when the lab's process is gone, so are the files.
const char* set_up_disk(int disk, unique_fd& copy) {
  if (::mkdir(host::private_folder, 0700) < 0) return "making the private folder";
  const int mounted =
      disk >= 0 ? ::move_mount(disk, "", AT_FDCWD, host::private_folder, MOVE_MOUNT_F_EMPTY_PATH)
                : ::mount("tmpfs", host::private_folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
  if (mounted < 0) return "mounting the private folder";
  copy.reset(::open_tree(AT_FDCWD, host::private_folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  return copy ? nullptr : "keeping the private folder";
}

/// Memory that the host's processes share (shm_open(3)), and nobody else. The private folder
/// is in it because that is the one folder of files that is sure to be no one else's: /tmp and
/// the home are the system's, and may hold the very programs that are to run.
const char* set_up_shared_memory(int disk, unique_fd& copy) {
  if (::access("/dev/shm", F_OK) < 0) return nullptr;
  if (::mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0)
    return "mounting /dev/shm";
  return set_up_disk(disk, copy);
}

/// Null if all went well, or the step that failed.
const char* set_up(const std::string& host_name, const host_files& files, int disk, unique_fd& copy) {
  if (::sethostname(host_name.c_str(), host_name.size()) < 0) return "sethostname";
  // Nothing that is mounted here may be seen outside.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) return "mount / slave";
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) < 0)
    return "mounting /proc";
  const std::string switch_file = name_service_switch();
  if (::mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0) return "mounting /run";
  if (!make_room_for_names()) return "an /etc with a hosts file";
  if (!cover("/etc/hosts", files.hosts)) return "mounting /etc/hosts";
  if (!files.resolver_order.empty() && !cover("/etc/host.conf", files.resolver_order))
    return "mounting /etc/host.conf";
  if (!files.address_order.empty() && !cover("/etc/gai.conf", files.address_order))
    return "mounting /etc/gai.conf";
  if (!cover("/etc/nsswitch.conf", switch_file)) return "mounting /etc/nsswitch.conf";
  // For resolvers that do not read the switch: nobody listens here, and says so at once.
  if (!cover("/etc/resolv.conf", "nameserver 127.0.0.1\n")) return "mounting /etc/resolv.conf";
  // The files live on where they cover others; what is in the system's /run is seen again.
  if (::umount2("/run", MNT_DETACH) < 0) return "unmounting /run";
  // A caching daemon outside would answer instead of /etc/hosts.
  if (::access("/run/nscd", F_OK) == 0 && ::mount("tmpfs", "/run/nscd", "tmpfs", 0, nullptr) < 0)
    return "mounting /run/nscd";
  return set_up_shared_memory(disk, copy);
}

}  // namespace

void run_host_init(unique_fd control, const std::string& host_name, const host_files& files, int disk) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "host-init");
  const int line = 3;
  if (disk >= 0) disk = ::fcntl(disk, F_DUPFD, line + 2);  // out of the way
  ::dup2(control.get(), line);
  if (disk >= 0) disk = ::dup2(disk, line + 1);
  // Descriptors of the lab, such as the other end of a program's input, must not live on here.
  ::close_range(line + (disk >= 0 ? 2 : 1), ~0U, 0);
  (void)control.release();
  if (alone(line)) ::_exit(0);
  ::signal(SIGCHLD, SIG_IGN);  // orphans are reaped by the kernel
  unique_fd copy;
  const char* failed = set_up(host_name, files, disk, copy);
  say(line, failed != nullptr ? errno : 0, failed != nullptr ? failed : "", copy.get());
  copy.reset();
  if (disk >= 0) ::close(disk);
  for (int request = 0; receive(line, &request, sizeof request);) {
    if (request == count_request)
      say(line, count_processes(), "count");
    else
      say(line, ::kill(-1, request) < 0 ? errno : 0, "kill");
  }
  ::_exit(0);
}

unique_fd init_line::wait_until_ready() {
  answer a;
  unique_fd disk;
  if (!receive_message(control_.get(), &a, sizeof a, disk)) throw error("a host's init died early");
  if (a.value != 0) throw error(std::string("setting up a host: ") + a.step, a.value);
  return disk;
}

int init_line::ask(int request) {
  answer a;
  if (::send(control_.get(), &request, sizeof request, MSG_NOSIGNAL) < 0 ||
      !receive(control_.get(), &a, sizeof a))
    throw error("a host's init does not answer");
  return a.value;
}

bool init_line::signal_all(int number) {
  const int why = ask(number);
  if (why != 0 && why != ESRCH) throw error("signalling a host's processes", why);
  return why == 0;
}

int init_line::count() {
  return ask(count_request);
}

}  // namespace halfopen::lab
