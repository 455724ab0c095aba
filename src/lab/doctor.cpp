// Looking up settings would miss most reasons for a refusal (a container's
// seccomp profile, AppArmor, a missing kernel module), so each requirement is
// tried for real. Settings are only read to name the remedy.

#include "halfopen/lab/doctor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <functional>
#include <optional>

#include "halfopen/lab/enter.hpp"
#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"

namespace halfopen::lab {
namespace {

constexpr const char* container_remedy =
    "in a container: run it with --privileged, or with --cap-add SYS_ADMIN --cap-add NET_ADMIN "
    "--security-opt seccomp=unconfined --security-opt apparmor=unconfined; else run it as root";

std::optional<std::string> read_setting(const char* path) {
  std::ifstream file(path);
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  return text;
}

/// In a plain chroot the root is no mount point, and mounts cannot be made private (mount(2), EINVAL).
bool root_is_mounted() {
  struct statx root{};
  if (::statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS, &root) < 0) return true;
  return (root.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0 ||
         (root.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/// Why namespaces cannot be made, and what to do.
std::string namespace_remedy() {
  if (!root_is_mounted())
    return "this is a chroot whose folder is no mount point; before entering it: mount --bind FOLDER FOLDER";
  if (::geteuid() == 0) return container_remedy;
  if (read_setting("/proc/sys/kernel/unprivileged_userns_clone") == "0")
    return "sudo sysctl -w kernel.unprivileged_userns_clone=1";
  if (read_setting("/proc/sys/user/max_user_namespaces") == "0")
    return "sudo sysctl -w user.max_user_namespaces=15000";
  if (read_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1")
    return "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu's AppArmor forbids it), "
           "or run it as root";
  return container_remedy;
}

/// Runs `attempt` in a fresh world; gives its error, or nothing.
std::optional<std::string> fails(const std::function<void()>& attempt) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return "pipe";
  const unique_fd read_end(ends[0]);
  unique_fd write_end(ends[1]);
  int code = 0;
  try {
    code = enter([&] {
      try {
        attempt();
        return 0;
      } catch (const std::exception& e) {
        (void)!::write(write_end.get(), e.what(), std::char_traits<char>::length(e.what()));
        return 1;
      }
    });
  } catch (const error& e) {
    return e.what();
  }
  write_end.reset();
  if (code == 0) return std::nullopt;
  char text[512];
  const ssize_t n = ::read(read_end.get(), text, sizeof text);
  return n > 0 ? std::string(text, static_cast<std::size_t>(n))
               : "it ended with status " + std::to_string(code);
}

requirement try_it(std::string what, std::string remedy, const std::function<void()>& attempt) {
  const auto why = fails(attempt);
  return {std::move(what), !why, true, why.value_or("works"), why ? std::move(remedy) : ""};
}

requirement kernel_version() {
  utsname name{};
  ::uname(&name);
  int major = 0;
  int minor = 0;
  std::sscanf(name.release, "%d.%d", &major, &minor);
  const bool met = major > 5 || (major == 5 && minor >= 14);
  return {"Linux 5.14 or later", met, true, name.release,
          met ? "" : "a newer kernel: accept is answered by SECCOMP_ADDFD_FLAG_SEND"};
}

/// A program's accept call is answered by the lab.
void supervise_a_program() {
  experiment lab;
  host& server = lab.at("server");
  process& p = server.start({{"true"}, {}, accept_flavour::posix});
  if (!lab.until_ended(p) || p.ended()->code != 0) throw error("a supervised program does not run");
}

void write_a_sysctl() {
  experiment lab;
  lab.at("client").set_sysctl("net.ipv4.tcp_retries2", "3");
}

requirement short_timers() {
  const auto why = fails([] {
    experiment lab;
    if (!lab.at("client").sysctl("net.ipv4.tcp_rto_max_ms"))
      throw error("this kernel has no net.ipv4.tcp_rto_max_ms");
  });
  return {"retransmission pauses can be capped", !why, false,
          why.value_or("net.ipv4.tcp_rto_max_ms is there"),
          why ? "Linux 6.15 or later; without it the lab takes a second longer" : ""};
}

/// host::private_folder is there.
requirement own_folders() {
  const bool met = ::access("/dev/shm", F_OK) == 0;
  return {"hosts with a folder of their own: $HALFOPEN_DIR", met, false,
          met ? "/dev/shm is there" : "there is no /dev/shm, so no $HALFOPEN_DIR either",
          met ? "" : "sudo mkdir /dev/shm && sudo mount -t tmpfs -o mode=1777 tmpfs /dev/shm"};
}

}  // namespace

std::vector<requirement> examine() {
  std::vector<requirement> found{kernel_version()};
  found.push_back(try_it(::geteuid() == 0 ? "namespaces, as root" : "namespaces, as an ordinary user",
                         namespace_remedy(), [] {}));
  if (!found.back().met) return found;  // the rest would fail for the same reason
  found.push_back(try_it("two hosts and a cable: veth, packet sockets",
                         "sudo modprobe veth af_packet; " + std::string(container_remedy),
                         [] { experiment lab; }));
  if (!found.back().met) return found;
  found.push_back(try_it("hosts with settings of their own: /proc/sys/net is writable",
                         "mount /proc/sys read-write; " + std::string(container_remedy), write_a_sysctl));
  found.push_back(try_it("accept flavours: seccomp user notification",
                         "a kernel with CONFIG_SECCOMP_FILTER; " + std::string(container_remedy),
                         supervise_a_program));
  found.push_back(own_folders());
  found.push_back(short_timers());
  return found;
}

bool can_run(const std::vector<requirement>& found) noexcept {
  return std::ranges::all_of(found, [](const requirement& r) { return r.met || !r.needed; });
}

}  // namespace halfopen::lab
