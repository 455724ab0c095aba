#include "lab/loop.hpp"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"

namespace halfopen::lab {
namespace {

volatile sig_atomic_t asked_to_stop = 0;
bool signals_are_ours = false;
sigset_t mask_while_waiting;

}  // namespace

void interrupt_on_signals() {
  // Blocked but while waiting, so that a signal can neither be missed nor arrive
  // in the middle of a fault.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  ::sigprocmask(SIG_BLOCK, &stop, &mask_while_waiting);
  sigdelset(&mask_while_waiting, SIGTERM);
  sigdelset(&mask_while_waiting, SIGINT);
  struct sigaction action{};
  action.sa_handler = [](int) { asked_to_stop = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  signals_are_ours = true;
}

loop::loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw error("epoll_create1", errno);
}

void loop::watch(int fd, std::uint32_t events, handler on_ready) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  const int operation = watched_.contains(fd) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) < 0) throw error("epoll_ctl", errno);
  watched_[fd] = std::make_shared<handler>(std::move(on_ready));
}

void loop::forget(int fd) noexcept {
  if (watched_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void loop::at(clock::time_point when, std::function<void()> action) {
  timers_.emplace(when, std::move(action));
}

void loop::run_timers() {
  while (!timers_.empty() && timers_.begin()->first <= clock::now()) {
    auto due = timers_.extract(timers_.begin());
    due.mapped()();
  }
}

void loop::turn(clock::duration limit) {
  if (!timers_.empty()) limit = std::min(limit, timers_.begin()->first - clock::now());
  limit = std::max(limit, clock::duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
  const timespec wait{static_cast<time_t>(seconds.count()), static_cast<long>((limit - seconds).count())};
  std::array<epoll_event, 16> ready{};
  const int n = ::epoll_pwait2(epoll_.get(), ready.data(), ready.size(), &wait,
                               signals_are_ours ? &mask_while_waiting : nullptr);
  if (asked_to_stop != 0) throw interrupted();
  if (n < 0 && errno != EINTR) throw error("epoll_pwait2", errno);
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    // An earlier handler of this round may have forgotten this one.
    const auto found = watched_.find(event.data.fd);
    if (found == watched_.end()) continue;
    const auto keep_alive = found->second;
    (*keep_alive)(event.events);
  }
  run_timers();
}

}  // namespace halfopen::lab
