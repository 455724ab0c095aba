#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
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
constexpr std::array modes{"idle", "one segment", "many segments", "written late"};
constexpr int repeats = 8;

struct subject {
  lab::unique_fd client, server;
  std::size_t mode = 0;
  milliseconds promise{};
  milliseconds ping{};                     // when the peer is heard last
  std::optional<clock::time_point> since;  // the last sign of life, or the write
  std::optional<clock::time_point> ended;
  int error = 0;
};

void write_some(subject& s) {
  const std::string data(s.mode == 2 ? 20'000 : 1, 'x');
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

/// Notes the ends of all, by poll, until none is left.
void watch(std::vector<subject>& all) {
  for (;;) {
    std::vector<pollfd> polled;
    std::vector<subject*> of;
    for (subject& s : all)
      if (!s.ended) polled.push_back({s.client.get(), POLLIN, 0}), of.push_back(&s);
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

int measure() {
  lab::experiment world;
  lab::host& client = world.at("client");
  lab::host& server = world.at("server");
  const lab::unique_fd listener = listen_in(server);
  std::vector<subject> all;
  for (std::size_t mode = 0; mode < modes.size(); ++mode)
    for (const milliseconds promise : promises)
      for (int i = 0; i < repeats; ++i) {
        subject s;
        s.client = client.connect_to(server, port);
        while (s.server.get() < 0) {
          world.run_for(1ms);
          s.server.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
        }
        s.mode = mode, s.promise = promise;
        s.ping = milliseconds(3000 * i / repeats);
        all.push_back(std::move(s));
      }
  for (subject& s : all)
    if (!set_liveness(s.client.get(), s.promise)) throw std::runtime_error("set_liveness");
  const auto begin = clock::now();
  std::vector<subject*> by_ping;
  for (subject& s : all) by_ping.push_back(&s);
  std::ranges::sort(by_ping, {}, [](const subject* s) { return s->ping; });
  char byte = 'x';
  for (subject* s : by_ping) {  // a byte there and one back
    while (clock::now() < begin + s->ping) world.run_for(1ms);
    ::send(s->client.get(), &byte, 1, MSG_NOSIGNAL);
    world.until([&] { return ::recv(s->server.get(), &byte, 1, 0) == 1; });
    ::send(s->server.get(), &byte, 1, MSG_NOSIGNAL);
    world.until([&] { return ::recv(s->client.get(), &byte, 1, 0) == 1; });
  }
  world.run_for(300ms);
  lab::unplug(server);
  const auto unplugged = clock::now();
  for (subject& s : all) {
    if (s.mode == 0) s.since = last_heard(s.client.get());
    if (s.mode == 1 || s.mode == 2) write_some(s);
  }
  std::jthread watcher([&] { watch(all); });
  std::vector<subject*> late;
  for (subject& s : all)
    if (s.mode == 3) late.push_back(&s);
  std::ranges::sort(late, {}, [](const subject* s) { return s->promise; });
  for (subject* s : late) {
    while (clock::now() < unplugged + s->promise / 2) world.run_for(2ms);
    write_some(*s);
  }
  while (std::ranges::any_of(all, [](const subject& s) { return !s.ended; })) world.run_for(50ms);
  watcher.join();

  for (std::size_t mode = 0; mode < modes.size(); ++mode)
    for (const milliseconds promise : promises) {
      std::vector<double> took;
      std::map<int, int> errors;
      for (const subject& s : all)
        if (s.mode == mode && s.promise == promise) {
          took.push_back(std::chrono::duration<double>(*s.ended - *s.since).count());
          ++errors[s.error];
        }
      const double aim = std::chrono::duration<double>(promise).count();
      const spread found = spread_of(took);
      std::string said;
      for (const auto& [error, times] : errors) said += fmt::format(" {}", strerrorname_np(error));
      print(fmt::format("{}, within {} s", modes[mode], aim), "s", found);
      fmt::print("    {:+.1f} % to {:+.1f} %{}\n", (found.least / aim - 1) * 100,
                 (found.most / aim - 1) * 100, said);
    }
  return 0;
}

}  // namespace
}  // namespace halfopen::bench

int main() {
  return halfopen::lab::enter([] { return halfopen::bench::measure(); });
}
