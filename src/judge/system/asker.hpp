#ifndef HALFOPEN_SRC_JUDGE_SYSTEM_ASKER_HPP
#define HALFOPEN_SRC_JUDGE_SYSTEM_ASKER_HPP

#include <functional>
#include <list>
#include <string>
#include <vector>

#include "halfopen/lab/experiment.hpp"
#include "judge/decide/outage.hpp"
#include "lab/waiting_for_processor.hpp"

namespace halfopen::judge {

/// What one of the commands that ask prints with nothing wrong.
struct usual_answer {
  std::string output;
  bool varies = false;     ///< in figures at least: only the shape is compared
  bool same_shape = true;  ///< figures apart
  milliseconds took{};
  [[nodiscard]] bool unpredictable() const noexcept { return varies && !same_shape; }
  [[nodiscard]] bool fits(std::string_view output_now) const;
};

/// Asks again and again, with a command on a host of its own, one process an ask. Asks may overlap: a hung
/// one must not keep the next one from being asked. Its host's programs run only while the experiment waits.
/// Not thread-safe.
class asker {
 public:
  asker(lab::host& from, lab::waiting_for_processor& kept_waiting, probe_kind what, std::string command,
        std::vector<std::string> environment, milliseconds limit);

  /// What counts as served; without it any output with exit 0. An ask may take what it usually takes beyond
  /// the limit.
  void expect(usual_answer a);
  /// From now on any output with exit 0 counts as served.
  void expect_anything() { usual_.reset(); }

  /// Looked at when an ask has hung, before it is killed: whether those that ask have a connection of their
  /// own to what is away.
  std::function<bool()> asks_itself;

  /// One more, now. What came of it is told by look().
  void ask_now();
  /// Looks at the asks that are under way; gives those that ended, and kills what hangs.
  void look(std::vector<ask>& ended);
  [[nodiscard]] std::size_t under_way() const noexcept { return running_.size(); }
  /// Of those, the ones that began since then.
  [[nodiscard]] std::size_t under_way_since(trace::time_point when) const noexcept;
  /// When the next one will have hung; nothing if none is under way.
  [[nodiscard]] std::optional<trace::time_point> next_limit() const;
  /// Kills what is under way, which is told as cut short.
  void give_up(std::vector<ask>& ended);
  /// Times are told from then on.
  void count_from(trace::time_point zero) noexcept { zero_ = zero; }
  /// The output and errors of the last ask that ended.
  [[nodiscard]] const std::string& last_output() const noexcept { return last_output_; }
  [[nodiscard]] const std::string& last_errors() const noexcept { return last_errors_; }
  [[nodiscard]] probe_kind what() const noexcept { return what_; }
  [[nodiscard]] bool has_command() const noexcept { return !command_.empty(); }

 private:
  struct running {
    lab::process* program = nullptr;
    trace::time_point begun;
    std::chrono::nanoseconds excused_before{};
  };
  [[nodiscard]] ask told(const running& r, trace::time_point until) const;
  void finish(const running& r, ask a, std::vector<ask>& ended);
  [[nodiscard]] trace::time_point limit_of(const running& r) const;

  lab::host& from_;
  lab::waiting_for_processor& kept_waiting_;
  probe_kind what_;
  std::string command_;
  std::vector<std::string> environment_;
  milliseconds limit_, usually_{};
  std::optional<usual_answer> usual_;
  std::list<running> running_;
  trace::time_point zero_ = lab::experiment::now();
  std::string last_output_, last_errors_;
};

}  // namespace halfopen::judge

#endif
