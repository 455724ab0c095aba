#include "cli/guest_shares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "clock/guest.hpp"
#include "halfopen/lab/error.hpp"

namespace halfopen::cli {
namespace {

/// A guest with its share.
class worker {
 public:
  worker(const clock::kernel& k, const shared_work& work, clock::guest_options how,
         std::vector<std::string> share)
      : work_(work), share_(std::move(share)) {
    how.output = [this](std::string_view text) { hear(text); };
    how.errors = [this](std::string_view text) { errors_ += text; };
    guest_ = std::make_unique<clock::guest>(k, work.job(share_), std::move(how));
  }

  [[nodiscard]] clock::guest& guest() const noexcept { return *guest_; }
  [[nodiscard]] bool has_done_something() const noexcept { return !begun_.empty(); }
  [[nodiscard]] const std::vector<std::string>& under_way() const noexcept { return under_way_; }
  [[nodiscard]] bool gave_up() const noexcept { return gave_up_; }

  /// Those of the share that have not begun, and never will here.
  [[nodiscard]] std::vector<std::string> left() const {
    std::vector<std::string> ids;
    for (const std::string& id : share_)
      if (std::ranges::find(begun_, id) == begun_.end()) ids.push_back(id);
    return ids;
  }

  /// Why items that are under way will not end, now that the guest has.
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
      if (work_.started) work_.started(begun_.back());
    } else if (event.contains("finished") && event.contains("id")) {
      const std::string id = event["id"];
      std::erase(under_way_, id);
      work_.finished(id, event["finished"]);
    } else if (event.contains("stopped")) {
      gave_up_ = true;
      if (work_.stopped) work_.stopped(event["stopped"]);
    }
  }

  const shared_work& work_;
  std::vector<std::string> share_, begun_, under_way_;
  std::string said_, errors_;
  bool gave_up_ = false;
  std::unique_ptr<clock::guest> guest_;
};

class all_guests {
 public:
  all_guests(const clock::kernel& k, const shared_work& work)
      : kernel_(k), work_(work), how_(options_of(work.guest)) {
    // Dealt out like cards: neighbours are alike, and the costly ones are spread.
    const std::size_t shares = (work.ids.size() + work.share_size - 1) / work.share_size;
    waiting_.resize(shares);
    for (std::size_t i = 0; i < work.ids.size(); ++i) waiting_[i % shares].push_back(work.ids[i]);
  }

  void run() {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    const stop_signals stop;
    while (!waiting_.empty() || !at_work_.empty()) {
      while (!waiting_.empty() && at_work_.size() < cores && !stop_signals::asked()) begin();
      std::vector<clock::guest*> guests;
      for (const auto& w : at_work_) guests.push_back(&w->guest());
      clock::wait_for_any(guests, std::chrono::milliseconds(100));
      if (stop_signals::asked()) stop_all();
      std::erase_if(at_work_, [this](const auto& w) { return w->guest().ended() && (collect(*w), true); });
      if (work_.tick) work_.tick();
    }
  }

 private:
  void begin() {
    at_work_.push_back(std::make_unique<worker>(kernel_, work_, how_, std::move(waiting_.front())));
    waiting_.pop_front();
  }

  void stop_all() {
    waiting_.clear();
    for (const auto& w : at_work_) w->guest().stop();
  }

  void collect(const worker& w) {
    if (w.gave_up()) return stop_all();
    const bool stopped = w.guest().ended()->how == clock::guest_fate::stopped;
    for (const std::string& id : w.under_way()) {
      if (work_.cut_off) work_.cut_off(id);
      if (!stopped) work_.given_up(id, w.failure());
    }
    if (stopped) return;
    auto left = w.left();
    if (left.empty()) return;
    // A guest that could not even begin would not do better the next time.
    if (w.has_done_something())
      waiting_.push_back(std::move(left));
    else
      for (const std::string& id : left) work_.given_up(id, w.failure());
  }

  const clock::kernel& kernel_;
  const shared_work& work_;
  const clock::guest_options how_;  // one for all, though the day may change meanwhile
  std::deque<std::vector<std::string>> waiting_;
  std::vector<std::unique_ptr<worker>> at_work_;
};

}  // namespace

void tell_outside(const nlohmann::json& line) {
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void work_in_guests(const shared_work& work) {
  const auto k = clock::find_kernel();
  if (!k) throw lab::error(no_kernel);
  all_guests(*k, work).run();
}

}  // namespace halfopen::cli
