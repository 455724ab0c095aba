// A server as it should be: one thread, one ppoll, every descriptor nonblocking. It answers
// each message with another one, in two writes with a pause between them, so that a client
// can be gone in the middle of a reply. Where a defect is named, a line is left out or changed.

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/liveness.hpp"
#include "halfopen/unique_fd.hpp"
#include "pair/broken/defect.hpp"
#include "pair/broken/message.hpp"

namespace halfopen::broken {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto pause_in_a_reply = 20ms;
constexpr auto pause_after_a_failed_accept = 100ms;
constexpr std::chrono::seconds longest_drain = 5s;
constexpr auto notice_within = 10s;
constexpr auto notice_late = 60s;

volatile std::sig_atomic_t told_to_stop = 0;

struct connection {
  unique_fd fd;
  std::string in;                ///< the beginning of a message
  std::deque<std::string> out;   ///< parts of replies
  clock::time_point not_before;  ///< for the first of them
  bool at_end = false;           ///< no more requests will come
  bool closed = false;
  bool forgotten = false;  ///< defect: it is neither watched nor closed
};

/// Nothing may be written yet: the pause in the middle of a reply.
bool pauses(const connection& c) {
  return !c.out.empty() && c.not_before > clock::now();
}

short wanted_of(const connection& c) {
  if (pauses(c)) return has(defect::closes_at_half_close) ? POLLRDHUP : 0;
  return c.out.empty() ? POLLIN : POLLOUT;
}

void wait_for(int fd, short events) {
  pollfd one{fd, events, 0};
  ::poll(&one, 1, -1);
}

/// All whole messages, each with its answer; false if what came is no message.
bool take_messages(connection& c) {
  while (c.in.size() >= header_size) {
    const std::uint32_t length = length_in(c.in);
    if (has(defect::signed_length)
            ? static_cast<std::int32_t>(length) > static_cast<std::int32_t>(longest_text)
            : length > longest_text)
      return false;
    if (has(defect::signed_length) && static_cast<std::int32_t>(length) < 0)
      c.in.reserve(
          static_cast<std::size_t>(static_cast<std::int32_t>(length)));  // throws, and nobody catches
    if (c.in.size() < header_size + length) break;
    // With the client's text it fits into the smallest segment, so that one read gives all of it or
    // nothing, and it does not depend on the hour what a client that reads once is accused of.
    const std::string answer = "an answer to: " + c.in.substr(header_size, length);
    c.in.erase(0, has(defect::drops_what_follows) ? c.in.npos : header_size + length);
    c.out.push_back(header_of(answer));
    c.out.push_back(answer);
  }
  return !has(defect::server_reads_once) || c.in.empty();
}

/// Whichever call was told of it: what a defect does with it does not depend on who was faster.
void connection_failed(connection& c) {
  if (has(defect::ends_with_a_reset_connection)) std::exit(EXIT_FAILURE);
  (has(defect::forgets_reset_connections) ? c.forgotten : c.closed) = true;
}

void at_end_of_file(connection& c) {
  if (has(defect::spins_at_end_of_file)) return;
  if (has(defect::forgets_ended_connections)) c.forgotten = true;
  c.at_end = true;
}

/// One read. Nothing is read while a reply is under way: who does not read them is not read from.
void read_some(connection& c) {
  char buffer[16384];
  const ssize_t n = ::recv(c.fd.get(), buffer, sizeof buffer, 0);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) connection_failed(c);
    return;
  }
  if (n == 0) return at_end_of_file(c);
  c.in.append(buffer, static_cast<std::size_t>(n));
  if (!take_messages(c)) c.closed = true;
  while (has(defect::waits_for_a_slow_writer) && !c.in.empty() && !c.closed && !c.at_end) {
    wait_for(c.fd.get(), POLLIN);
    const std::size_t before = c.in.size();
    const ssize_t more = ::recv(c.fd.get(), buffer, sizeof buffer, 0);
    if (more > 0) c.in.append(buffer, static_cast<std::size_t>(more));
    if (more == 0) c.at_end = true;
    if ((more < 0 && errno != EAGAIN) || (c.in.size() > before && !take_messages(c))) c.closed = true;
  }
}

void write_some(connection& c) {
  while (!c.out.empty() && !pauses(c) && !c.forgotten) {
    if (has(defect::waits_for_a_slow_reader)) wait_for(c.fd.get(), POLLOUT);
    std::string& part = c.out.front();
    const ssize_t n =
        ::send(c.fd.get(), part.data(), part.size(), has(defect::server_dies_of_sigpipe) ? 0 : MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR && !has(defect::repeats_failed_writes)) connection_failed(c);
      return;
    }
    part.erase(0, static_cast<std::size_t>(n));
    if (!part.empty()) return;
    c.out.pop_front();
    if (c.out.size() == 1) c.not_before = clock::now() + pause_in_a_reply;
  }
}

class server {
 public:
  explicit server(std::uint16_t port);
  int run();

 private:
  void accept_all();
  void begin_drain();
  [[nodiscard]] bool drained() const;
  void wait();
  [[nodiscard]] std::optional<clock::time_point> next_timer() const;
  void close_finished();

  unique_fd listener_;
  std::list<connection> connections_;
  std::optional<clock::time_point> no_accept_before_;
  std::optional<clock::time_point> drain_ends_;
  sigset_t signals_while_waiting_{};
};

server::server(std::uint16_t port)
    : listener_(::socket(
          AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (has(defect::blocks_in_accept) ? 0 : SOCK_NONBLOCK), 0)) {
  const int yes = 1;
  if (!has(defect::no_reuse_address))
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) < 0 ||
      ::listen(listener_.get(), 128) < 0) {
    fmt::print(stderr, "halfopen_broken: cannot listen on port {}: {}\n", port, std::strerror(errno));
    std::exit(EXIT_FAILURE);
  }
}

void accept_failed(int error, std::optional<clock::time_point>& no_accept_before) {
  const bool aborted = error == ECONNABORTED || error == EPROTO;
  const bool exhausted = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
  if (aborted && has(defect::ends_when_accept_is_aborted)) std::exit(EXIT_FAILURE);
  if (exhausted && has(defect::ends_when_out_of_descriptors)) std::exit(EXIT_FAILURE);
  // The listener stays readable; a descriptor or memory may come free without an event.
  if (exhausted && !has(defect::spins_when_out_of_descriptors))
    no_accept_before = clock::now() + pause_after_a_failed_accept;
}

void server::accept_all() {
  for (;;) {
    unique_fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return accept_failed(errno, no_accept_before_);
    if (drain_ends_) continue;  // a defect: closed at once
    const int yes = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    liveness options = noticed_within(has(defect::one_client_at_a_time) ? notice_late : notice_within);
    if (has(defect::server_without_user_timeout)) options.user_timeout = 0ms;
    if (!has(defect::server_without_liveness)) (void)set_liveness(fd.get(), options);
    connections_.emplace_back().fd = std::move(fd);
    if (has(defect::blocks_in_accept) || has(defect::one_client_at_a_time)) return;
  }
}

/// New clients are refused from now on, requests that have begun are answered.
void server::begin_drain() {
  drain_ends_ = clock::now() + (has(defect::drains_for_ever) ? 24h : longest_drain);
  if (has(defect::ends_at_sigterm)) std::exit(EXIT_SUCCESS);
  if (!has(defect::takes_and_drops_in_drain)) listener_.reset();
}

bool server::drained() const {
  if (!drain_ends_) return false;
  if (has(defect::drains_for_ever)) return connections_.empty();
  const bool nothing_begun = std::ranges::all_of(
      connections_, [](const connection& c) { return c.forgotten || (c.in.empty() && c.out.empty()); });
  return nothing_begun || clock::now() >= *drain_ends_;
}

std::optional<clock::time_point> server::next_timer() const {
  std::optional<clock::time_point> next = drain_ends_;
  const auto add = [&](clock::time_point t) { next = next ? std::min(*next, t) : t; };
  if (no_accept_before_) add(*no_accept_before_);
  for (const connection& c : connections_)
    if (!c.forgotten && pauses(c)) add(c.not_before);
  return next;
}

void server::wait() {
  std::vector<pollfd> watched;
  std::vector<connection*> whose;
  if (no_accept_before_ && *no_accept_before_ <= clock::now()) no_accept_before_.reset();
  const bool busy = has(defect::one_client_at_a_time) && !connections_.empty();
  watched.push_back({no_accept_before_ || busy ? -1 : listener_.get(), POLLIN, 0});
  for (connection& c : connections_) {
    if (c.forgotten) continue;
    watched.push_back({c.fd.get(), wanted_of(c), 0});
    whose.push_back(&c);
  }
  const auto next = next_timer();
  timespec left{};
  if (next) {
    const auto ns = std::max<std::chrono::nanoseconds>(*next - clock::now(), 0ns).count();
    left = {ns / 1'000'000'000, ns % 1'000'000'000};
  }
  if (::ppoll(watched.data(), watched.size(), next ? &left : nullptr, &signals_while_waiting_) < 0) return;
  if (watched[0].revents != 0) accept_all();
  for (std::size_t i = 0; i < whose.size(); ++i) {
    connection& c = *whose[i];
    const short happened = watched[i + 1].revents;
    if ((happened & POLLIN) != 0) read_some(c);
    const bool may_write = (happened & (POLLIN | POLLOUT)) != 0 || has(defect::waits_for_a_slow_reader);
    if (!c.closed && !c.forgotten && may_write) write_some(c);
    if ((happened & (POLLERR | POLLHUP)) != 0 && (happened & (POLLIN | POLLOUT)) == 0) connection_failed(c);
    if ((happened & POLLRDHUP) != 0) c.closed = true;  // a defect: nobody else asks for it
  }
}

void server::close_finished() {
  std::erase_if(connections_, [](const connection& c) {
    return !c.forgotten && (c.closed || (c.at_end && c.out.empty()));
  });
}

int server::run() {
  sigset_t stop{};
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &stop, &signals_while_waiting_);
  ::signal(SIGTERM, has(defect::ignores_sigterm) ? SIG_IGN : [](int) { told_to_stop = 1; });
  while (!drained()) {
    wait();
    close_finished();
    if (told_to_stop != 0 && !drain_ends_) begin_drain();
  }
  return EXIT_SUCCESS;
}

}  // namespace

int serve(std::uint16_t port) {
  return server(port).run();
}

}  // namespace halfopen::broken
