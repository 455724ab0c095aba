#include "bench/plain_pair.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "lab/namespaces.hpp"
#include "lab/netlink.hpp"
#include "lab/sock_diag.hpp"

namespace halfopen::bench {
namespace {

/// A new network namespace. The thread stays where it was.
lab::unique_fd make_network() {
  const lab::unique_fd home = lab::own_namespace("net");
  const lab::network_visit come_back(home.get());
  if (::unshare(CLONE_NEWNET) < 0) throw lab::error("unshare", errno);
  return lab::own_namespace("net");
}

void configure(int network, const char* v4, const char* v6) {
  const lab::network_visit visit(network);
  lab::turn_offloads_off(lab::inner_name);
  lab::configure_inner(trace::ip_address::parse(v4).value(), trace::ip_address::parse(v6).value());
}

/// Forks; in `network`, with `out` as standard output, this program anew.
pid_t start(int network, const std::vector<std::string>& arguments, int out) {
  const std::string self = lab::own_executable();
  std::vector<char*> argv{const_cast<char*>(self.c_str())};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw lab::error("fork", errno);
  if (pid == 0) {
    if (::setns(network, CLONE_NEWNET) == 0 && ::dup2(out, STDOUT_FILENO) >= 0)
      ::execv(self.c_str(), argv.data());
    ::_exit(127);
  }
  return pid;
}

}  // namespace

plain_pair::plain_pair() : client_(make_network()), server_(make_network()) {
  // Without ARP a frame is addressed to its sender's own interface; so both ends
  // have the same hardware address, and take it for theirs.
  constexpr lab::mac_address both{2, 0, 0, 0, 0, 1};
  {
    const lab::network_visit visit(client_.get());
    lab::make_veth({lab::inner_name, lab::inner_index, both, server_.get(), both});
  }
  configure(client_.get(), client_address, "fd00::1");
  configure(server_.get(), server_address, "fd00::2");
}

plain_pair::~plain_pair() {
  if (running_ < 0) return;
  ::kill(running_, SIGKILL);
  ::waitpid(running_, nullptr, 0);
}

void plain_pair::start_server(const std::vector<std::string>& arguments) {
  running_ = start(server_.get(), arguments, STDERR_FILENO);
  for (bool listens = false; !listens; ::usleep(1000)) {
    const lab::network_visit visit(server_.get());
    listens = !lab::listening_tcp_ports().empty();
  }
}

std::string plain_pair::run_client(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw lab::error("pipe", errno);
  const lab::unique_fd from(ends[0]);
  lab::unique_fd to(ends[1]);
  const pid_t pid = start(client_.get(), arguments, to.get());
  to.reset();
  std::string said;
  char buffer[256];
  for (ssize_t n; (n = ::read(from.get(), buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(n));
  ::waitpid(pid, nullptr, 0);
  return said;
}

}  // namespace halfopen::bench
