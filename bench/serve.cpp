// How many requests a second each server answers on one processor, and what a
// request costs it.
//
// One load generator, on the other processor, for all; the servers by turns (see
// contest.cpp), each round with fresh processes, so that none has the machine's good
// minute or one lucky layout of its memory to itself. Ratios are those of a round. For
// the same reason the limit is a server of this run, not a number of another day.
//
// Requests a second say nothing when the clients are the slower side, which on
// loopback is close: TCP costs both the same. So there is the processor time of a
// request beside it, and how busy the server's processor was; and a pattern in which
// the server was not busy says so.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <map>

#include "bench/contest.hpp"
#include "bench/measure.hpp"
#include "bench/server_process.hpp"
#include "bench/servers.hpp"
#include "tls/openssl.hpp"
#include "tls/test_certificates.hpp"

namespace halfopen::bench {
namespace {

constexpr double aim = 0.95;  // of the limit
constexpr double busy_enough = 0.95;
constexpr double much_disturbed = 0.02;  // of the time

constexpr std::array<pattern, 4> patterns{{
    {"one", "Ping-pong on 1 connection", 1, 1},
    {"few", "Ping-pong on 64 connections", 64, 1},
    {"many", "Ping-pong on 1,000 connections", 1000, 1},
    {"deep", "64 connections with 16 requests under way on each", 64, 16},
}};

struct options {
  double seconds = 0.3;
  int rounds = 10;
  std::vector<std::string> only;
  bool tls = false;

  [[nodiscard]] bool wants(std::string_view name, auto&& all, auto&& name_of) const {
    const auto named = [&](const auto& one) { return std::ranges::find(only, name_of(one)) != only.end(); };
    return std::ranges::find(only, name) != only.end() || std::ranges::none_of(all, named);
  }
};

struct figures {
  std::vector<double> rate, cpu, busy, delay;  // one a round
  call_rate calls;

  void add(const performance& p) {
    rate.push_back(p.requests / p.seconds);
    cpu.push_back(p.cpu / p.requests * 1e6);
    busy.push_back(p.cpu / p.seconds);
    delay.push_back(p.delay / p.seconds);
  }
};

/// The median of the rounds' ratios.
double ratio(const figures& one, const figures& other) {
  std::vector<double> each;
  for (std::size_t i = 0; i < one.rate.size(); ++i) each.push_back(one.rate[i] / other.rate[i]);
  return spread_of(std::move(each)).median;
}

const figures* limit_of(const std::vector<server_kind>& kinds, const std::map<std::string, figures>& all) {
  const auto limit = std::ranges::find(kinds, role::limit, &server_kind::is);
  return limit == kinds.end() ? nullptr : &all.at(limit->name);
}

std::string thousands(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

void print_table(const pattern& p, const std::vector<server_kind>& kinds,
                 const std::map<std::string, figures>& all) {
  fmt::print("\n{}\n  {:<18}{:>11}  {:<23}{:>9}{:>10}{:>6}{:>7}\n", p.title, "server", "requests/s",
             "(least - most)", "to limit", "us/req", "busy", "calls");
  const figures* limit = limit_of(kinds, all);
  bool idle = false;
  double delay = 0;
  for (const server_kind& kind : kinds) {
    const figures& f = all.at(kind.name);
    const spread rate = spread_of(f.rate);
    const double busy = spread_of(f.busy).median;
    idle = idle || busy < busy_enough;
    delay = std::max(delay, spread_of(f.delay).median);
    fmt::print("  {:<18}{:>11}  {:<23}{:>9}{:>10.2f}{:>5.0f}%{:>7.2f}  {}\n", kind.name,
               thousands(rate.median), fmt::format("({} - {})", thousands(rate.least), thousands(rate.most)),
               limit == nullptr ? "-" : fmt::format("{:.3f}", ratio(f, *limit)), spread_of(f.cpu).median,
               busy * 100, f.calls.all, f.calls.kinds);
  }
  if (delay > much_disturbed)
    fmt::print(
        "  DISTURBED: other programs kept server and clients waiting for up to {:.0f}% of the time, added "
        "up.\n",
        delay * 100);
  else if (idle)
    fmt::print("  A server that was not busy waited for the clients: compare us/req.\n");
  std::fflush(stdout);
}

/// What ours should be, against what they are; empty where none was measured.
std::string verdict(const pattern& p, const std::vector<server_kind>& kinds,
                    const std::map<std::string, figures>& all) {
  std::string text;
  for (const server_kind& ours : kinds) {
    if (ours.is != role::ours) continue;
    text += fmt::format("  {:<50}  {:<17}", p.title, ours.name);
    for (const server_kind& kind : kinds) {
      if (kind.is == role::ours) continue;
      const double times = ratio(all.at(ours.name), all.at(kind.name));
      const bool good = kind.is == role::limit ? times >= aim : times > 1;
      text += fmt::format("  {} {:.3f}{}", kind.name, times, good ? "" : " NO");
    }
    text += "\n";
  }
  return text;
}

std::string measure_pattern(const pattern& p, const std::vector<server_kind>& kinds, const options& o,
                            std::size_t processor, SSL_CTX* tls) {
  std::map<std::string, figures> all;
  for (int round = 0; round < o.rounds; ++round) {
    fmt::print(stderr, "{}: round {} of {}\n", p.name, round + 1, o.rounds);
    const std::vector<performance> seen = compete(kinds, p, o.seconds, processor, tls);
    for (std::size_t i = 0; i < kinds.size(); ++i) all[kinds[i].name].add(seen[i]);
  }
  for (const server_kind& kind : kinds)
    all[kind.name].calls = count_calls(kind, p, o.seconds, processor, tls);
  print_table(p, kinds, all);
  return verdict(p, kinds, all);
}

int measure(const options& o) {
  const auto& certificates = tls::test::made();
  const tls::context_handle clients(o.tls ? SSL_CTX_new(TLS_client_method()) : nullptr);
  std::vector<server_kind> kinds =
      o.tls ? tls_servers(certificates.server, certificates.server_key) : servers();
  const auto name_of_server = [](const server_kind& k) { return k.name; };
  const auto name_of_pattern = [](const pattern& p) { return std::string(p.name); };
  for (const std::string& name : o.only)
    if (std::ranges::find(kinds, name, name_of_server) == kinds.end() &&
        std::ranges::find(patterns, name, name_of_pattern) == patterns.end()) {
      fmt::print(stderr, "bench_serve: there is no pattern and no server {}\n", name);
      return 2;
    }
  const std::vector<server_kind> built = kinds;
  std::erase_if(kinds, [&](const server_kind& k) { return !o.wants(k.name, built, name_of_server); });

  raise_descriptor_limit();
  const processors where = choose_processors();
  pin_to(where.own);
  print_machine();
  fmt::print("measured  {} rounds of {} s each; clients on processor {}, server on {}\n", o.rounds, o.seconds,
             where.own, where.server);
  std::string verdicts;
  for (const pattern& p : patterns)
    if (o.wants(p.name, patterns, name_of_pattern))
      verdicts += measure_pattern(p, kinds, o, where.server, clients.get());
  if (!verdicts.empty())
    fmt::print("\nhalfopen: aim at least {} of {}\n{}", aim,
               o.tls ? "Asio's ssl::stream" : "the bare loop, and more than every library", verdicts);
  fmt::print("\nload average {:.2f} at the end\n", load_average());
  return 0;
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  bench::options o;
  CLI::App app("Requests a second of the sum service on one processor, ours and others'", "bench/run serve");
  app.add_option("--seconds", o.seconds, "of each server in a round")->capture_default_str();
  app.add_option("--rounds", o.rounds, "of each server and pattern")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_flag("--tls", o.tls, "with TLS: ours against Asio's ssl::stream; bench/run tls");
  app.add_option("only", o.only,
                 "patterns (one few many deep) and servers (bare halfopen halfopen-messages asio-callbacks "
                 "asio-coroutines libevent libuv); none: all");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write(2)
  try {
    return bench::measure(o);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_serve: {}\n", e.what());
    return 1;
  }
}
