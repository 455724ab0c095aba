#ifndef HALFOPEN_SRC_JUDGE_STAGE_HPP
#define HALFOPEN_SRC_JUDGE_STAGE_HPP

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/fate.hpp"
#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "judge/busy.hpp"
#include "judge/case.hpp"
#include "judge/deaths.hpp"
#include "judge/decide/server.hpp"
#include "judge/main_connection.hpp"
#include "judge/packets_seen.hpp"
#include "judge/pair.hpp"
#include "judge/replay.hpp"
#include "judge/sheet.hpp"
#include "lab/waiting_for_processor.hpp"
#include "play/capture.hpp"
#include "play/proofs.hpp"

namespace halfopen::judge {

using namespace std::chrono_literals;

/// Ends a case's script: nothing can be said about the program.
struct no_verdict : std::runtime_error {
  obstacle why;
  no_verdict(obstacle o, const std::string& sentence) : std::runtime_error(sentence), why(o) {}
};

/// The server's command does not listen.
struct does_not_listen : lab::error {
  bool ended;  ///< it has ended; else it has not begun to listen in time
  does_not_listen(const std::string& sentence, bool has_ended) : lab::error(sentence), ended(has_ended) {}
};

/// A request of the recording that is answered, and what was said before it.
struct asked {
  std::size_t turn = 0;  ///< of the main connection
  const std::string& bytes;
  std::size_t reply = 0;  ///< bytes of its answer
  std::size_t client_before = 0, server_before = 0;
};

/// What a case's script works with: three hosts (client, server, and a witness who is a
/// client too, but whose host is never touched), the two commands, what they said when
/// nothing was wrong, and a sheet for the verdict.
///
/// Every limit counts the time in which the programs could run: what they spend ready to run while
/// others have the processor is added to it.
class stage {
 public:
  stage(const pair& who, const baseline& base, const judge_case& what, const std::filesystem::path& capture);
  /// The lab's last packets come when it ends, and find no sheet any more.
  ~stage() { lab.end_recording(); }
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// The case's script. What the lab cannot do because the judged server has ended by itself is
  /// that server's failure.
  void play();

 private:
  // Before the experiment, whose last packets go there.
  play::capture capture_;
  packets_seen packets_;
  sheet sheet_;

 public:
  const judge_case& the_case;
  const pair& under_test;
  const baseline& base;
  const milliseconds soon;  ///< for what should happen at once: 5 s, or ten times what it usually takes
  lab::experiment lab;
  lab::host &client, &server, &witness;

  // Programs.

  /// The server's command, until it listens; throws does_not_listen if it does not.
  lab::process& serve(std::optional<lab::accept_flavour> accept_like = {}, bool watch_accepts = false);
  /// Another one of the server's command on the same host, which shares the port with those that listen
  /// (SO_REUSEPORT, socket(7)); null if it cannot.
  const lab::process* serve_beside();
  /// The client's command.
  lab::process& call() { return call_from(client); }
  lab::process& call_from(lab::host& where);
  /// No process of the server's host runs an instruction until resume_server(). To stop a process ends
  /// some system calls in which it waits with EINTR (signal(7), "Interruption of system calls and library
  /// functions by stop signals"); of a server that does not bear it nothing can be said: throws no_verdict.
  void hold_server();
  void resume_server();
  /// SIGTERM to every process of the server's host; how many got it is proved.
  void terminate_server();
  /// Until every program has done what it can do without another packet; 200 ms at most.
  void until_idle();
  /// Until a program of that host has read all that came on the connection from or to that end.
  bool until_read(const lab::host& where, const trace::endpoint& far_end, milliseconds limit);
  [[nodiscard]] std::uint16_t port() const noexcept { return base.said.port; }

  // What the case needs of the recording; each throws no_verdict if it is not there.

  /// The request on which the case falls; at least that many bytes of it, and of its reply.
  [[nodiscard]] asked need_request(std::size_t at_least = 1, std::size_t reply_at_least = 0) const;
  /// The turn of the main connection before which the client paused with the connection idle.
  [[nodiscard]] std::size_t need_idle_turn() const;
  void need_replay_to_server() const;
  void need_replay_to_client() const;

  // The peer. What can be played back is: no program is as exact. Where a recording does not work on the
  // judged program, the real one plays; pair::peer asks for one of them.

  /// The server's part, listening. `needs_the_program`: the case is about what only that can do.
  /// `shall_end`: the case will end it.
  std::unique_ptr<server_part> play_server(bool needs_the_program, bool shall_end);
  /// A client, everything before its request said and answered.
  std::unique_ptr<client_part> play_client(lab::host& from);
  std::unique_ptr<client_part> play_client() { return play_client(client); }
  /// The recording only: the case says what was not recorded.
  stand_in_client stand_in(lab::host& from);
  stand_in_client stand_in() { return stand_in(client); }
  stand_in_server stand_in_for_server(int backlog = 128);

  // The main connection of the client and the server.

  /// A packet of the connection that plays the part of the main one, by what is said on it, or by the order
  /// in which they were opened (roles.hpp).
  [[nodiscard]] lab::match on_main() const;
  [[nodiscard]] const trace::connection* main_connection() const { return find_main(nullptr); }
  /// It stays the one that it is, if there is one, whatever is said later. A fault does that.
  void keep_main() { main_ = find_main(nullptr); }
  /// That one, on which the packet is that makes sure of it.
  void keep_main(const trace::connection* c) { main_ = c; }
  /// The same of the connections that another host opened after those.
  [[nodiscard]] const trace::connection* main_of(const lab::host& from,
                                                 std::span<const trace::connection* const> but_for,
                                                 const lab::arrival* now) const;
  /// Until the request's first segment is on the cable, not yet delivered; proved.
  bool prove_on_its_way(const asked& request);
  /// Until the client and the server have said so many bytes on it, all acknowledged.
  bool until_said(std::size_t by_client, std::size_t by_server, milliseconds limit);
  /// The host of the real server reboots, and its program runs again; whether its kernel has forgotten
  /// every connection.
  bool reboot_server();

  // The fault.

  /// Does what the case is about, at this moment. In a test that leaves the fault out it does
  /// nothing, and then no proof below may hold.
  template <class Act>
  void inject(Act&& act) {
    fault();
    if (!under_test.without_fault) std::forward<Act>(act)();
  }
  /// What a host that reboots has left of its files.
  [[nodiscard]] lab::disk disk() const noexcept {
    return under_test.disk_lost ? lab::disk::lost : lab::disk::kept;
  }
  [[nodiscard]] bool faulty() const noexcept { return !under_test.without_fault; }

  bool prove(bool holds, std::string what) { return proofs_.prove(holds, std::move(what)); }
  bool prove_after(const lab::match& which, std::string what) {
    return proofs_.prove_after(which, std::move(what));
  }
  bool prove_before(const lab::match& which, std::string what) {
    return proofs_.prove_before(which, std::move(what));
  }
  /// A SYN from the witness to the host, which a living kernel would answer at once, is not answered.
  void prove_unanswered(lab::host& which);
  /// That, and not a segment of the connection came from there since the fault.
  void prove_gone(lab::host& which, const trace::connection* c, trace::side its_side);
  /// The host's kernel knows no connection with that far end any more, and said neither FIN nor
  /// RST about it of its own accord.
  void prove_forgotten(lab::host& which, const trace::endpoint& far_end, const trace::connection* c,
                       trace::side its_side);
  [[nodiscard]] const packets_seen& packets() const noexcept { return packets_; }

  // What the program did. The worst of what is found counts; nothing found is a pass.

  void pass(std::string happened) {
    sheet_.conclude({.did = outcome::does_as_asked}, {.happened = std::move(happened)});
  }
  void fail(std::string happened, std::string cure, basis rests_on) {
    sheet_.conclude({.verdict = verdict::fail, .did = outcome::not_as_asked, .rests_on = rests_on},
                    {.happened = std::move(happened), .cure = std::move(cure)});
  }
  /// Fails unless it holds.
  bool require(bool holds, std::string what, std::string cure, basis rests_on = basis::time) {
    return sheet_.require(holds, std::move(what), std::move(cure), rests_on);
  }

  /// The same of a reply that has to be whole. Where replies are not always as long, nobody can tell of one
  /// that is shorter than those before.
  bool require_whole(bool holds, std::string what, std::string cure);

  /// From now on a reported failure is one too: nothing has happened that keeps the client from
  /// its work.
  void must_succeed(std::string cure) { cure_of_giving_up_ = std::move(cure); }
  /// The server's programs say no more, and its kernel goes on acknowledging: the client's kernel never gives
  /// up.
  void kernel_answers() { kernel_answers_ = true; }
  /// Waits for the client's end, and says what it was. A stand-in goes on answering meanwhile; the
  /// limit counts from its last byte on.
  void judge_client(const lab::process& c, server_part* peer = nullptr);

  /// After a fault on these connections (the far ends of the server's sockets): the server
  /// lives, answers the next client, burns no time, and gives the sockets back.
  void judge_server(const lab::process& s, std::span<const trace::endpoint> gone);
  /// How much of the processor its programs burn that were watched.
  [[nodiscard]] load_seen load_of(const busy_watch& watch, double waits_below = too_busy);
  /// `when`: "at its limit ", or nothing.
  void judge_load(const load_seen& load, std::string_view when, const std::string& cure);
  /// The first half of that: it lives, and the next client is answered as ever.
  bool answers_others(const lab::process& s, std::string_view when);
  /// A request that was on its way when the server was told to stop.
  void judge_request_at_stop(const request_at_stop& seen);
  /// Fails if the server has ended, and says how.
  bool lives(const lab::process& s);

  [[nodiscard]] case_result finish();

  // Watching.

  /// As experiment::until(), and looks at the programs meanwhile.
  bool wait(const std::function<bool()>& condition, milliseconds limit);
  [[nodiscard]] trace::time_point fault_at() const noexcept { return fault_at_; }
  [[nodiscard]] milliseconds since_fault(trace::time_point when = lab::experiment::now()) const {
    return std::chrono::round<milliseconds>(when - fault_at_);
  }
  /// The connections that the judged client has opened to the server.
  [[nodiscard]] std::size_t opened_by_client() const;

 private:
  [[nodiscard]] const trace::connection* find_main(const lab::arrival* now) const;
  void fault();
  lab::options lab_options(const judge_case& what);
  void note_ends();
  void look_around();
  void judge_deaths();
  void judge_leftovers(std::span<const trace::endpoint> gone);

  play::proofs proofs_;
  parts_of_connections parts_;
  const trace::connection* main_ = nullptr;               ///< if it is kept
  std::vector<std::pair<lab::process*, bool>> programs_;  // and whether its end is noted
  trace::time_point fault_at_ = lab::experiment::now();
  death_watch deaths_;  ///< on the judged program's host
  lab::waiting_for_processor kept_waiting_;
  trace::time_point next_look_{};
  std::string cure_of_giving_up_;
  bool kernel_answers_ = false;
  bool faulted_ = false;
  std::shared_ptr<const bool> guessed_;  ///< by the stand-in for the server
};

}  // namespace halfopen::judge

#endif
