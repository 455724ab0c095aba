// The lab under the virtual clock: the same verb of the same program, inside guests.
//
// A guest has one processor, so there are several, one a core, and each gets a share of the
// runs as `--only ID`. Shares are of a fixed size and not a guest's equal part: then what
// happens in a guest does not depend on how many cores the machine has. Within a share runs
// go side by side, since a run that waits for two hours of guest time costs as much
// real time as one that waits for a second: the machine only works while somebody does not wait.
//
// A guest tells of its runs in lines of JSON on its standard output. The captures need no
// copying: the folder for the evidence is the host's own, for writing.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/lab_arguments.hpp"
#include "clock/guest.hpp"
#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"

namespace halfopen::cli {
namespace {

using situation::result;
using situation::run_options;

/// Runs a guest, if the user does not say how many.
constexpr std::size_t usual_share = 15;

/// The lab's wall clock begins here, always: so captures do not differ by it.
constexpr auto new_year = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

void tell(const nlohmann::json& line) {
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::vector<std::string> command_line(const lab_arguments& a, const run_options& options,
                                      const std::vector<std::string>& share) {
  std::vector<std::string> line{lab::own_executable(),
                                "lab",
                                "--clock",
                                "real",
                                "--full-length",
                                "--events",
                                "--pair",
                                a.pair,
                                "--ip",
                                a.ip,
                                "--evidence",
                                options.evidence,
                                "--grace",
                                fmt::format("{}", a.grace),
                                "--repeat",
                                std::to_string(a.repeat),
                                "--jobs",
                                std::to_string(share.size())};
  for (const std::string& id : share) line.insert(line.end(), {"--only", id});
  return line;
}

/// A guest with its share of the runs.
class worker {
 public:
  worker(const clock::kernel& k, const lab_arguments& arguments, const run_options& options,
         std::vector<std::string> share)
      : options_(options), share_(std::move(share)) {
    clock::guest_options how = options_of(arguments.guest);
    how.begins = new_year;
    how.output = [this](std::string_view text) { hear(text); };
    how.errors = [this](std::string_view text) { errors_ += text; };
    clock::job job = clock::job_here(command_line(arguments, options, share_));
    job.directory = "/";
    job.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/"};
    job.host_name = "lab";
    job.writable.push_back(options.evidence);
    guest_ = std::make_unique<clock::guest>(k, job, std::move(how));
  }

  [[nodiscard]] clock::guest& guest() noexcept { return *guest_; }
  [[nodiscard]] std::vector<result>& results() noexcept { return results_; }
  [[nodiscard]] const std::vector<std::string>& under_way() const noexcept { return under_way_; }

  /// Those of the share that have not begun, and never will here.
  [[nodiscard]] std::vector<std::string> left() const {
    std::vector<std::string> ids;
    for (const std::string& id : share_)
      if (std::ranges::find(begun_, id) == begun_.end()) ids.push_back(id);
    return ids;
  }

  /// Why runs that are under way will not end, now that the guest has.
  [[nodiscard]] std::string failure() const {
    std::string text = clock::in_words(*guest_->ended());
    if (under_way_.size() > 1) text += fmt::format(". Under way were: {}", fmt::join(under_way_, ", "));
    if (!errors_.empty()) text += "; it wrote: " + errors_;
    return text;
  }

 private:
  void hear(std::string_view text) {
    said_ += text;
    for (std::size_t end; (end = said_.find('\n')) != std::string::npos; said_.erase(0, end + 1))
      take(said_.substr(0, end));
  }

  void take(const std::string& line) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (!event.is_object()) return;
    if (event.contains("started")) {
      begun_.push_back(event["started"]);
      under_way_.push_back(begun_.back());
      if (options_.started) options_.started(begun_.back());
    } else if (event.contains("finished")) {
      results_.push_back(event["finished"].get<result>());
      std::erase(under_way_, situation::id_of(results_.back()));
      if (options_.finished) options_.finished(results_.back());
    }
  }

  const run_options& options_;
  std::vector<std::string> share_, begun_, under_way_;
  std::string said_, errors_;
  std::vector<result> results_;
  std::unique_ptr<clock::guest> guest_;
};

class all_guests {
 public:
  all_guests(const clock::kernel& k, const lab_arguments& arguments, const run_options& options)
      : kernel_(k), arguments_(arguments), options_(options), ids_(situation::ids_of(options)) {
    const std::size_t size = arguments.jobs != 0 ? arguments.jobs : usual_share;
    // Dealt out like cards: neighbours are alike, and the costly ones are spread.
    const std::size_t shares = (ids_.size() + size - 1) / size;
    waiting_.resize(shares);
    for (std::size_t i = 0; i < ids_.size(); ++i) waiting_[i % shares].push_back(ids_[i]);
  }

  std::vector<result> play() {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    const stop_signals stop;
    while (!waiting_.empty() || !at_work_.empty()) {
      while (!waiting_.empty() && at_work_.size() < cores && !stop_signals::asked()) begin();
      std::vector<clock::guest*> guests;
      for (const auto& w : at_work_) guests.push_back(&w->guest());
      clock::wait_for_any(guests, std::chrono::milliseconds(100));
      if (stop_signals::asked()) stop_all();
      std::erase_if(at_work_, [this](const auto& w) { return w->guest().ended() && (collect(*w), true); });
      if (options_.tick) options_.tick();
    }
    std::vector<result> in_order;
    for (const std::string& id : ids_)
      if (const auto found = results_.find(id); found != results_.end())
        in_order.push_back(std::move(found->second));
    return in_order;
  }

 private:
  void begin() {
    at_work_.push_back(std::make_unique<worker>(kernel_, arguments_, options_, std::move(waiting_.front())));
    waiting_.pop_front();
  }

  void stop_all() {
    waiting_.clear();
    for (const auto& w : at_work_) w->guest().stop();
  }

  void collect(worker& w) {
    for (result& r : w.results()) results_[situation::id_of(r)] = std::move(r);
    const bool stopped = w.guest().ended()->how == clock::guest_fate::stopped;
    for (const std::string& id : w.under_way()) {
      std::error_code ignored;  // it was cut off in the middle of a packet, perhaps
      std::filesystem::remove(situation::capture_of(options_, id), ignored);
      if (!stopped) give_up(id, w.failure());
    }
    if (stopped) return;
    // A guest that could not even begin would not do better the next time.
    if (auto left = w.left(); !left.empty()) {
      if (w.results().empty() && w.under_way().empty())
        for (const std::string& id : left) give_up(id, w.failure());
      else
        waiting_.push_back(std::move(left));
    }
  }

  void give_up(const std::string& id, const std::string& why) {
    results_[id] = situation::broken_run(options_, id, why);
    if (options_.finished) options_.finished(results_[id]);
  }

  const clock::kernel& kernel_;
  const lab_arguments& arguments_;
  const run_options& options_;
  std::vector<std::string> ids_;
  std::deque<std::vector<std::string>> waiting_;
  std::vector<std::unique_ptr<worker>> at_work_;
  std::map<std::string, result> results_;
};

}  // namespace

int play_for_the_outside(const run_options& base) {
  run_options options = base;
  options.started = [](const std::string& id) { tell({{"started", id}}); };
  options.finished = [](const result& r) { tell({{"finished", r}}); };
  (void)situation::run(options);
  return 0;
}

std::vector<result> play_in_guests(const lab_arguments& arguments, const run_options& options) {
  const auto k = clock::find_kernel();
  if (!k) throw lab::error(no_kernel);
  return all_guests(*k, arguments, options).play();
}

}  // namespace halfopen::cli
