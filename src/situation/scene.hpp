#ifndef HALFOPEN_SRC_SITUATION_SCENE_HPP
#define HALFOPEN_SRC_SITUATION_SCENE_HPP

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/fate.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "halfopen/trace/story.hpp"
#include "play/capture.hpp"
#include "play/proofs.hpp"
#include "play/words.hpp"
#include "situation/agreement.hpp"
#include "situation/catalogue.hpp"
#include "situation/result.hpp"

namespace halfopen::situation {

using namespace std::chrono_literals;

[[nodiscard]] constexpr const char* to_string(pair_kind k) noexcept {
  return k == pair_kind::naive ? "naive" : "robust";
}

/// How long the kernel's own timers are: shortened by the hosts' settings, so that one sees
/// the end of them, or at their defaults, which take hours and need the virtual clock.
enum class kernel_timers : std::uint8_t { shortened, full_length };

struct scene_options {
  pair_kind pair = pair_kind::naive;
  kernel_timers timers = kernel_timers::shortened;
  lab::ip_version ip = lab::ip_version::v4;
  std::filesystem::path capture;          ///< where the evidence goes; empty: nowhere
  std::string title;                      ///< a comment on the whole capture
  std::chrono::milliseconds grace{5000};  ///< from SIGTERM to SIGKILL at shutdown
  /// The words before "serve" and "call"; empty: this program.
  std::vector<std::string> client_program{}, server_program{};
};

/// What a variant's script works with: two hosts, the pair's programs on them,
/// and a sheet on which it writes what it proved, expected and saw.
class scene {
 public:
  static constexpr std::uint16_t port = 7;
  /// How long the lab waits for something that should happen at once.
  static constexpr std::chrono::milliseconds soon{5000};

  explicit scene(const scene_options& options);

 private:
  // Before the experiment, whose last packets go there when it ends.
  play::capture capture_;

 public:
  lab::experiment lab;
  lab::host& client;
  lab::host& server;
  const pair_kind pair;
  const kernel_timers timers;
  const std::chrono::milliseconds grace;
  /// The robust pair's promise: a dead peer is noticed within this.
  std::chrono::milliseconds notice_within{2000};
  /// How long its client tries to connect.
  std::chrono::milliseconds connect_within{10'000};

  [[nodiscard]] bool naive() const noexcept { return pair == pair_kind::naive; }
  [[nodiscard]] bool full_length() const noexcept { return timers == kernel_timers::full_length; }
  /// How long a program is watched that should never notice: well beyond the robust
  /// pair's promise, or beyond all of the kernel's own timers.
  [[nodiscard]] std::chrono::milliseconds watch() const noexcept {
    return full_length() ? std::chrono::milliseconds(140min) : 3500ms;
  }
  /// How long the lab waits for a timer of the kernel's.
  [[nodiscard]] std::chrono::milliseconds timer_limit() const noexcept {
    return full_length() ? std::chrono::milliseconds(20min) : 8000ms;
  }

  /// The built-in server on the server host, listening; `service` may be
  /// followed by options.
  lab::process& serve(std::vector<std::string> service, std::uint16_t at_port = port,
                      std::optional<lab::accept_flavour> accept_like = {},
                      const std::vector<std::string>& wrapper = {});
  /// The built-in client on the client host.
  lab::process& call(std::vector<std::string> service, const std::vector<std::uint16_t>& ports = {port});
  /// The host's program of the pair with any verb.
  lab::process& run_pair(lab::host& where, const std::vector<std::string>& arguments) {
    return start(where, arguments, {}, {});
  }
  /// Types a line and waits for its echo: the connection is established and idle.
  void exchange(lab::process& c, std::string_view line);
  /// A socket of the lab's own on the client host, connected.
  lab::unique_fd connect(std::uint16_t to_port = port);
  /// Sends on such a socket and waits until the other side acknowledged it.
  void send(const lab::unique_fd& socket, std::string_view bytes);
  /// What comes on such a socket until `wanted` bytes, its end, or the limit.
  std::string receive(const lab::unique_fd& socket, std::size_t wanted, std::chrono::milliseconds limit);

  /// The fault is done now: times are counted from here.
  void fault() { fault_at_ = lab::experiment::now(); }
  /// ... or was done then.
  void fault(trace::time_point when) { fault_at_ = when; }

  /// The packets prove the fault; if not, the variant is inconclusive.
  bool prove(bool holds, std::string what) { return proofs_.prove(holds, std::move(what)); }
  /// Waits for such a packet to be delivered.
  bool prove_after(const lab::match& which, std::string what) {
    return proofs_.prove_after(which, std::move(what));
  }
  /// The same, but it is still on the cable when this returns.
  bool prove_before(const lab::match& which, std::string what) {
    return proofs_.prove_before(which, std::move(what));
  }
  /// The lab expects this of the program.
  bool expect(bool holds, std::string what) { return proofs_.expect(holds, std::move(what)); }
  /// The newest connection to that port was ended this way, and the packets allow it.
  void prove_ending(ending how, trace::culprit by, std::uint16_t at_port = port,
                    const trace::story_hints& hints = {});
  void prove_ending(ending how, trace::culprit by, const trace::connection& c,
                    const trace::story_hints& hints = {});

  /// What this program reports of the connection proved last counts: with what was done and
  /// the packets it makes the three views. Waits for the report. The naive pair makes none.
  void reported_by(const lab::process& p);
  /// The program cannot know of the connection proved last, and this is why.
  void never_shown_to(const lab::process& p, std::string_view because);
  /// What the program has reported of that connection so far.
  [[nodiscard]] std::vector<report_line> reports(const lab::process& p, const trace::connection& c) const;

  /// It reports that the newest connection to that port was closed with nothing owed.
  [[nodiscard]] bool reports_orderly_close(const lab::process& p, std::uint16_t at_port = port) const;
  /// Waits until both sides have closed the newest connection to that port.
  void until_closed(std::uint16_t at_port = port);

  /// The program saw nothing all the time it was watched.
  void saw_nothing(const std::string& so);
  /// What the program saw, in words, and when (counted from the fault).
  void saw(std::string what, std::optional<trace::time_point> when = {});
  /// The answer itself, as it stood there: "-99".
  void answered(std::string answer) { sheet_.answer = std::move(answer); }
  /// The same, read off a program: the signal that killed it, its last error, or
  /// that it noticed nothing.
  void saw_what(const lab::process& p);
  /// How long that would be at the kernel's default settings, computed; where these are in
  /// force, what the program saw is the measured length, and nothing need be computed.
  void by_default(std::chrono::milliseconds computed, std::string_view what);
  /// Changes a kernel setting of a host, and says so in the table; does nothing if
  /// this kernel has no such setting. True if it has.
  bool set(lab::host& where, std::string_view sysctl, std::string_view value);
  /// The same for a timer, to shorten it; does nothing where timers run their full length.
  bool shorten(lab::host& where, std::string_view sysctl, std::string_view value);

  /// A connection of the lab's own from the client's to the server's host with SO_KEEPALIVE
  /// on and nothing else: it meets what a program that does so would meet. To be opened
  /// before the fault. Empty where timers are shortened: its defaults take hours.
  lab::unique_fd keepalive_witness();
  /// Watches the program for watch(), and meanwhile what the witness meets: that is measured,
  /// or without a witness computed.
  void watch_idle(const lab::process& p, const lab::unique_fd& witness, std::chrono::milliseconds computed);

  /// The newest connection to a server port; null if there is none.
  [[nodiscard]] const trace::connection* connection(std::uint16_t at_port = port) const;
  /// "packet 12", or "no packet".
  [[nodiscard]] static std::string at(const std::optional<trace::mark>& m);

  /// Closes the sheet.
  [[nodiscard]] result finish();

 private:
  lab::options lab_options(const scene_options& options);
  struct asked {
    std::size_t about = 0;  ///< index of the connection in views_
    const lab::process* program = nullptr;
    std::string_view never_shown{};
  };
  void compare_views();
  lab::process& start(lab::host& where, const std::vector<std::string>& arguments,
                      const std::vector<std::string>& wrapper,
                      std::optional<lab::accept_flavour> accept_like);

  std::vector<std::string> client_program_, server_program_;
  result sheet_;
  play::proofs proofs_;
  std::vector<connection_views> views_;
  std::vector<asked> asked_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  trace::time_point fault_at_ = lab::experiment::now();
};

/// What a program's error output says of its end: "read: ECONNRESET",
/// "peer_reset (read: ECONNRESET)"; empty if it says nothing.
[[nodiscard]] std::string last_error(const lab::process& p);

}  // namespace halfopen::situation

#endif
