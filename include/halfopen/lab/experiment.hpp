#ifndef HALFOPEN_LAB_EXPERIMENT_HPP
#define HALFOPEN_LAB_EXPERIMENT_HPP

/// \file
/// Two or more hosts, a cable, and one thread that sees everything in order:
/// packets, programs' output, their ends, their accept calls. Nothing moves on
/// the cable but while one of the waiting functions runs, so whatever a script
/// does between two of them happens at one exact place in the stream.
///
///     experiment lab;
///     host& server = lab.at("server");
///     host& client = lab.at("client");
///     process& s = server.start({{"my-server", "--port", "7"}});
///     lab.until_listening(server, 7);
///     process& c = client.start({{"my-client", "server", "7"}});
///     lab.before(from(server) && payload());   // the reply is on the wire, not yet delivered
///     crash(server);                           // (fault.hpp)
///     lab.until([&] { return c.ended().has_value(); }, 30s);

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/lab/host.hpp"
#include "halfopen/lab/match.hpp"
#include "halfopen/lab/process.hpp"
#include "halfopen/trace/connection.hpp"
#include "halfopen/trace/packet.hpp"

namespace halfopen::lab {

enum class ip_version : std::uint8_t { v4 = 4, v6 = 6 };

/// What became of a packet on the cable. One that was held may be delivered later.
enum class passage : std::uint8_t { delivered, held, cut, lost };
[[nodiscard]] std::string_view to_string(passage p) noexcept;

/// What becomes of the rest of a segment of which the cable delivers the beginning.
enum class rest : std::uint8_t { lost, held };

/// One packet as evidence: what was on the wire, who sent it, and what was done
/// at that moment.
struct record {
  std::uint64_t number = 0;  ///< counted from 1
  trace::time_point when{};
  std::size_t sender = 0;            ///< index into options::hosts; its size for the router
  std::span<const std::byte> frame;  ///< Ethernet frame; lives during the call only
  std::vector<std::string> notes;    ///< "server host crashes"
  passage became = passage::delivered;
};

struct options {
  std::vector<std::string> hosts{"client", "server"};
  ip_version ip = ip_version::v4;
  /// Names that resolve to two addresses, in this order: one at which there is no host (packets
  /// to it are lost), and their host's own. glibc keeps that order where the system has an
  /// /etc/gai.conf, as Debian does; other resolvers may sort addresses by their own rules.
  std::vector<std::string> half_dead_names{};
  /// A middlebox lowers the maximum segment size that both sides offer in their SYNs to this
  /// (RFC 9293 section 3.7.1; a router with a small MTU does it). Linux sends no smaller
  /// segments than net.ipv4.tcp_min_snd_mss, 48, options included.
  std::optional<std::uint16_t> clamp_mss{};
  /// Takes each packet, one packet late so that what was done after it is noted
  /// on it. Called while the experiment waits, and for the last one when it ends.
  std::function<void(const record&)> recorder;
  /// How much time so far was nobody's fault, such as that in which the programs were ready to run and
  /// others had the processor. What it grows by during a wait does not count against its limit, up to
  /// nine times the limit. Asked when a wait begins and when its limit has passed.
  std::function<std::chrono::nanoseconds()> excused{};
};

/// Needs a world from enter(). Not thread-safe: one experiment, one thread.
/// All waiting functions throw lab::interrupted after SIGTERM or SIGINT, if
/// interrupt_on_signals() was called.
class experiment {
 public:
  using duration = std::chrono::nanoseconds;
  static constexpr duration patience = std::chrono::seconds(10);

  explicit experiment(options what = {});
  ~experiment();
  experiment(const experiment&) = delete;
  experiment& operator=(const experiment&) = delete;

  /// The host of that name; throws lab::error if there is none.
  [[nodiscard]] host& at(std::string_view name);
  [[nodiscard]] const std::vector<std::unique_ptr<host>>& hosts() const noexcept;
  /// The address of the router that stands between the hosts.
  [[nodiscard]] const trace::ip_address& router() const noexcept;

  // Waiting. Each lets the world go on until something happens, and says whether
  // it did within the limit. Time in which the lab itself could not run does not count,
  // nor does what options::excused says, but in run_for().

  /// Until a packet matches; it is at the cable and not yet delivered. What is
  /// done next (a crash, drop_current()) decides what becomes of it.
  bool before(const match& which, duration limit = patience);
  /// Until a packet matched and was delivered.
  bool after(const match& which, duration limit = patience);
  bool until(const std::function<bool()>& condition, duration limit = patience);
  bool until_ended(const process& p, duration limit = patience);
  /// Until the program's standard output (or error) contains the text.
  bool until_says(const process& p, std::string_view text, duration limit = patience);
  /// Until a socket of the lab's own has something to read, its end, or an error to tell.
  bool until_ready(const unique_fd& socket, duration limit = patience);
  /// While it waits, calls `on_ready` with the epoll(7) events of a descriptor of the caller's own that are
  /// there, until unwatch(), which comes before its close(2). One watch a descriptor: a later one takes its
  /// place. Throws lab::error for what epoll cannot watch, such as a file on a disk.
  void watch(int descriptor, std::uint32_t events, std::function<void(std::uint32_t)> on_ready);
  void unwatch(int descriptor) noexcept;
  bool until_listening(const host& h, std::uint16_t port, duration limit = patience);
  /// Lets the world go on for that long.
  void run_for(duration d);
  /// Until no packet has crossed the cable for `silence`.
  bool until_quiet(duration silence, duration limit = patience);

  /// The packet that before() stopped at, or after() waited for last.
  [[nodiscard]] const trace::packet& current() const noexcept;
  [[nodiscard]] const trace::connection* current_connection() const noexcept;

  // The cable.

  /// The packet that before() stopped at is lost.
  void drop_current();
  /// ... or stays on the cable until release().
  void hold_current();
  /// ... or arrives with the first `bytes` of its payload only (0: it acknowledges, and says nothing), as if
  /// the sender had sent it in two segments: FIN and PSH belong to the end, and go with it. The rest is lost,
  /// or held until deliver() or release(); while it is held, repeats of it are lost. traffic() shows the
  /// packet as it was sent, the evidence what its receiver got, with the note "cut by the cable to the first
  /// 4 of its 10 bytes". Throws lab::error unless it is a TCP segment of more than `bytes` bytes.
  void cut_current(std::size_t bytes, rest what = rest::lost);
  /// ... or does not arrive, and a middlebox that has forgotten the connection, as an address
  /// translator may after an idle time (RFC 5382 section 5), answers it with an RST in the
  /// receiver's name (RFC 9293 section 3.10.7.1 for its sequence number). Throws lab::error for
  /// anything but a TCP segment that is no RST.
  void reset_current();
  /// Packets that match from now on stay on the cable until release().
  void hold(match which);
  /// Packets that match from now on are lost.
  void lose(match which);
  /// Of what that end of a connection has said and is held: delivers the next so many payload bytes, and
  /// cuts the last segment for that if need be. Returns how many there were. hold() goes on, and of a segment
  /// that is held already no repeat is.
  std::size_t deliver(const trace::endpoint& sender, std::size_t bytes);
  /// Ends hold() and lose(); what was held is delivered now, in order.
  void release();

  /// Says in the evidence what was done, on the latest packet.
  void note(std::string what);

  /// Gives the recorder the last packet; those that come later are not recorded.
  void end_recording();

  /// All packets so far, as connections.
  [[nodiscard]] const trace::tracker& traffic() const noexcept;
  [[nodiscard]] std::uint64_t packets() const noexcept;
  /// Packets that the kernel could not give to the cable for want of room: the
  /// evidence is incomplete, and no proof.
  [[nodiscard]] std::uint64_t lost_to_capture() const;
  [[nodiscard]] static trace::time_point now() noexcept;

 private:
  friend struct experiment_access;
  struct state;
  std::unique_ptr<state> state_;
};

/// SIGTERM and SIGINT make the waiting functions of this process throw
/// lab::interrupted. Changes the process's signal dispositions.
void interrupt_on_signals();

/// The path of the running program's own executable file.
[[nodiscard]] std::string own_executable();

}  // namespace halfopen::lab

#endif
