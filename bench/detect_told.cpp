// From the packet that tells to the fate.
//
// The clock starts when the packet lies on the cable, and the client, which has nothing else
// to do, sleeps: the lab waits a millisecond before it looks at the clock and hands the
// packet on. So the time has in it the lab's sendmmsg(2), the client's kernel, the wake-up
// and the library. The time stamp that the kernel puts on a packet when it comes out of the
// server's host was the other choice; it has the wake-up of the lab's thread in it as well,
// which is no part of anybody's network.
//
// A sleeping program must be given a processor, and where other programs want them it
// waits. /proc/PID/schedstat tells for how long (Documentation/scheduler/sched-stats.rst),
// in nanoseconds. So each fault has two lines: all of the time, and the time less that wait,
// which is what is left of it on a machine with a processor to spare.
//
// Two hosts serve for all. What is killed is a child of this program's that has the accepted
// socket: to the kernel the end of a process and of its sockets, without the cost of a
// program's start. The host without memory is a new one each time: lab::reboot().

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>

#include "bench/detect.hpp"
#include "bench/measure.hpp"
#include "bench/server_process.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/lab/fault.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;

constexpr double aim = 200;  // us

struct table {
  std::vector<double> took, less_wait;  // us
  std::set<std::string> fates;
  bool right = true;
};

/// A client on its host, and the server's side of its one connection in the lab's hands.
class told_client {
 public:
  lab::experiment world;
  lab::host& server = world.at("server");
  lab::unique_fd listener = listen_on(server), accepted;

  explicit told_client(bool writes)
      : program_(world.at("client").start(
            {{lab::own_executable(), "client-told", server.address().to_string(), writes ? "write" : "wait"},
             {},
             {}})) {}

  void order() { program_.type("now\n"); }

  std::string next_line() {
    const auto end = [&] { return program_.output().find('\n', read_); };
    if (!world.until([&] { return end() != std::string::npos || program_.ended(); }) ||
        end() == std::string::npos)
      throw std::runtime_error("the client says nothing. " + program_.errors());
    std::string line = program_.output().substr(read_, end() - read_);
    read_ = end() + 1;
    return line;
  }

  void open_connection() {
    order();
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const bool open = world.until([&] {
      accepted.reset(
          ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return static_cast<bool>(accepted);
    });
    if (!open || next_line() != "up") throw std::runtime_error("no connection. " + program_.errors());
    port_ = ntohs(peer.sin_port);
  }

  /// Of this connection, not of an earlier one; an ICMP error quotes the ports.
  [[nodiscard]] lab::match of_connection() const {
    return [port = port_](const lab::arrival& a) {
      return a.packet->tcp.source.port == port || a.packet->tcp.destination.port == port;
    };
  }

  /// Hands the packet on that tells, and takes the client's report.
  void tell(const lab::match& which, ending expected, table& into) {
    if (!world.before(which && of_connection())) throw std::runtime_error("the packet does not come");
    std::this_thread::sleep_for(1ms);
    const double waited_before = delay_seconds(program_.pid());
    const auto handed_on = clock::now();
    std::istringstream report(next_line());
    std::string how, or_else;
    std::int64_t when = 0;
    double waited = 0;
    report >> how >> or_else >> when >> waited;
    const auto since = clock::time_point(std::chrono::nanoseconds(when)) - handed_on;
    const double took = std::chrono::duration<double, std::micro>(since).count();
    into.took.push_back(took);
    into.less_wait.push_back(took - (waited * 1e-9 - waited_before) * 1e6);
    into.fates.insert(or_else == "-" ? how : how + " or " + or_else);
    into.right = into.right && (how == to_string(expected) || or_else == to_string(expected));
  }

 private:
  lab::process& program_;
  std::size_t read_ = 0;
  std::uint16_t port_ = 0;
};

void kill_process(told_client& c) {
  const pid_t holder = ::fork();
  if (holder < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (holder == 0)
    for (;;) ::pause();
  c.accepted.reset();
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
}

void abort_connection(told_client& c) {
  lab::abort(c.server, std::move(c.accepted));
}

void lose_memory(told_client& c) {
  lab::crash(c.server);
  c.accepted.reset();  // what its kernel says now, nobody hears
  c.listener.reset();
  lab::reboot(c.server);
  c.listener = listen_on(c.server);
  c.order();
}

void cut_off(told_client& c) {
  lab::make_unreachable(c.server, lab::unreachable_kind::host);
  c.order();
}

struct kind {
  std::string_view name;
  bool writes;
  void (*fault)(told_client&);
  lab::match (*packet)();
  ending expected;
};

const kind kinds[]{
    {"FIN: the server is killed", false, kill_process, lab::fin, ending::completed},
    {"RST: the server aborts", false, abort_connection, lab::reset, ending::peer_reset},
    {"RST: a host without memory", true, lose_memory, lab::reset, ending::peer_rebooted},
    {"ICMP: host unreachable, in flight", true, cut_off, lab::icmp, ending::host_unreachable},
};

void print_line(std::string_view what, std::vector<double> us, std::string_view more) {
  const double rare = at_quantile(us, 0.99);
  const spread s = spread_of(std::move(us));
  fmt::print("  {:<36}{:>8.1f}{:>9.1f}{:>8.1f}{:>10.1f}{:>7}{}\n", what, s.median, rare, s.least, s.most,
             s.count, more);
  std::fflush(stdout);
}

bool measure_kind(const kind& k, int times) {
  told_client client(k.writes);
  table t;
  for (int i = 0; i < times; ++i) {
    client.open_connection();
    k.fault(client);
    client.tell(k.packet() && lab::to(client.world.at("client")), k.expected, t);
    lab::replug(client.server);
  }
  const bool met = at_quantile(t.took, 0.5) < aim && at_quantile(t.took, 0.99) < aim;
  print_line(k.name, t.took,
             fmt::format("  {}, {}", t.right ? fmt::format("{}", fmt::join(t.fates, ", ")) : "WRONG FATE",
                         met ? "aim met" : "AIM MISSED"));
  print_line("  less its wait for a processor", t.less_wait, "");
  return t.right;
}

}  // namespace

bool measure_told(int times) {
  fmt::print(
      "\nFrom the packet at the cable to the fate in the program, us (aim: median and 99 % below {:.0f})\n",
      aim);
  fmt::print("  {:<36}{:>8}{:>9}{:>8}{:>10}{:>7}  {}\n", "", "median", "99 %", "least", "most", "times",
             "fate");
  bool right = true;
  for (const kind& k : kinds) right = measure_kind(k, times) && right;
  return right;
}

}  // namespace halfopen::bench
