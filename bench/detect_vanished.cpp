// Is the promise of stream_options::notice_within kept? The server's host vanishes (nobody
// answers, nobody says so), and the time until the fate is held against what was promised:
//
//   idle           from the last segment of the peer's; the phase of the keepalive timer is
//                  another one for each connection, since the last exchange is
//   one segment    from a write just after the host vanished
//   many segments  the same with 20 kB, which the kernel's loss probe treats otherwise
//   written late   from a write half of the promised time after it
//
// All connections are the one process's on the client's host and live side by side, so it
// takes the longest promise and a half. Plain sockets with set_liveness() would do for the
// kernel's share, which is nearly all; the library adds one wake-up to milliseconds, and
// what is to be kept is its promise.
//
// "Last segment" is TCP_INFO's, in the kernel's ticks: with HZ 250 a time may be 4 ms more,
// or less, than it was.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "bench/detect.hpp"
#include "bench/measure.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/lab/fault.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr double most_late = 1.10;

/// The server's side: every byte comes back.
class echo {
 public:
  explicit echo(const lab::host& h) : listener_(listen_on(h)) {}

  void turn() {
    for (;;) {
      lab::unique_fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd) break;
      accepted_.push_back(std::move(fd));
    }
    for (const lab::unique_fd& fd : accepted_)
      if (char byte = 0; ::recv(fd.get(), &byte, 1, 0) == 1) ::send(fd.get(), &byte, 1, MSG_NOSIGNAL);
  }

 private:
  lab::unique_fd listener_;
  std::vector<lab::unique_fd> accepted_;
};

struct outcome {
  std::vector<double> took;  // seconds
  std::set<std::string> fates;
};
using outcomes = std::map<std::pair<int, std::int64_t>, outcome>;  // use, promise in ms

outcomes parse(const std::string& report) {
  outcomes all;
  std::istringstream lines(report.substr(report.find('\n') + 1));  // without "ready"
  int which = 0;
  std::int64_t promise = 0, took = 0;
  std::string how;
  while (lines >> which >> promise >> how >> took) {
    outcome& o = all[{which, promise}];
    o.took.push_back(static_cast<double>(took) * 1e-9);
    o.fates.insert(how);
  }
  return all;
}

std::string let_vanish(const std::vector<milliseconds>& promises, int repeats) {
  lab::experiment world;
  lab::host& server = world.at("server");
  echo service(server);
  std::vector<std::string> command{lab::own_executable(), "client-vanished", server.address().to_string(),
                                   std::to_string(repeats)};
  for (const milliseconds promise : promises) command.push_back(std::to_string(promise.count()));
  lab::process& client = world.at("client").start({std::move(command), {}, {}});
  const bool ready = world.until(
      [&] {
        service.turn();
        return client.output().contains("ready") || client.ended();
      },
      60s);
  if (!ready || client.ended()) throw std::runtime_error("the client is not ready. " + client.errors());
  world.run_for(300ms);  // until the last ACK is there
  lab::unplug(server);
  client.type("now\n");
  if (!world.until_ended(client, promises.back() * 2 + 10s))
    throw std::runtime_error("not all connections were noticed to be dead");
  if (!client.errors().empty()) throw std::runtime_error(client.errors());
  return client.output();
}

std::string_view name(use u) {
  switch (u) {
    case use::idle:
      return "idle";
    case use::one_segment:
      return "one segment";
    case use::many_segments:
      return "many segments";
    case use::written_late:
      return "written late";
  }
  return "?";
}

bool print_outcome(use u, milliseconds promised, const outcome& o) {
  const double promise = std::chrono::duration<double>(promised).count();
  const spread s = spread_of(o.took);
  const double least = s.least / promise, most = s.most / promise;
  const bool right = o.fates == std::set{std::string(to_string(ending::peer_vanished))};
  const char* verdict = least < 1 ? "EARLY" : most > most_late ? "LATE" : "kept";
  fmt::print("  {:<16}{:>6.1f} s{:>9.3f}{:>9.3f}{:>9.3f}{:>8.3f}{:>8.3f}{:>8.3f}{:>7}  {}, {}\n", name(u),
             promise, s.median, s.least, s.most, s.median / promise, least, most, s.count, verdict,
             right ? "peer_vanished" : fmt::format("WRONG FATE: {}", fmt::join(o.fates, ", ")));
  return right;
}

}  // namespace

bool measure_vanished(const std::vector<milliseconds>& promises, int repeats) {
  fmt::print(
      "\nA vanished host: from the last sign of life, or from the write, to the fate "
      "(aim: ratio from 1 to {:.2f})\n",
      most_late);
  std::fflush(stdout);
  outcomes all = parse(let_vanish(promises, repeats));
  fmt::print("  {:<16}{:>8}{:>9}{:>9}{:>9}{:>8}{:>8}{:>8}{:>7}\n", "", "within", "median", "least", "most",
             "ratio", "least", "most", "times");
  bool right = true;
  for (const use u : all_uses)
    for (const milliseconds promise : promises)
      right = print_outcome(u, promise, all[{std::to_underlying(u), promise.count()}]) && right;
  return right;
}

}  // namespace halfopen::bench
