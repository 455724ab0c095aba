// `halfopen watch`: the audit, live, and what changes. What is true of a connection is said by src/audit;
// here stand the command line, the loop, the screen and the signals.

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/ends.hpp"
#include "audit/metrics.hpp"
#include "audit/metrics_server.hpp"
#include "audit/report.hpp"
#include "cli/audit_arguments.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "report/utf8.hpp"

namespace halfopen::cli {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

struct watch_arguments {
  whose_arguments whose;
  std::string within = "30s", long_ago, length, metrics;
  bool json = false;
  bool all = false;
  bool no_bpf = false;
};

/// Looks take no more than this part of one processor: the more a look costs, the rarer it is.
constexpr int share = 200;
constexpr milliseconds least_pause = 1000ms;
/// Notifications gather for so long before they are read. An ordinary user's buffer has room for some
/// hundreds of them (net.core.rmem_default); who may load a program into the kernel may also have a greater
/// one.
constexpr milliseconds gathering = 20ms, gathering_by_kernel = 50ms;

volatile std::sig_atomic_t asked_to_end = 0;

void end_on_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  struct sigaction action{};
  action.sa_handler = [](int) { asked_to_end = 1; };
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(s, &action, nullptr);
}

milliseconds processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::duration_cast<milliseconds>(std::chrono::seconds(used.tv_sec) +
                                                  std::chrono::nanoseconds(used.tv_nsec)) +
         1ms;
}

/// The terminal's other screen, while it lives.
class screen {
 public:
  /// Without its cursor, and lines that are too long are cut.
  screen() { write("\x1b[?1049h\x1b[?25l\x1b[?7l"); }
  ~screen() { write("\x1b[?7h\x1b[?25h\x1b[?1049l"); }
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;

  /// Cut to what fits; the events stand at the foot.
  static void draw(const std::string& top, const std::deque<std::string>& events) {
    winsize size{};
    ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    const std::size_t rows = size.ws_row == 0 ? 24 : size.ws_row;
    const std::size_t columns = size.ws_col == 0 ? 80 : size.ws_col;
    const std::size_t foot = std::min(events.size() + 1, rows / 3);
    std::string out = "\x1b[H";
    std::size_t used = 0;
    for (std::size_t at = 0; at < top.size() && used + foot < rows; ++used) {
      const std::size_t end = std::min(top.find('\n', at), top.size());
      out += top.substr(at, end - at) + "\x1b[K\r\n";
      at = end + 1;
    }
    for (; used + foot < rows; ++used) out += "\x1b[K\r\n";
    out += "what changed\x1b[K";
    for (std::size_t i = events.size() + 1 - foot; i < events.size(); ++i)
      out += "\r\n" + report::clip(events[i], columns) + "\x1b[K";
    write(out + "\x1b[J");
  }

 private:
  static void write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
};

struct kernel_programs {
  std::optional<audit::tracepoints> there;
  std::string why_not;
};

kernel_programs load_unless(bool unwanted) {
  if (unwanted) return {{}, "--no-bpf"};
  auto made = audit::tracepoints::open();
  if (made) return {std::move(*made), {}};
  return {{}, made.error()};
}

class watching {
 public:
  watching(const watch_arguments& a, kernel_programs kernel)
      : a_{a},
        without_bpf_{std::move(kernel.why_not)},
        whose_{scope_of(a.whose)},
        limit_{duration_of("--within", a.within)},
        patience_{a.long_ago.empty() ? audit::patience{}
                                     : audit::patience::of(duration_of("--long", a.long_ago))},
        book_{patience_},
        ends_{std::move(kernel.there)} {
    totals_.traced = ends_.kernel().has_value();
    if (!a.length.empty()) until_ = steady::now() + duration_of("--for", a.length);
    if (a.metrics.empty()) return;
    auto made = audit::metrics_server::at(a.metrics);
    if (!made) throw usage_error("--metrics: " + made.error());
    metrics_.emplace(std::move(*made));
  }

  int run() {
    if (!a_.json && report::can_rewrite(STDOUT_FILENO)) screen_ = std::make_unique<screen>();
    if (metrics_ && !screen_)
      fmt::print(stderr, "halfopen watch: metrics at port {}: /metrics\n", metrics_->port());
    look();
    if (!screen_) fmt::print(stderr, "halfopen watch: {}\n", what_is_missed());
    while (asked_to_end == 0 && (!until_ || steady::now() < *until_)) {
      if (steady::now() >= next_look_) look();
      wait();
      ends_.drain([this](const audit::ends::one& e) { ended(e); });
      totals_.lost_notices = ends_.losses();
      if (ends_.kernel()) totals_.segments_repeated = ends_.kernel()->segments_repeated();
      if (std::exchange(said_, false)) std::fflush(stdout);
      if (metrics_) metrics_->serve([this] { return audit::metrics_text(seen_, groups_, totals_, limit_); });
      if (std::ferror(stdout) != 0) break;
    }
    return all_met;
  }

 private:
  void look() {
    const milliseconds before = processor_time();
    auto seen = audit::look(whose_);
    // A process that was named may be started again.
    if (!seen && looks_ == 0) throw usage_error(seen.error());
    seen_ = seen ? std::move(*seen) : audit::snapshot{};
    groups_ = audit::groups_of(seen_, patience_);
    ends_.follow(seen_);
    book_.take(seen_, std::chrono::system_clock::now(), [this](audit::event&& e) { tell(e); });
    say_what_passed();
    if (screen_) draw();
    ++looks_;
    next_look_ = steady::now() + std::max(least_pause, (processor_time() - before) * share);
  }

  void wait() const {
    auto most = std::chrono::duration_cast<milliseconds>(next_look_ - steady::now());
    if (until_) most = std::min(most, std::chrono::duration_cast<milliseconds>(*until_ - steady::now()));
    const milliseconds first = ends_.kernel() ? gathering_by_kernel : gathering;
    const timespec gather{0, std::chrono::nanoseconds(first).count()};
    ::nanosleep(&gather, nullptr);
    ends_.wait(most - first, metrics_ ? metrics_->descriptors() : std::vector<int>{});
  }

  [[nodiscard]] std::string what_is_missed() const {
    if (ends_.kernel()) return "the kernel's own tracepoints are read too (BPF): who ended what, and why";
    return "without BPF (" + without_bpf_ +
           ") these are not seen: who sent a reset, who closed first between two looks, and whose a "
           "connection "
           "was that came and went between them";
  }

  /// Of a connection that no look has shown: of a process that was asked for, as far as that is known; else
  /// of anybody, at these ports.
  [[nodiscard]] bool is_meant(const audit::event& e) const {
    if (!whose_.container.empty()) return false;
    if (!whose_.ports.empty() && std::ranges::count(whose_.ports, e.socket.local.port) == 0 &&
        std::ranges::count(whose_.ports, e.socket.remote.port) == 0)
      return false;
    if (whose_.pids.empty() && whose_.names.empty()) return true;
    return (e.pid != 0 && std::ranges::count(whose_.pids, e.pid) > 0) ||
           std::ranges::count(whose_.names, e.name) > 0;
  }

  void ended(const audit::ends::one& one) {
    const auto take = [this](audit::event&& e) {
      if (!e.between_looks || is_meant(e)) tell(e);
    };
    const auto now = std::chrono::system_clock::now();
    if (one.last != nullptr)
      book_.take_end(*one.last, *one.network, now, take, one.told);
    else
      book_.take_end(*one.told, *one.network, now, take);
  }

  /// What came and went between two looks, and ended as it should, is told in one line.
  void tell(const audit::event& e) {
    totals_.take(e);
    if (e.between_looks && e.ended.opened && !e.ended.aborted && !a_.all)
      ++passed_[e.name];
    else
      say(a_.json ? audit::json_line(e) : audit::line_of(e));
  }

  void say_what_passed() {
    if (!passed_.empty()) say(a_.json ? audit::json_line(passed_) : audit::line_of(passed_));
    passed_.clear();
    if (ends_.losses() > told_losses_) {
      told_losses_ = ends_.losses();
      say(a_.json ? fmt::format(R"({{"kind":"lost","count":{}}})", told_losses_)
                  : "the kernel dropped notifications: more ended than are told of");
    }
  }

  void say(const std::string& line) {
    if (!screen_) {
      fmt::print("{}\n", line);
      said_ = true;
      return;
    }
    events_.push_back(line);
    if (events_.size() > 100) events_.pop_front();
  }

  void draw() const {
    const audit::report_options how{.top = 50, .within = limit_, .cures = false};
    screen::draw(audit::sum_of(groups_) + "\n\n" +
                     audit::table_of(seen_, groups_, how, report::canvas::of(STDOUT_FILENO)),
                 events_);
  }

  const watch_arguments& a_;
  std::string without_bpf_;  ///< why not
  audit::scope whose_;
  milliseconds limit_;
  audit::patience patience_;
  audit::ledger book_;
  audit::ends ends_;
  std::optional<audit::metrics_server> metrics_;
  std::unique_ptr<screen> screen_;
  std::optional<steady::time_point> until_;
  steady::time_point next_look_{};
  audit::snapshot seen_;
  std::vector<audit::group> groups_;
  audit::totals totals_;
  std::deque<std::string> events_;
  audit::passed passed_;
  std::uint64_t looks_ = 0, told_losses_ = 0;
  bool said_ = false;  ///< and not yet written
};

}  // namespace

void add_watch(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand(
      "watch", "The same as audit, live, and what changes: who ended, how, and what became wrong");
  const auto a = std::make_shared<watch_arguments>();
  add_whose(verb, a->whose);
  verb.add_option("--within", a->within, "for --metrics: what counts as noticed in time")
      ->type_name("TIME")
      ->capture_default_str();
  verb.add_option("--long", a->long_ago, "what counts as long, as for audit")->type_name("TIME");
  verb.add_flag("--json", a->json, "a line of JSON an event");
  verb.add_flag("--all", a->all,
                "also a line for each connection that came and went in order between two looks");
  verb.add_option("--metrics", a->metrics,
                  "serve Prometheus' text format at /metrics; on loopback unless an address is given")
      ->type_name("[ADDRESS]:PORT");
  verb.add_flag("--no-bpf", a->no_bpf, "do without a program in the kernel, even where it is allowed");
  verb.add_option("--for", a->length, "end after that time")->type_name("TIME");
  verb.footer(
      "On a terminal a view of the whole screen, else a line an event. Ctrl-C ends it.\n\n"
      "Examples:\n"
      "  halfopen watch\n"
      "  sudo halfopen watch --port 5432 | tee what-died.log\n"
      "  halfopen watch gunicorn --json | jq 'select(.event == \"ended\")'\n"
      "  sudo halfopen watch --metrics :9470 > /dev/null");
  verb.callback([a, &exit_code] {
    try {
      end_on_signals();
      exit_code = watching{*a, load_unless(a->no_bpf)}.run();
    } catch (const usage_error& e) {
      exit_code = refuse("watch", e);
    }
  });
}

}  // namespace halfopen::cli
