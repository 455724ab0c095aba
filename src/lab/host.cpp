// A host is its init: with it live and die the host's namespaces and processes.
//
// Measured on the way to this (bench/lab.cpp): making the veth pair straight
// into the host's namespace saves a second netlink message and the rename that
// moving it afterwards needs.

#include "halfopen/lab/host.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "halfopen/lab/error.hpp"
#include "lab/access.hpp"
#include "lab/namespaces.hpp"
#include "lab/netlink.hpp"
#include "lab/spawn.hpp"

namespace halfopen::lab {
namespace {

std::string sysctl_path(std::string_view name) {
  std::string path = "/proc/sys/";
  for (const char c : name) path += c == '.' ? '/' : c;
  return path;
}

mac_address mac_of(std::size_t host, bool inner) {
  return {2, 0, 0, 0, static_cast<std::uint8_t>(inner ? 0 : 1), static_cast<std::uint8_t>(host + 1)};
}

void apply_sysctl(const std::string& name, const std::string& value) {
  if (write_file(sysctl_path(name), value)) return;
  if (errno == ENOENT) throw error("this kernel has no setting " + name);
  throw error("setting " + name + " to " + value, errno);
}

}  // namespace

host::host(std::unique_ptr<state> s) : state_(std::move(s)) {}
host::~host() {
  if (state_->up) host_access::power_off(*this);
}

const std::string& host::name() const noexcept {
  return state_->name;
}
const trace::ip_address& host::address() const noexcept {
  return state_->address;
}
bool host::is_up() const noexcept {
  return state_->up;
}
experiment& host::lab() const noexcept {
  return *state_->lab;
}

std::vector<process*> host::processes() const {
  std::vector<process*> all;
  for (const auto& p : state_->processes) all.push_back(p.get());
  return all;
}

bool host::is_empty() const {
  return !state_->up || !state_->line.signal_all(0);
}

void host::in_network(const std::function<void()>& action) const {
  if (!state_->up) throw error(state_->name + " is down");
  const network_visit visit(state_->network.get());
  action();
}

void host::set_sysctl(std::string_view name, std::string_view value) {
  in_network([&] { apply_sysctl(std::string(name), std::string(value)); });
  state_->sysctls.emplace_back(name, value);
}

std::optional<std::string> host::sysctl(std::string_view name) const {
  std::optional<std::string> value;
  in_network([&] {
    std::ifstream file(sysctl_path(name));
    std::string text;
    if (std::getline(file, text)) value = text;
  });
  return value;
}

void host_access::power_on(host& h) {
  start_init(h);
  try {
    plug_in(h);
  } catch (...) {
    power_off(h);
    throw;
  }
}

/// Forks the host's init, which sets up names and mounts while we go on.
void host_access::start_init(host& h) {
  host::state& s = of(h);
  int lines[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lines) < 0) throw error("socketpair", errno);
  unique_fd ours(lines[0]);
  unique_fd theirs(lines[1]);
  s.init = clone_into(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC, &s.init_pidfd);
  if (s.init < 0) throw error("making a host's namespaces", errno);
  if (s.init == 0) {
    ours.reset();
    run_host_init(std::move(theirs), s.name, s.files, s.disk.get());
  }
  s.up = true;
  s.line = init_line(std::move(ours));
  struct stat at{};
  if (::stat(("/proc/" + std::to_string(s.init) + "/ns/pid").c_str(), &at) == 0) s.pid_namespace = at.st_ino;
}

/// Connects the host to the cable, with its address and settings.
void host_access::plug_in(host& h) {
  host::state& s = of(h);
  s.network.reset(::open(("/proc/" + std::to_string(s.init) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  if (!s.network) throw error("opening a host's network namespace", errno);
  const unsigned interface = wire(h).new_interface();
  const std::string outer = "cable" + std::to_string(interface);
  make_veth({outer, interface, mac_of(s.port, false), s.network.get(), mac_of(s.port, true)});
  turn_offloads_off(outer);
  h.in_network([&] {
    turn_offloads_off(inner_name);
    configure_inner(s.v4, s.v6);
    for (const auto& [name, value] : s.sysctls) apply_sysctl(name, value);
    wait_until_running(inner_name);
    wait_until_local(s.address);
  });
  wait_until_running(outer);
  s.disk = s.line.wait_until_ready();

  cable::port& at = port(h);
  at.mac = mac_of(s.port, true);
  at.interface = interface;
  at.connected = true;
  at.answer.reset();
}

namespace {

/// Reaps children of ours that are in that PID namespace and that we do not know:
/// a program can make us siblings with CLONE_PARENT (clone(2)).
void reap_strangers(const std::vector<std::unique_ptr<process>>& known, ino_t pid_namespace) {
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    const pid_t pid = info.si_pid;
    struct stat at{};
    const std::string link = "/proc/" + std::to_string(pid) + "/ns/pid";
    const bool ours = std::ranges::any_of(known, [&](const auto& p) { return p->pid() == pid; });
    if (ours || ::stat(link.c_str(), &at) < 0 || at.st_ino != pid_namespace) return;
    ::waitpid(pid, nullptr, 0);
    info = {};
  }
}

}  // namespace

void host_access::power_off(host& h) {
  host::state& s = of(h);
  // Sockets without an owner repeat their FIN for up to two minutes, and keep the
  // namespace alive meanwhile (Linux net/ipv4/tcp_timer.c, tcp_orphan_retries). On
  // a dead host nobody hears it.
  if (s.network) h.in_network([] { write_file(sysctl_path("net.ipv4.tcp_orphan_retries"), "1"); });
  ::syscall(SYS_pidfd_send_signal, s.init_pidfd.get(), SIGKILL, nullptr, 0);
  // Init's own end waits until every process of its namespace is reaped
  // (kernel/pid_namespace.c, zap_pid_ns_processes), and the programs are our
  // children: they come first.
  for (const auto& p : s.processes) process_access::reap(*p);
  siginfo_t info{};
  while (wait_for(s.init_pidfd, WEXITED | WNOHANG, info) && info.si_pid == 0) {
    reap_strangers(s.processes, s.pid_namespace);
    pollfd gone{s.init_pidfd.get(), POLLIN, 0};
    ::poll(&gone, 1, 1);
  }
  s.up = false;
  s.network.reset();
  s.init_pidfd.reset();
  s.line = {};
  port(h).interface = 0;
  port(h).connected = false;
}

}  // namespace halfopen::lab
