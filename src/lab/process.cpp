#include "halfopen/lab/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/host.hpp"
#include "lab/accept_gate.hpp"
#include "lab/access.hpp"
#include "lab/spawn.hpp"

namespace halfopen::lab {

struct process::state {
  host* where = nullptr;
  loop* events = nullptr;
  std::string name;
  spawned child;
  std::string output, errors;
  std::optional<trace::time_point> last_output;
  std::string to_type;
  bool close_when_typed = false;
  std::optional<exit_status> ended;
  std::unique_ptr<accept_gate> gate;

  void read_all(unique_fd& from, std::string& into);
  void write_some();
  void collect_end(int wait_flags);
  void close(unique_fd& fd) {
    events->forget(fd.get());
    fd.reset();
  }
};

namespace {

/// write(2) that gives EPIPE without the signal: SIGPIPE has no per-call switch
/// for pipes, so it is blocked meanwhile, and taken away if it came.
ssize_t write_without_sigpipe(int fd, std::string_view text) {
  sigset_t pipe_signal;
  sigset_t before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t n = ::write(fd, text.data(), text.size());
  const int why = errno;
  if (n < 0 && why == EPIPE && sigismember(&before, SIGPIPE) == 0) {
    const timespec at_once{};
    ::sigtimedwait(&pipe_signal, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = why;
  return n;
}

}  // namespace

void process::state::read_all(unique_fd& from, std::string& into) {
  char buffer[65536];
  while (from) {
    const ssize_t n = ::read(from.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return close(from);
    into.append(buffer, static_cast<std::size_t>(n));
    last_output = experiment::now();
  }
}

void process::state::write_some() {
  while (child.input && !to_type.empty()) {
    const ssize_t n = write_without_sigpipe(child.input.get(), to_type);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      events->watch(child.input.get(), EPOLLOUT, [this](std::uint32_t) { write_some(); });
      return;
    }
    if (n < 0) return close(child.input);  // it reads no more
    to_type.erase(0, static_cast<std::size_t>(n));
  }
  if (!child.input) return;
  events->forget(child.input.get());
  if (close_when_typed) child.input.reset();
}

void process::state::collect_end(int wait_flags) {
  siginfo_t info{};
  if (ended || !wait_for(child.pidfd, WEXITED | wait_flags, info) || info.si_pid == 0) return;
  events->forget(child.pidfd.get());
  read_all(child.output, output);
  read_all(child.errors, errors);
  ended = exit_status{info.si_code == CLD_EXITED ? info.si_status : 0,
                      info.si_code == CLD_EXITED ? 0 : info.si_status, experiment::now()};
}

process::process(std::unique_ptr<state> s) : state_(std::move(s)) {}

process::~process() {
  state& s = *state_;
  s.gate.reset();
  for (unique_fd* fd : {&s.child.pidfd, &s.child.input, &s.child.output, &s.child.errors}) s.close(*fd);
}

std::unique_ptr<process> process_access::start(host& where, program what) {
  const auto& at = host_access::of(where);
  if (!at.up) throw error(at.name + " is down: it cannot start " + (what.argv.empty() ? "" : what.argv[0]));
  auto s = std::make_unique<process::state>();
  s->where = &where;
  s->events = &experiment_access::of(*at.lab).events;
  s->child = spawn_in(at.init_pidfd.get(), at.init, what);
  s->name = std::filesystem::path(what.argv[0]).filename();
  process::state* raw = s.get();
  if (s->child.accept_notifications)
    s->gate = std::make_unique<accept_gate>(*s->events, std::move(s->child.accept_notifications),
                                            what.accept_like.value_or(accept_flavour::linux_kernel), *at.lab);
  s->events->watch(s->child.output.get(), EPOLLIN,
                   [raw](std::uint32_t) { raw->read_all(raw->child.output, raw->output); });
  s->events->watch(s->child.errors.get(), EPOLLIN,
                   [raw](std::uint32_t) { raw->read_all(raw->child.errors, raw->errors); });
  s->events->watch(s->child.pidfd.get(), EPOLLIN, [raw](std::uint32_t) { raw->collect_end(WNOHANG); });
  return std::unique_ptr<process>(new process(std::move(s)));
}

void process_access::reap(process& p) {
  p.state_->collect_end(0);
}

process& host::start(program what) {
  state_->processes.push_back(process_access::start(*this, std::move(what)));
  return *state_->processes.back();
}

void host::drop(const process& ended) {
  if (!ended.ended()) throw error("a program that runs cannot be dropped");
  std::erase_if(state_->processes, [&](const auto& p) { return p.get() == &ended; });
}

pid_t process::pid() const noexcept {
  return state_->child.pid;
}
const std::string& process::name() const noexcept {
  return state_->name;
}
host& process::where() const noexcept {
  return *state_->where;
}
const std::string& process::output() const noexcept {
  return state_->output;
}
const std::string& process::errors() const noexcept {
  return state_->errors;
}
std::optional<trace::time_point> process::last_output() const noexcept {
  return state_->last_output;
}
const std::optional<exit_status>& process::ended() const noexcept {
  return state_->ended;
}

void process::type(std::string_view text) {
  if (state_->close_when_typed) throw error("typing into an input that was closed");
  state_->to_type += text;
  state_->write_some();
}

void process::close_input() {
  state_->close_when_typed = true;
  state_->write_some();
}

bool process::signal(int number) noexcept {
  return !state_->ended &&
         ::syscall(SYS_pidfd_send_signal, state_->child.pidfd.get(), number, nullptr, 0) == 0;
}

void process::hold() {
  if (!signal(SIGSTOP)) return;
  // In vfork(2) it stops only when its child has run another program.
  siginfo_t info{};
  const bool stands = where().lab().until([&] {
    return wait_for(state_->child.pidfd, WSTOPPED | WEXITED | WNOWAIT | WNOHANG, info) && info.si_pid != 0;
  });
  if (!stands) throw error(name() + " does not stand still");
}

void process::resume() {
  signal(SIGCONT);
}

void process::fail_accepts(std::vector<int> errnos) {
  if (!state_->gate) throw error("the accept calls of " + name() + " are not watched");
  state_->gate->fail_next(std::move(errnos));
}

std::size_t process::accept_failures_left() const noexcept {
  return state_->gate ? state_->gate->failures_left() : 0;
}

const std::vector<accept_event>& process::accepts() const noexcept {
  static const std::vector<accept_event> none;
  return state_->gate ? state_->gate->seen() : none;
}

}  // namespace halfopen::lab
