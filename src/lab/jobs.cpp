#include "lab/jobs.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>
#include <vector>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::lab {
namespace {

using clock = std::chrono::steady_clock;

volatile sig_atomic_t asked_to_stop = 0;

struct running {
  std::size_t index = 0;
  pid_t pid = -1;
  unique_fd results;
  std::string text;
  clock::time_point began = clock::now();
};

void write_all(int fd, const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t n = ::write(fd, text.data() + sent, text.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

std::chrono::microseconds time_of(const timeval& t) {
  return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
}

[[noreturn]] void be_the_job(const std::function<std::string(std::size_t)>& body, std::size_t index,
                             const char* name, int results) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, name);
  // A session each: on a busy machine the scheduler shares the processor out by
  // sessions (sched(7), autogroups), and a job is the wire of its hosts.
  ::setsid();
  interrupt_on_signals();
  try {
    write_all(results, body(index));
  } catch (const interrupted&) {
  } catch (...) {  // what forked this process must not be unwound in it
    std::_Exit(1);
  }
  std::_Exit(0);
}

class all_jobs {
 public:
  all_jobs(const job_options& options, const std::function<std::string(std::size_t)>& body)
      : options_(options), body_(body) {}

  bool run() {
    while ((next_ < options_.count && asked_to_stop == 0) || !under_way_.empty()) {
      while (there_is_room() && allowed()) begin();
      wait_a_little();
      if (asked_to_stop != 0) stop_all();
      if (options_.tick) options_.tick();
    }
    return asked_to_stop == 0;
  }

 private:
  [[nodiscard]] bool there_is_room() const {
    return next_ < options_.count && asked_to_stop == 0 && under_way_.size() < options_.at_once;
  }

  bool allowed() {
    held_back_ = !under_way_.empty() && options_.may_start && !options_.may_start(under_way_.size());
    return !held_back_;
  }

  /// Under the virtual clock a look ten times a second is all that would keep it from jumping.
  [[nodiscard]] std::chrono::milliseconds longest_wait() const {
    if (held_back_) return std::chrono::milliseconds(20);
    return std::chrono::milliseconds(options_.tick || asked_to_stop != 0 ? 100 : 10'000);
  }

  void begin() {
    const std::size_t index = next_++;
    if (options_.started) options_.started(index);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) throw error("pipe", errno);
    running r;
    r.index = index;
    r.results.reset(ends[0]);
    const unique_fd write_end(ends[1]);
    r.pid = ::fork();
    if (r.pid < 0) throw error("fork", errno);
    if (r.pid == 0) be_the_job(body_, index, options_.name, write_end.get());
    under_way_.push_back(std::move(r));
  }

  void wait_a_little() {
    std::vector<pollfd> ready;
    for (const running& r : under_way_) ready.push_back({r.results.get(), POLLIN, 0});
    ::poll(ready.data(), ready.size(), static_cast<int>(longest_wait().count()));
    for (std::size_t i = under_way_.size(); i-- > 0;) {
      running& r = under_way_[i];
      if (clock::now() - r.began > options_.limit) ::kill(r.pid, SIGKILL);
      if (ready[i].revents == 0) continue;
      char buffer[65536];
      const ssize_t n = ::read(r.results.get(), buffer, sizeof buffer);
      if (n > 0)
        r.text.append(buffer, static_cast<std::size_t>(n));
      else if (n == 0 || errno != EINTR)
        end(i);
    }
  }

  void end(std::size_t i) {
    running r = std::move(under_way_[i]);
    under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(i));
    int status = 0;
    rusage used{};
    while (::wait4(r.pid, &status, 0, &used) < 0 && errno == EINTR) {
    }
    const bool stopped = asked_to_stop != 0 && r.text.empty();
    if (stopped || !options_.ended) return;
    std::string problem;
    if (WIFSIGNALED(status))
      problem = "its process died of signal " + std::to_string(WTERMSIG(status)) +
                (WTERMSIG(status) == SIGKILL ? " (it took too long, or the machine is out of memory)" : "");
    else if (r.text.empty())
      problem = "its process gave no result";
    options_.ended(
        {r.index, std::move(r.text), std::move(problem), time_of(used.ru_utime) + time_of(used.ru_stime)});
  }

  /// Each closes its evidence and ends; it has half a second for that.
  void stop_all() {
    if (!stopping_since_) {
      stopping_since_ = clock::now();
      for (const running& r : under_way_) ::kill(r.pid, SIGTERM);
    } else if (clock::now() - *stopping_since_ > std::chrono::milliseconds(500)) {
      for (const running& r : under_way_) ::kill(r.pid, SIGKILL);
    }
  }

  const job_options& options_;
  const std::function<std::string(std::size_t)>& body_;
  std::vector<running> under_way_;
  std::size_t next_ = 0;
  bool held_back_ = false;  ///< there was room for a job that options_.may_start did not allow
  std::optional<clock::time_point> stopping_since_;
};

}  // namespace

bool run_jobs(const job_options& options, const std::function<std::string(std::size_t)>& body) {
  asked_to_stop = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { asked_to_stop = 1; };
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before{};
    ::sigaction(s, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(s, &action, nullptr);  // nohup(1) is respected
  }
  return all_jobs(options, body).run();
}

}  // namespace halfopen::lab
