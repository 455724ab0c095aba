// Processes rather than threads, since what is tested is what a process does: its exit
// status, its death by SIGPIPE, its signal mask. They are forked without an exec, so
// every inherited descriptor has to be closed by hand: a pipe's end that is left open
// somewhere would never end.

#include "pair/test_process.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <thread>

namespace halfopen::pair::test {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::array<descriptor, 2> make_pipe() {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  return {descriptor{ends[0]}, descriptor{ends[1]}};
}

bool readable_until(int fd, clock::time_point end) {
  pollfd watched{fd, POLLIN, 0};
  const auto left = std::chrono::ceil<milliseconds>(end - clock::now()).count();
  return left >= 0 && ::poll(&watched, 1, static_cast<int>(left)) > 0;
}

}  // namespace

std::string read_some(int fd, std::size_t enough, milliseconds wait) {
  std::string all;
  std::array<char, 65536> bytes;
  const auto end = clock::now() + wait;
  while (all.size() < enough && readable_until(fd, end)) {
    const ssize_t size = ::read(fd, bytes.data(), std::min(bytes.size(), enough - all.size()));
    if (size <= 0) break;
    all.append(bytes.data(), static_cast<std::size_t>(size));
  }
  return all;
}

std::string read_line(int fd, milliseconds wait) {
  std::string line;
  const auto end = clock::now() + wait;
  char byte = 0;
  while (!line.ends_with('\n') && readable_until(fd, end) && ::read(fd, &byte, 1) == 1) line += byte;
  return line;
}

bool at_end(int fd, milliseconds wait) {
  char byte = 0;
  return readable_until(fd, clock::now() + wait) && ::read(fd, &byte, 1) == 0;
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(fd, bytes.data(), bytes.size());
    ASSERT_GT(size, 0);
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

process::process(const std::function<int()>& run) {
  auto in = make_pipe();
  auto out = make_pipe();
  auto err = make_pipe();
  std::fflush(nullptr);
  id_ = ::fork();
  if (id_ == 0) {
    ::dup2(in[0].get(), STDIN_FILENO);
    ::dup2(out[1].get(), STDOUT_FILENO);
    ::dup2(err[1].get(), STDERR_FILENO);
    ::close_range(3, ~0U, 0);
    const int status = run();
    std::fflush(nullptr);
    ::_exit(status);
  }
  in_ = std::move(in[1]);
  out_ = std::move(out[0]);
  err_ = std::move(err[0]);
}

process::~process() {
  if (id_ < 0) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

void process::signal(int number) const noexcept {
  ::kill(id_, number);
}

void process::stop() const noexcept {
  ::kill(id_, SIGSTOP);
  ::waitpid(id_, nullptr, WUNTRACED);
}

int process::wait() {
  const auto end = clock::now() + patience;
  int status = 0;
  rusage used{};
  while (::wait4(id_, &status, WNOHANG, &used) == 0) {
    if (clock::now() > end) return -1;
    std::this_thread::sleep_for(milliseconds{2});
  }
  id_ = -1;
  const auto microseconds = [](const timeval& t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  cpu_time_ = microseconds(used.ru_utime) + microseconds(used.ru_stime);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

descriptor connect_to(std::uint16_t port) {
  descriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

fake_server::fake_server() : listener_(*listen_on({"127.0.0.1", "0"}, false, 0)) {
  const std::string where = local_address(listener_.get());
  port_ = static_cast<std::uint16_t>(std::stoi(where.substr(where.rfind(':') + 1)));
}

descriptor fake_server::accept() const {
  if (!readable_until(listener_.get(), clock::now() + patience)) return {};
  return descriptor{::accept(listener_.get(), nullptr, nullptr)};
}

void reset(descriptor& connection) {
  const linger abort{1, 0};
  ::setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  connection.reset();
}

}  // namespace halfopen::pair::test
