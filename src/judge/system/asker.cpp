#include "judge/system/asker.hpp"

#include <signal.h>

#include <algorithm>

#include "judge/last_words.hpp"
#include "judge/pair.hpp"

namespace halfopen::judge {
namespace {

/// The shell and what it has started: a program of the lab is a session of its own (setsid(2)).
void kill(lab::process& p) {
  if (!p.ended()) ::kill(-p.pid(), SIGKILL);
}

}  // namespace

bool usual_answer::fits(std::string_view output_now) const {
  if (unpredictable()) return true;
  if (!varies) return output_now == output;
  return shape_of(output_now) == shape_of(output);
}

asker::asker(lab::host& from, lab::waiting_for_processor& kept_waiting, probe_kind what, std::string command,
             std::vector<std::string> environment, milliseconds limit)
    : from_(from),
      kept_waiting_(kept_waiting),
      what_(what),
      command_(std::move(command)),
      environment_(std::move(environment)),
      limit_(limit) {}

void asker::expect(usual_answer a) {
  usually_ = a.took;
  usual_ = std::move(a);
}

std::size_t asker::under_way_since(trace::time_point when) const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(running_, [when](const running& r) { return r.begun >= when; }));
}

void asker::ask_now() {
  lab::program what;
  what.argv = {"/bin/sh", "-c", command_};
  what.environment = environment_;
  lab::process& p = from_.start(std::move(what));
  p.close_input();
  running_.push_back({&p, lab::experiment::now(), kept_waiting_.so_far()});
}

trace::time_point asker::limit_of(const running& r) const {
  return r.begun + limit_ + usually_ + (kept_waiting_.so_far() - r.excused_before);
}

std::optional<trace::time_point> asker::next_limit() const {
  if (running_.empty()) return std::nullopt;
  return limit_of(running_.front());
}

ask asker::told(const running& r, trace::time_point until) const {
  return {.what = what_,
          .begun = std::chrono::round<milliseconds>(r.begun - zero_),
          .took = std::chrono::round<milliseconds>(until - r.begun),
          .kept_waiting = std::chrono::round<milliseconds>(kept_waiting_.so_far() - r.excused_before)};
}

void asker::finish(const running& r, ask a, std::vector<ask>& ended) {
  last_output_ = r.program->output();
  last_errors_ = r.program->errors();
  if (a.how != ask_end::served) a.says = telling_line(last_errors_, last_output_);
  if (a.how == ask_end::wrong) a.figures_only = shape_of(last_output_) == shape_of(usual_->output);
  ended.push_back(std::move(a));
}

void asker::look(std::vector<ask>& ended) {
  const auto now = lab::experiment::now();
  for (auto r = running_.begin(); r != running_.end();) {
    const auto& end = r->program->ended();
    if (end) {
      ask a = told(*r, end->when);
      a.code = end->code;
      a.signal = end->signal;
      const bool done = end->code == 0 && end->signal == 0;
      const bool usual = !usual_ || usual_->fits(r->program->output());
      a.how = !done ? ask_end::refused : usual ? ask_end::served : ask_end::wrong;
      finish(*r, std::move(a), ended);
      from_.drop(*r->program);  // of hundreds, each would keep its descriptors and all that it said
    } else if (now > limit_of(*r)) {
      ask a = told(*r, now);
      a.how = ask_end::hung;
      a.asks_itself = asks_itself && asks_itself();
      kill(*r->program);
      finish(*r, std::move(a), ended);
    } else {
      ++r;
      continue;
    }
    r = running_.erase(r);
  }
}

void asker::give_up(std::vector<ask>& ended) {
  for (const running& r : running_) {
    ask a = told(r, lab::experiment::now());
    a.how = ask_end::cut_short;
    kill(*r.program);
    ended.push_back(std::move(a));
  }
  running_.clear();
}

}  // namespace halfopen::judge
