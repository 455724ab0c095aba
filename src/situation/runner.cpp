// Runs side by side, a process each: a run that crashes, hangs or leaks is its
// own problem, each has one thread and one order of events, and the kernel
// shares the two cores out. Most of their time is waiting, so there may be many
// more of them than cores.

#include "situation/runner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>

#include "halfopen/lab/error.hpp"

namespace halfopen::situation {
namespace {

/// A run that takes longer than this hangs, whatever the reason.
std::chrono::seconds limit(kernel_timers timers) {
  return timers == kernel_timers::full_length ? std::chrono::hours(4) : std::chrono::seconds(60);
}

struct task {
  choice what;
  pair_kind who{};
  std::size_t round = 1;
};

struct running {
  std::size_t index = 0;
  pid_t pid = -1;
  lab::unique_fd results;
  std::string text;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
};

volatile sig_atomic_t asked_to_stop = 0;

std::string file_name(const task& t) {
  const std::string round = t.round > 1 ? ".round-" + std::to_string(t.round) : "";
  return std::string(t.what.of->name) + "-" + std::string(t.what.what->name) + "." + to_string(t.who) +
         round + ".pcapng";
}

void name(result& r, const task& t) {
  r.situation = t.what.of->name;
  r.variant = t.what.what->name;
  r.pair = to_string(t.who);
  r.round = t.round;
}

result blank(const task& t) {
  result r;
  name(r, t);
  return r;
}

result play(const task& t, const run_options& options) {
  result r = blank(t);
  try {
    scene_options how;
    how.who = t.who;
    how.ip = options.ip;
    how.timers = options.timers;
    how.grace = options.grace;
    how.title = "halfopen lab: " + id_of(r) + ": " + std::string(t.what.what->done);
    if (!options.evidence.empty()) how.capture = options.evidence / file_name(t);
    scene s(how);
    t.what.what->play(s);
    r = s.finish();
  } catch (const lab::interrupted&) {
    throw;
  } catch (const std::exception& e) {
    r.problem = e.what();
  }
  name(r, t);
  return r;
}

/// The run's own process: the result goes out as one line of JSON.
[[noreturn]] void be_the_run(const task& t, const run_options& options, int results) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "halfopen-run");
  // A session each: on a busy machine the scheduler shares the processor out by
  // sessions (sched(7), autogroups), and a run is the wire of its hosts.
  ::setsid();
  lab::interrupt_on_signals();
  try {
    const std::string text = to_text(play(t, options));
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t n = ::write(results, text.data() + sent, text.size() - sent);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
  } catch (const lab::interrupted&) {
  } catch (...) {  // what forked this process must not be unwound in it
    std::_Exit(1);
  }
  std::_Exit(0);
}

running start(std::size_t index, const task& t, const run_options& options) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw lab::error("pipe", errno);
  running r;
  r.index = index;
  r.results.reset(ends[0]);
  const lab::unique_fd write_end(ends[1]);
  r.pid = ::fork();
  if (r.pid < 0) throw lab::error("fork", errno);
  if (r.pid == 0) be_the_run(t, options, write_end.get());
  return r;
}

result collect(const running& r, const task& t) {
  int status = 0;
  ::waitpid(r.pid, &status, 0);
  result made = blank(t);
  try {
    made = nlohmann::json::parse(r.text).get<result>();
  } catch (const std::exception&) {
    made.problem = WIFSIGNALED(status) ? "its process died of signal " + std::to_string(WTERMSIG(status))
                                       : "its process gave no result";
  }
  return made;
}

std::vector<task> tasks_of(const run_options& options) {
  std::vector<task> tasks;
  for (std::size_t round = 1; round <= options.rounds; ++round)
    for (const choice& c : options.choices)
      for (const pair_kind who : options.pairs) tasks.push_back({c, who, round});
  if (!options.only.empty())
    std::erase_if(tasks, [&](const task& t) {
      return std::ranges::find(options.only, id_of(blank(t))) == options.only.end();
    });
  return tasks;
}

std::optional<task> task_of(const run_options& options, std::string_view id) {
  run_options only = options;
  only.only = {std::string(id)};
  const auto found = tasks_of(only);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

class all_runs {
 public:
  explicit all_runs(const run_options& options)
      : options_(options), tasks_(tasks_of(options)), results_(tasks_.size()) {}

  std::vector<result> play() {
    while ((next_ < tasks_.size() && asked_to_stop == 0) || !under_way_.empty()) {
      while (next_ < tasks_.size() && asked_to_stop == 0 && under_way_.size() < options_.jobs) begin();
      wait_a_little();
      if (asked_to_stop != 0) stop_all();
      if (options_.tick) options_.tick();
    }
    std::vector<result> done;
    for (auto& r : results_)
      if (r) done.push_back(std::move(*r));
    return done;
  }

 private:
  void begin() {
    if (options_.started) options_.started(id_of(blank(tasks_[next_])));
    under_way_.push_back(start(next_, tasks_[next_], options_));
    ++next_;
  }

  void wait_a_little() {
    std::vector<pollfd> ready;
    for (const running& r : under_way_) ready.push_back({r.results.get(), POLLIN, 0});
    // Under the virtual clock a look ten times a second is all that would keep it from jumping.
    const bool often = options_.tick || asked_to_stop != 0;
    ::poll(ready.data(), ready.size(), often ? 100 : 10'000);
    for (std::size_t i = under_way_.size(); i-- > 0;) {
      running& r = under_way_[i];
      if (std::chrono::steady_clock::now() - r.began > limit(options_.timers)) ::kill(r.pid, SIGKILL);
      if (ready[i].revents == 0) continue;
      char buffer[65536];
      const ssize_t n = ::read(r.results.get(), buffer, sizeof buffer);
      if (n > 0)
        r.text.append(buffer, static_cast<std::size_t>(n));
      else
        end(i);
    }
  }

  void end(std::size_t i) {
    result made = collect(under_way_[i], tasks_[under_way_[i].index]);
    const std::size_t index = under_way_[i].index;
    const bool stopped = asked_to_stop != 0 && under_way_[i].text.empty();
    under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(i));
    if (stopped) return;
    if (made.round > 1 && made.what == verdict::met) forget_details(made);
    if (options_.finished) options_.finished(made);
    results_[index] = std::move(made);
  }

  /// Each run closes its evidence and ends; it has half a second for that.
  void stop_all() {
    const auto now = std::chrono::steady_clock::now();
    if (!stopping_since_) {
      stopping_since_ = now;
      for (const running& r : under_way_) ::kill(r.pid, SIGTERM);
    } else if (now - *stopping_since_ > std::chrono::milliseconds(500)) {
      for (const running& r : under_way_) ::kill(r.pid, SIGKILL);
    }
  }

  const run_options& options_;
  std::vector<task> tasks_;
  std::vector<std::optional<result>> results_;
  std::vector<running> under_way_;
  std::size_t next_ = 0;
  std::optional<std::chrono::steady_clock::time_point> stopping_since_;
};

}  // namespace

std::vector<std::string> ids_of(const run_options& options) {
  std::vector<std::string> ids;
  for (const task& t : tasks_of(options)) ids.push_back(id_of(blank(t)));
  return ids;
}

result broken_run(const run_options& options, std::string_view id, std::string problem) {
  const auto t = task_of(options, id);
  result r = t ? blank(*t) : result{};
  r.problem = std::move(problem);
  return r;
}

std::filesystem::path capture_of(const run_options& options, std::string_view id) {
  const auto t = task_of(options, id);
  return t ? options.evidence / file_name(*t) : std::filesystem::path{};
}

void forget_details(result& r) {
  std::error_code ignored;
  if (!r.evidence.empty()) std::filesystem::remove(r.evidence, ignored);
  r.evidence.clear();
  r.checks.clear();
  r.story.clear();
}

std::vector<result> run(const run_options& options) {
  asked_to_stop = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { asked_to_stop = 1; };
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before{};
    ::sigaction(s, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(s, &action, nullptr);  // nohup(1) is respected
  }
  return all_runs(options).play();
}

}  // namespace halfopen::situation
