#ifndef HALFOPEN_SRC_JUDGE_STAGE_HPP
#define HALFOPEN_SRC_JUDGE_STAGE_HPP

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/fate.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "judge/case.hpp"
#include "judge/deaths.hpp"
#include "judge/pair.hpp"
#include "judge/replay.hpp"
#include "judge/result.hpp"
#include "report/pcapng.hpp"

namespace halfopen::judge {

using namespace std::chrono_literals;

/// Ends a case's script: nothing can be said about the program.
struct no_verdict : std::runtime_error {
  verdict kind;
  no_verdict(verdict v, const std::string& why) : std::runtime_error(why), kind(v) {}
};

/// What a case's script works with: three hosts (client, server, and a witness who is a
/// client too, but whose host is never touched), the two commands, what they said when
/// nothing was wrong, and a sheet for the verdict.
class stage {
 public:
  static constexpr milliseconds soon{5000};  ///< for what should happen at once

  stage(const pair& who, const baseline& base, const judge_case& what, const std::filesystem::path& capture);
  /// The lab's last packets come when it ends, and find no sheet any more.
  ~stage() { lab.end_recording(); }
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// The case's script. What the lab cannot do because the judged server has ended by itself is
  /// that server's failure.
  void play();

 private:
  std::optional<report::pcapng_writer> capture_;  // before the experiment, whose last packets go there

 public:
  const judge_case& the_case;
  const pair& under_test;
  const baseline& base;
  lab::experiment lab;
  lab::host &client, &server, &witness;

  // Programs.

  /// The server's command, until it listens; throws lab::error if it does not.
  lab::process& serve(std::optional<lab::accept_flavour> accept_like = {}, bool watch_accepts = false);
  /// The client's command.
  lab::process& call() { return call_from(client); }
  lab::process& call_from(lab::host& where);
  /// No process of the server's host runs an instruction until resume_server().
  void hold_server();
  void resume_server();
  /// Until every program has done what it can do without another packet; 200 ms at most.
  void until_idle();
  [[nodiscard]] std::uint16_t port() const noexcept { return base.said.port; }

  // What the case needs of the recording; each throws no_verdict if it is not there.

  /// A request that is answered; at least that many bytes.
  const std::string& need_request(std::size_t at_least = 1) const;
  /// A reply of at least that many bytes.
  std::size_t need_reply(std::size_t at_least = 1) const;
  /// The turn of the main connection before which the client paused with the connection idle.
  std::size_t need_idle_turn() const;
  void need_replay_to_server() const;
  void need_replay_to_client() const;
  void need_concurrent_server() const;

  /// A client of the recording, everything before its request said and answered.
  stand_in_client stand_in(lab::host& from);
  stand_in_client stand_in() { return stand_in(client); }

  // The fault.

  void fault();
  bool prove(bool holds, std::string what);
  bool prove_after(const lab::match& which, const std::string& what);
  bool prove_before(const lab::match& which, const std::string& what);
  /// The connection ended this way, and the packets allow it.
  void prove_ending(ending how, const trace::connection* c);

  // The verdict. The worst of what is said counts; nothing said is a pass.

  void expect(std::string of_the_program) { sheet_.expected = std::move(of_the_program); }
  void pass(std::string happened);
  void warn(std::string happened, std::string cure);
  void fail(std::string happened, std::string cure);
  /// Fails unless it holds.
  bool require(bool holds, std::string what, std::string cure);

  /// From now on a reported failure is one too: nothing has happened that keeps the client from
  /// its work.
  void must_succeed(std::string cure) { cure_of_giving_up_ = std::move(cure); }
  /// Waits for the client's end, and says what it was: recovered, reported, crashed, hangs, or
  /// false success.
  void judge_client(const lab::process& c);
  /// Lets a stand-in go on answering meanwhile.
  void judge_client(const lab::process& c, stand_in_server& peer);

  /// After a fault on these connections (the far ends of the server's sockets): the server
  /// lives, answers the next client, burns no time, and gives the sockets back.
  void judge_server(const lab::process& s, std::span<const trace::endpoint> gone);
  /// The first half of that: it lives, and the next client is answered as ever.
  bool answers_others(const lab::process& s, std::string_view when);
  /// Fails if the server has ended, and says how.
  bool lives(const lab::process& s);

  [[nodiscard]] case_result finish();

 private:
  lab::options lab_options(const judge_case& what);
  void draw(const lab::record& r);
  void note_ends();
  void look_for_deaths();
  void judge_deaths();
  void told(verdict v, std::string happened, std::string cure);
  [[nodiscard]] std::optional<milliseconds> since_fault(std::optional<trace::time_point> when) const;
  [[nodiscard]] bool asked_twice() const;
  void judge_end(const lab::process& c, const lab::exit_status& end);
  void judge_hang(const lab::process& c, const std::function<void()>& meanwhile);
  void judge_leftovers(std::span<const trace::endpoint> gone);
  [[nodiscard]] std::vector<lab::socket_view> held(std::span<const trace::endpoint> gone) const;
  bool wait(const std::function<bool()>& condition, milliseconds limit);

  case_result sheet_;
  std::vector<std::pair<lab::process*, bool>> programs_;  // and whether its end is noted
  trace::time_point begun_ = lab::experiment::now();
  trace::time_point fault_at_ = lab::experiment::now();
  std::optional<trace::time_point> first_packet_;
  death_watch deaths_;  ///< on the judged program's host
  trace::time_point next_look_{};
  std::function<void()> meanwhile_;
  std::string cure_of_giving_up_;
};

/// The signal that ended a program, told directly or through a shell's exit status (128 + N,
/// only of signals that no program exits with on purpose); 0 if none.
[[nodiscard]] int deadly_signal(const lab::exit_status& end) noexcept;

[[nodiscard]] std::string signal_name(int number);

/// "15 min 24 s", "2.1 s", "200 ms"
[[nodiscard]] std::string in_words(milliseconds d);

}  // namespace halfopen::judge

#endif
