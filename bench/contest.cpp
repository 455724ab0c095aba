// A processor's speed changes while one measures: its clock, its neighbours on the
// same chip, other programs. In rounds of a second by turns, the same server's figures
// lay 30 % apart on a busy virtual machine, which hides what is to be seen. So all the
// servers of a round are alive at once, each with its clients, and take turns of 20 ms:
// whatever changes more slowly than that meets all of them alike.
//
// A server that is not on turn has answered what it was asked and sleeps. The first
// milliseconds of a turn, in which the caches still hold another's data, do not count.

#include "bench/contest.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include "bench/server_process.hpp"

namespace halfopen::bench {
namespace {

using clock = std::chrono::steady_clock;
using seconds_of_double = std::chrono::duration<double>;

constexpr double turn = 0.020, start_of_turn = 0.003;
constexpr double warm_up = 0.05;

class contestant {
 public:
  contestant(const server_kind& kind, const pattern& p, const server_setting& setting, SSL_CTX* tls)
      : server_(kind.command, setting), clients_(server_.port(), p.connections, p.depth, tls) {
    run(warm_up);
  }

  void run(double seconds) {
    clients_.run(std::chrono::duration_cast<std::chrono::nanoseconds>(seconds_of_double(seconds)),
                 waiting::spin);
    if (clients_.failed() != 0)
      throw std::runtime_error(fmt::format("{} requests failed. {}", clients_.failed(), server_.errors()));
  }

  void take_turn() {
    run(start_of_turn);
    const double cpu = server_.cpu_seconds(), delay = delays();
    const auto requests = clients_.answered();
    const auto begin = clock::now();
    run(turn);
    sum_.seconds += seconds_of_double(clock::now() - begin).count();
    sum_.requests += static_cast<double>(clients_.answered() - requests);
    sum_.cpu += server_.cpu_seconds() - cpu;
    sum_.delay += delays() - delay;
  }

  [[nodiscard]] const performance& sum() const { return sum_; }
  [[nodiscard]] std::uint64_t answered() const { return clients_.answered(); }

 private:
  [[nodiscard]] double delays() const { return server_.delay_seconds() + delay_seconds(::getpid()); }

  server_process server_;
  load clients_;
  performance sum_;
};

}  // namespace

std::vector<performance> compete(const std::vector<server_kind>& kinds, const pattern& p, double seconds,
                                 std::size_t processor, SSL_CTX* tls) {
  std::vector<std::unique_ptr<contestant>> all;
  for (const server_kind& kind : kinds)
    all.push_back(std::make_unique<contestant>(kind, p, server_setting{processor, {}, -1}, tls));
  for (std::size_t i = 0; static_cast<double>(i) * turn < seconds; ++i)
    for (std::size_t j = 0; j < all.size(); ++j) all[(i + j) % all.size()]->take_turn();
  std::vector<performance> sums;
  for (const auto& one : all) sums.push_back(one->sum());
  return sums;
}

call_rate count_calls(const server_kind& kind, const pattern& p, double seconds, std::size_t processor,
                      SSL_CTX* tls) {
  const call_counter counter;
  contestant one(kind, p, {processor, counter.environment(), -1}, tls);
  const call_counts before = counter.counts();
  const auto answered = one.answered();
  one.run(seconds);
  return calls_between(before, counter.counts(), static_cast<double>(one.answered() - answered));
}

}  // namespace halfopen::bench
