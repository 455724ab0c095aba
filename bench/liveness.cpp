// Does set_liveness() keep its promise? The peer's host vanishes (nobody answers, nobody
// says so), and the time until the socket tells is held against what was promised:
//
//   idle           from the last segment of the peer's; the phase of the keepalive timer is
//                  another one for each connection, since the last exchange is
//   one segment    from a write just after the host vanished
//   many segments  the same with 20 kB, which the kernel's loss probe treats otherwise
//   written late   from a write half of the promised time after it
//
// All connections live side by side, so it takes the longest promise and a half. The aim
// is: never early, and at most 10 % late. bench/run liveness.

#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "bench/measure.hpp"
#include "halfopen/lab/enter.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "halfopen/liveness.hpp"

namespace halfopen::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::uint16_t port = 7;
constexpr std::array promises{2000ms, 2500ms, 3000ms, 5000ms, 10'000ms, 30'000ms};
enum : std::size_t { idle, one_segment, many_segments, late };
constexpr std::array modes{"idle", "one segment", "many segments", "written late"};
constexpr int repeats = 8;

struct subject {
  lab::unique_fd client, server;
  std::size_t mode = 0;
  milliseconds promise{};
  milliseconds exchange{};                 // when the peer is heard last
  std::optional<clock::time_point> since;  // the last sign of life, or the write
  std::optional<clock::time_point> ended;
  int error = 0;
};

void write_some(subject& s) {
  const std::string data(s.mode == many_segments ? 20'000 : 1, 'x');
  s.since = clock::now();
  if (::send(s.client.get(), data.data(), data.size(), MSG_NOSIGNAL) < 0) s.error = errno;
}

/// From the last segment of any kind.
clock::time_point last_heard(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  return clock::now() - milliseconds(std::min(info.tcpi_last_ack_recv, info.tcpi_last_data_recv));
}

lab::unique_fd listen_in(const lab::host& h) {
  lab::unique_fd listener;
  h.in_network([&] {
    listener.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
        ::listen(listener.get(), 1000) != 0)
      throw std::runtime_error("listen");
  });
  return listener;
}

/// Notes the ends of all, by poll, until none is left or it is told to stop.
void watch(const std::stop_token& stop, std::vector<subject>& all) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> polled;
    std::vector<subject*> of;
    for (subject& s : all)
      if (!s.ended) {
        polled.push_back({s.client.get(), POLLIN, 0});
        of.push_back(&s);
      }
    if (polled.empty()) return;
    if (::poll(polled.data(), polled.size(), 200) <= 0) continue;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      of[i]->ended = clock::now();
      socklen_t size = sizeof of[i]->error;
      getsockopt(of[i]->client.get(), SOL_SOCKET, SO_ERROR, &of[i]->error, &size);
    }
  }
}

std::vector<subject> connect_all(lab::experiment& world, const lab::unique_fd& listener) {
  std::vector<subject> all;
  for (std::size_t mode = 0; mode < modes.size(); ++mode)
    for (const milliseconds promise : promises)
      for (int i = 0; i < repeats; ++i) {
        subject s;
        s.client = world.at("client").connect_to(world.at("server"), port);
        while (!s.server) {
          world.run_for(1ms);
          s.server.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
        }
        s.mode = mode;
        s.promise = promise;
        s.exchange = milliseconds(3000 * i / repeats);
        if (!set_liveness(s.client.get(), s.promise)) throw std::runtime_error("set_liveness");
        all.push_back(std::move(s));
      }
  return all;
}

/// A byte there and one back, on each connection at its time.
void exchange_bytes(lab::experiment& world, std::vector<subject>& all) {
  const auto begin = clock::now();
  std::vector<subject*> in_order;
  for (subject& s : all) in_order.push_back(&s);
  std::ranges::stable_sort(in_order, {}, [](const subject* s) { return s->exchange; });
  for (subject* s : in_order) {
    char byte = 'x';
    while (clock::now() < begin + s->exchange) world.run_for(1ms);
    ::send(s->client.get(), &byte, 1, MSG_NOSIGNAL);
    world.until([&] { return ::recv(s->server.get(), &byte, 1, 0) == 1; });
    ::send(s->server.get(), &byte, 1, MSG_NOSIGNAL);
    world.until([&] { return ::recv(s->client.get(), &byte, 1, 0) == 1; });
  }
}

void write_late(lab::experiment& world, std::vector<subject>& all) {
  const auto unplugged = clock::now();
  for (const milliseconds promise : promises) {
    while (clock::now() < unplugged + promise / 2) world.run_for(2ms);
    for (subject& s : all)
      if (s.mode == late && s.promise == promise) write_some(s);
  }
}

void report(const std::vector<subject>& all, std::size_t mode, milliseconds promise) {
  std::vector<double> took;
  std::set<std::string> errors;
  for (const subject& s : all) {
    if (s.mode != mode || s.promise != promise) continue;
    if (!s.ended) throw std::runtime_error(fmt::format("{}: not noticed at all", modes[mode]));
    took.push_back(std::chrono::duration<double>(*s.ended - *s.since).count());
    errors.insert(strerrorname_np(s.error) ? strerrorname_np(s.error) : "no error");
  }
  const double aim = std::chrono::duration<double>(promise).count();
  const spread found = spread_of(took);
  fmt::print("  {:<28} {:>6.2f} s  ({:.2f} - {:.2f}, {} times)  {:+5.1f} % to {:+5.1f} %  {}\n",
             fmt::format("{}, within {} s", modes[mode], aim), found.median, found.least, found.most,
             found.count, (found.least / aim - 1) * 100, (found.most / aim - 1) * 100,
             fmt::join(errors, ", "));
}

int measure() {
  lab::experiment world;
  const lab::unique_fd listener = listen_in(world.at("server"));
  std::vector<subject> all = connect_all(world, listener);
  exchange_bytes(world, all);
  world.run_for(300ms);  // until the last ACK is there
  lab::unplug(world.at("server"));
  for (subject& s : all) {
    if (s.mode == idle) s.since = last_heard(s.client.get());
    if (s.mode == one_segment || s.mode == many_segments) write_some(s);
  }
  {
    const std::jthread watcher([&](const std::stop_token& stop) { watch(stop, all); });
    write_late(world, all);
    world.run_for(promises.back() * 6 / 5);
  }
  for (std::size_t mode = 0; mode < modes.size(); ++mode)
    for (const milliseconds promise : promises) report(all, mode, promise);
  return 0;
}

}  // namespace
}  // namespace halfopen::bench

int main() {
  halfopen::bench::print_machine();
  return halfopen::lab::enter([] { return halfopen::bench::measure(); });
}
