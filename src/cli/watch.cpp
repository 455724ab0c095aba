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

#include "audit/metrics.hpp"
#include "audit/metrics_server.hpp"
#include "audit/notices.hpp"
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
};

/// Looks take no more than this part of one processor: the more a look costs, the rarer it is.
constexpr int share = 100;
constexpr milliseconds least_pause = 1000ms;
/// Notifications gather for so long before they are read.
constexpr milliseconds gathering = 20ms;

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
  screen() { write("\x1b[?1049h\x1b[?25l"); }
  ~screen() { write("\x1b[?25h\x1b[?1049l"); }
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;

  /// Cut to what fits; the events stand at the foot.
  static void draw(const std::string& top, const std::deque<std::string>& events) {
    winsize size{};
    ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    const std::size_t rows = std::max<std::size_t>(size.ws_row, 10);
    const std::size_t columns = std::max<std::size_t>(size.ws_col, 40);
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

class watching {
 public:
  explicit watching(const watch_arguments& a)
      : a_{a},
        whose_{scope_of(a.whose)},
        limit_{duration_of("--within", a.within)},
        patience_{a.long_ago.empty() ? audit::patience{}
                                     : audit::patience::of(duration_of("--long", a.long_ago))},
        book_{patience_} {
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
    if (!screen_)
      fmt::print(
          stderr,
          "halfopen watch: what is not seen: who sent a reset, who closed first between two looks, and whose "
          "a connection was that came and went between them\n");
    while (asked_to_end == 0 && (!until_ || steady::now() < *until_)) {
      if (steady::now() >= next_look_) look();
      wait();
      notices_.drain([this](const audit::tcp_socket& s, const std::string& network) { ended(s, network); });
      totals_.lost_notices = notices_.losses();
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
    notices_.follow(seen_);
    book_.take(seen_, std::chrono::system_clock::now(), [this](audit::event&& e) { tell(e); });
    say_what_passed();
    if (screen_) draw();
    ++looks_;
    next_look_ = steady::now() + std::max(least_pause, (processor_time() - before) * share);
  }

  void wait() const {
    auto most = std::chrono::duration_cast<milliseconds>(next_look_ - steady::now());
    if (until_) most = std::min(most, std::chrono::duration_cast<milliseconds>(*until_ - steady::now()));
    const timespec gather{0, std::chrono::nanoseconds(gathering).count()};
    ::nanosleep(&gather, nullptr);
    notices_.wait(most - gathering, metrics_ ? metrics_->descriptors() : std::vector<int>{});
  }

  /// Of a process that was asked for; else of anybody, at these ports.
  [[nodiscard]] bool is_meant(const audit::tcp_socket& s) const {
    if (!whose_.pids.empty() || !whose_.names.empty() || !whose_.container.empty()) return false;
    return whose_.ports.empty() || std::ranges::count(whose_.ports, s.local.port) > 0 ||
           std::ranges::count(whose_.ports, s.remote.port) > 0;
  }

  void ended(const audit::tcp_socket& s, const std::string& network) {
    if (s.remote.port == 0) return;  // it listened, or was never connected
    book_.take_end(s, network, std::chrono::system_clock::now(), [&](audit::event&& e) {
      if (e.pid == 0 && !is_meant(s)) return;
      tell(e);
    });
  }

  /// What came and went between two looks, and ended as it should, is told in one line.
  void tell(const audit::event& e) {
    totals_.take(e);
    const bool usual =
        e.what == audit::event::kind::ended && e.pid == 0 && e.ended.opened && !e.ended.aborted;
    if (usual && !a_.all) {
      ++passed_;
      return;
    }
    say(a_.json ? audit::json_line(e) : audit::line_of(e));
  }

  void say_what_passed() {
    if (passed_ > 0 && a_.json)
      say(fmt::format(R"({{"kind":"passed","count":{}}})", passed_));
    else if (passed_ > 0)
      say(fmt::format("{} connection{} came and went between two looks, and ended in order", passed_,
                      passed_ == 1 ? "" : "s"));
    passed_ = 0;
    if (notices_.losses() > told_losses_) {
      told_losses_ = notices_.losses();
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
  audit::scope whose_;
  milliseconds limit_;
  audit::patience patience_;
  audit::ledger book_;
  audit::destroy_notices notices_;
  std::optional<audit::metrics_server> metrics_;
  std::unique_ptr<screen> screen_;
  std::optional<steady::time_point> until_;
  steady::time_point next_look_{};
  audit::snapshot seen_;
  std::vector<audit::group> groups_;
  audit::totals totals_;
  std::deque<std::string> events_;
  std::uint64_t looks_ = 0, passed_ = 0, told_losses_ = 0;
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
      exit_code = watching{*a}.run();
    } catch (const usage_error& e) {
      exit_code = refuse("watch", e);
    }
  });
}

}  // namespace halfopen::cli
