// `halfopen autopsy`: a capture in, the story of each of its connections out. What is true
// of a connection is said by src/trace, how it looks by src/autopsy and src/report; here
// stand the command line, the signals and the exit code.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "autopsy/bpf.hpp"
#include "autopsy/examine.hpp"
#include "autopsy/excerpt.hpp"
#include "autopsy/filter.hpp"
#include "autopsy/report.hpp"
#include "autopsy/summary.hpp"
#include "cli/report_file.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "cli/within.hpp"
#include "trace/capture_file.hpp"

namespace halfopen::cli {
namespace {

struct autopsy_arguments {
  std::vector<std::string> files;
  std::vector<std::string> addresses, endings;
  std::vector<std::uint16_t> ports;
  std::vector<std::uint64_t> ladders;
  std::string since, until, html, excerpt, bpf;
  bool json = false, follow = false, table = false;
  std::size_t top = 20, hosts = 10, most_connections = 1'000'000;
  std::int64_t owed = -1;
  int jobs = 0;
  double idle = 10'800;
};

/// Packets kept of each connection for a page, and of one that was asked for by number.
constexpr std::size_t steps_of_many = 60;
constexpr std::size_t steps_of_one = 400;

volatile std::sig_atomic_t asked_to_end = 0;

void end_on_signals() {
  std::signal(SIGPIPE, SIG_IGN);  // `halfopen autopsy | head` ends in order
  struct sigaction action{};
  action.sa_handler = [](int) { asked_to_end = 1; };
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before{};
    ::sigaction(s, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(s, &action, nullptr);
  }
}

autopsy::filter filter_of(const autopsy_arguments& a) {
  autopsy::filter f;
  for (const std::string& text : a.addresses) {
    const auto n = autopsy::network::parse(text);
    if (!n) throw usage_error("'" + text + "' is no address, and no network such as 10.0.0.0/8");
    f.addresses.push_back(*n);
  }
  for (const std::string& word : a.endings)
    if (!f.add_ending(word))
      throw usage_error(fmt::format("'{}' is no ending; there are: {}", word,
                                    fmt::join(autopsy::filter::ending_words(), " ")));
  const auto moment = [](const std::string& text) -> std::optional<autopsy::moment> {
    if (text.empty()) return std::nullopt;
    const auto m = autopsy::moment::parse(text);
    if (!m)
      throw usage_error("'" + text +
                        "' is no time such as +12.5 (seconds of the capture) or "
                        "2024-05-01T12:00:00 (UTC)");
    return m;
  };
  f.ports = a.ports;
  f.since = moment(a.since);
  f.until = moment(a.until);
  return f;
}

/// One run over one capture.
class autopsy_run {
 public:
  explicit autopsy_run(const autopsy_arguments& a)
      : a_{a},
        filter_{filter_of(a)},
        shown_{a.top},
        out_{a.html == report::standard_output ? stderr : stdout},
        canvas_{report::canvas::of(::fileno(out_))} {}

  int run() {
    if (a_.follow && a_.files.size() > 1) throw usage_error("--follow goes with one file");
    const bool once = std::ranges::find(a_.files, "-") != a_.files.end();
    if (once && (a_.files.size() > 1 || !a_.excerpt.empty()))
      throw usage_error("the standard input is read once: no other file, and no --write");
    put_in_order();
    std::vector<std::string> captures = a_.files;
    std::erase(captures, "-");
    check_apart({a_.html, a_.excerpt}, captures);
    check_report(a_.html);
    check_report(a_.excerpt);
    examiner_ = std::make_unique<autopsy::examiner>(
        sources(), options(),
        [this](trace::file_entry&& c, std::string&& words) { take(std::move(c), words); });
    const autopsy::reading& r = examiner_->run();
    report(r);
    return code_of(r);
  }

 private:
  [[nodiscard]] std::vector<trace::capture_reader::source> sources() {
    std::vector<trace::capture_reader::source> all;
    for (const std::string& file : files_) {
      auto source = trace::open_capture(file, {.follow = a_.follow, .waiting = [this] { return wait(); }});
      if (!source) throw usage_error(source.error());
      all.emplace_back(
          [this, from = std::move(*source)](std::span<std::byte> into) { return read(from, into); });
    }
    return all;
  }

  /// By the time of each one's first packet: rotated captures are named in a circle.
  void put_in_order() {
    files_ = a_.files;
    if (files_.size() < 2) return;
    std::vector<std::pair<trace::time_point, std::string>> dated;
    for (const std::string& file : files_) {
      auto source = trace::open_capture(file, {.waiting = {}});
      if (!source) throw usage_error(source.error());
      trace::capture_reader reader{std::move(*source)};
      const trace::captured_frame* first = reader.next();
      if (reader.error() && reader.error()->is_no_capture)
        throw usage_error(file + " is no capture: " + reader.error()->at_offset());
      dated.emplace_back(first != nullptr ? first->when : trace::time_point::max(), file);
    }
    std::ranges::stable_sort(dated, std::ranges::less{}, &std::pair<trace::time_point, std::string>::first);
    files_.clear();
    for (auto& [when, file] : dated) files_.push_back(std::move(file));
  }

  [[nodiscard]] autopsy::examine_options options() const {
    autopsy::examine_options o;
    o.limits.idle = std::chrono::nanoseconds{static_cast<std::int64_t>(a_.idle * 1e9)};
    o.limits.connections = a_.most_connections;
    // Whoever looks on does not want to wait a minute for late words.
    if (a_.follow) o.limits.after_end = std::chrono::seconds{2};
    if (a_.owed >= 0) o.owed = static_cast<std::uint64_t>(a_.owed);
    if (!a_.ladders.empty())
      o.steps = [this](std::uint64_t number) {
        return std::ranges::find(a_.ladders, number) != a_.ladders.end() ? steps_of_one : 0;
      };
    else if (!a_.html.empty())
      o.steps = [](std::uint64_t) { return steps_of_many; };
    o.comments = static_cast<bool>(o.steps);
    o.words = [this](const trace::file_entry& c, trace::time_point begin) { return words(c, begin); };
    // Whoever looks on wants each packet at once.
    o.jobs = a_.follow ? 1 : a_.jobs > 0 ? a_.jobs : static_cast<int>(std::thread::hardware_concurrency());
    if (!a_.bpf.empty()) {
      auto wanted = autopsy::bpf_filter_of(a_.bpf);
      if (!wanted) throw usage_error(fmt::format("--filter '{}': {}", a_.bpf, wanted.error()));
      o.wanted = std::move(*wanted);
    }
    return o;
  }

  std::expected<std::size_t, std::string> read(const trace::capture_reader::source& from,
                                               std::span<std::byte> into) {
    if (asked_to_end != 0 || broken_pipe_) return 0;
    auto got = from(into);
    last_read_ = std::chrono::steady_clock::now();
    return got;
  }

  bool wait() {
    if (a_.follow && examiner_) examiner_->passed(std::chrono::steady_clock::now() - last_read_);
    return asked_to_end == 0 && !broken_pipe_;
  }

  /// Called by several threads at one time.
  [[nodiscard]] std::optional<std::string> words(const trace::file_entry& c, trace::time_point begin) const {
    if (!filter_.shows(c, begin)) return std::nullopt;
    if (a_.json) return autopsy::json_line(c) + "\n";
    return a_.follow ? autopsy::one_line(c) + "\n" : std::string{};
  }

  void take(trace::file_entry&& c, const std::string& words) {
    if (!words.empty()) print(words);
    if (std::ranges::find(a_.ladders, c.number) != a_.ladders.end()) portraits_.push_back(c);
    shown_.add(std::move(c));
  }

  void print(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), out_) == text.size();
    const bool flushed = !a_.follow || std::fflush(out_) == 0;
    if (!written || !flushed) broken_pipe_ = true;
  }

  void report(const autopsy::reading& r) {
    const std::vector<trace::file_entry> worst = shown_.take_worst();
    if (!a_.excerpt.empty()) write_packets(a_.ladders.empty() ? worst : portraits_, r);
    if (!a_.json) {
      std::string text;
      for (const trace::file_entry& c : portraits_) text += autopsy::portrait(c, r, canvas_) + "\n";
      print(a_.ladders.empty() ? overview(worst, r) : text);
    }
    if (std::fflush(stdout) != 0 || std::fflush(out_) != 0) broken_pipe_ = true;
    if (!a_.html.empty()) write_html(worst, r);
  }

  [[nodiscard]] std::string overview(const std::vector<trace::file_entry>& worst,
                                     const autopsy::reading& r) const {
    std::string text;
    for (const std::string& line : autopsy::remarks_on(r)) text += line + "\n";
    if (shown_.connections() == 0) return text;
    if (!a_.table) {
      text += autopsy::first_screen(shown_, r, canvas_);
      if (!worst.empty())
        text += fmt::format("\nThe packets of one: --ladder {}. All in a table: --top 0.\n",
                            worst.front().number);
      return text;
    }
    text += "\n" + autopsy::story_table(worst, r, canvas_);
    if (worst.size() < shown_.connections())
      text += fmt::format("the worst {} of {}; more with --top\n", worst.size(), shown_.connections());
    return text + "\n" + autopsy::summary_tables(shown_, r, a_.hosts, canvas_);
  }

  void write_packets(const std::vector<trace::file_entry>& chosen, const autopsy::reading& r) {
    const auto written = autopsy::write_excerpt(sources(), chosen, r, a_.excerpt);
    if (!written) throw usage_error(written.error());
    if (!a_.json) fmt::print(stderr, "halfopen autopsy: {} packets in {}\n", *written, a_.excerpt);
  }

  void write_html(const std::vector<trace::file_entry>& worst, const autopsy::reading& r) const {
    const std::string title =
        "Autopsy of " +
        (files_.front() == "-" ? "the standard input" : fmt::format("{}", fmt::join(files_, ", ")));
    const auto& shown = a_.ladders.empty() ? worst : portraits_;
    write_report(a_.html, autopsy::html_page(title, shown_, shown, r));
  }

  /// Where a connection may be that was not found.
  static std::string unread(const autopsy::reading& r) {
    std::vector<std::string> where;
    for (std::size_t i = 0; i < trace::carriers; ++i)
      if (r.not_read[i] > 0) where.emplace_back(to_string(static_cast<trace::carrier>(i)));
    for (const auto& [type, n] : r.unknown_links) where.push_back("link type " + autopsy::link_name(type));
    return where.empty() ? std::string{}
                         : fmt::format(" outside of what is not read: {}", fmt::join(where, ", "));
  }

  /// What is wrong with the file is said last, where it is seen.
  [[nodiscard]] int code_of(const autopsy::reading& r) const {
    const auto complain = [&](const std::string& what) {
      const std::string& file = files_[std::min(r.error_file, files_.size() - 1)];
      const std::string name = file == "-" ? "standard input" : file;
      fmt::print(stderr, "halfopen autopsy: {}: {}\n", name, what);
      return int{bad_arguments};
    };
    if (asked_to_end != 0) return a_.follow ? int{all_met} : 130;
    if (broken_pipe_) return all_met;
    if (r.error)
      return complain(r.error->is_no_capture
                          ? fmt::format("is no capture: {}", r.error->at_offset())
                          : fmt::format("{}; what was read before that is reported", r.error->at_offset()));
    std::uint64_t unknown = 0;
    for (const auto& [type, n] : r.unknown_links) unknown += n;
    if (unknown > 0 && unknown == r.frames)
      return complain(fmt::format("link type {} is none that is read",
                                  autopsy::link_name(r.unknown_links.begin()->first)));
    if (a_.ladders.empty() ? shown_.connections() > 0 : !portraits_.empty()) return all_met;
    fmt::print(
        stderr, "halfopen autopsy: {}\n",
        r.connections > 0 ? "no connection is like that" : "the capture holds no TCP connection" + unread(r));
    return not_met;
  }

  const autopsy_arguments& a_;
  std::vector<std::string> files_;
  autopsy::filter filter_;
  autopsy::summary shown_;
  std::FILE* out_;  // not the standard output where the page goes there
  report::canvas canvas_;
  std::unique_ptr<autopsy::examiner> examiner_;
  std::vector<trace::file_entry> portraits_;
  std::chrono::steady_clock::time_point last_read_ = std::chrono::steady_clock::now();
  std::atomic<bool> broken_pipe_ = false;  ///< told to the thread that reads
};

}  // namespace

void add_autopsy(CLI::App& app, int& exit_code) {
  CLI::App& verb = *app.add_subcommand("autopsy", "How each connection in a capture died, and who killed it");
  const auto a = std::make_shared<autopsy_arguments>();
  verb.add_option(
          "FILE", a->files,
          "pcap, pcapng or snoop, also packed by gzip or zstd; - for the standard input; several are read "
          "as one, in the order of their first packets")
      ->required();
  verb.add_option("--address", a->addresses, "only connections of that address or network; may be repeated")
      ->type_name("ADDRESS[/BITS]")
      ->allow_extra_args(false);
  verb.add_option("--port", a->ports, "only connections of that port; may be repeated")
      ->type_name("PORT")
      ->allow_extra_args(false);
  verb.add_option("--ending", a->endings,
                  "only connections that may have ended so: an ending, open, or a manner or doubt as in the "
                  "table; may be repeated")
      ->type_name("WORD")
      ->allow_extra_args(false);
  verb.add_option("--since", a->since,
                  "only connections with a packet after that: +SECONDS of the capture, or UTC")
      ->type_name("TIME");
  verb.add_option("--until", a->until, "or before that")->type_name("TIME");
  verb.add_flag("--json", a->json, "one line of JSON a connection, as they end, instead of the table");
  verb.add_option("--html", a->html,
                  "write a page with a ladder diagram of each connection shown; - for the standard output")
      ->type_name("FILE");
  verb.add_option(
          "--ladder", a->ladders,
          "the story and the ladder diagram of connection N alone, here or in the page; may be repeated")
      ->type_name("N")
      ->allow_extra_args(false);
  verb.add_option("--filter", a->bpf,
                  "only packets that tcpdump would show with this filter, see pcap-filter(7)")
      ->type_name("EXPRESSION");
  verb.add_option(
          "--write", a->excerpt,
          "write the packets of the connections shown (--ladder N, or the --top worst) as pcapng, with "
          "comments on those that prove")
      ->type_name("FILE");
  CLI::Option* top =
      verb.add_option(
              "--top", a->top,
              "a table of connections instead of groups, worst first; 0 for all, which takes memory for all")
          ->type_name("N")
          ->capture_default_str();
  verb.add_option("--hosts", a->hosts, "hosts in the summary")->type_name("N")->capture_default_str();
  verb.add_flag("--follow", a->follow, "wait for more: a file that grows, or a pipe; ends with Ctrl-C");
  verb.add_option("--jobs", a->jobs,
                  "1: all in one thread; 2 or more: one thread reads, one follows the connections, one tells "
                  "their stories, which keeps two processors busy; by default as there are processors")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N");
  verb.add_option("--owed", a->owed, "bytes that every server owes: a FIN after fewer is peer_closed")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("BYTES");
  verb.add_option("--idle", a->idle, "a connection silent for longer is followed no further")
      ->check(within(1.0, 1e8))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option(
          "--most-open", a->most_connections,
          "connections followed at one time, about 2 kB each; with more, the longest silent is let go")
      ->check(CLI::Range(2, 1'000'000'000).description(""))
      ->type_name("N")
      ->capture_default_str();
  verb.footer(
      "Exit codes: 0 read to its end, 1 no connection (that is like that), 2 bad arguments, no capture, or "
      "a\n"
      "damaged one (what was read up to the damage is reported), 130 interrupted.\n\n"
      "Examples:\n"
      "  halfopen autopsy incident.pcapng\n"
      "  halfopen autopsy incident.pcapng.gz --ending peer_vanished --address 10.1.2.0/24\n"
      "  halfopen autopsy incident.pcapng --ladder 7\n"
      "  halfopen autopsy incident.pcap* --filter 'host 10.1.2.3' --top 20\n"
      "  halfopen autopsy incident.pcapng --ladder 7 --write seven.pcapng\n"
      "  halfopen autopsy incident.pcapng --html report.html\n"
      "  tcpdump -i any -U -w - tcp or icmp | halfopen autopsy - --follow\n"
      "  halfopen autopsy incident.pcapng --json | jq 'select(.probably_by == \"middlebox\")'");
  verb.callback([a, top, &exit_code] {
    try {
      a->table = top->count() > 0;
      end_on_signals();
      exit_code = autopsy_run{*a}.run();
    } catch (const usage_error& e) {
      exit_code = refuse("autopsy", e);
    }
  });
}

}  // namespace halfopen::cli
