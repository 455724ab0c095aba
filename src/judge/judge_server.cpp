// What a server did after a fault, seen from outside: does it live, is the next client
// answered, are the dead connection's sockets given back, did it burn time while it should wait?

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <span>

#include "judge/busy.hpp"
#include "judge/stage.hpp"
#include "judge/waits.hpp"
#include "lab/open_sockets.hpp"

namespace halfopen::judge {
namespace {

constexpr milliseconds longest_wait = std::chrono::hours(3);
constexpr milliseconds brief_watch = std::chrono::minutes(2);
const char* state_name(int state) {
  switch (state) {
    case TCP_ESTABLISHED:
      return "ESTABLISHED";
    case TCP_CLOSE_WAIT:
      return "CLOSE_WAIT";
    case TCP_LAST_ACK:
      return "LAST_ACK";
    case TCP_FIN_WAIT1:
      return "FIN_WAIT_1";
    case TCP_FIN_WAIT2:
      return "FIN_WAIT_2";
    case TCP_CLOSING:
      return "CLOSING";
    case TCP_CLOSE:
      return "reset, and not closed";
    default:
      return "another state";
  }
}

/// The far end of a TCP socket whose connection is over; nothing if it is another kind of socket.
/// getpeername(2) no longer knows it, SO_PEERNAME does (inet_getname() in net/ipv4/af_inet.c), if
/// asked for no more bytes than the address has.
std::optional<trace::endpoint> peer_of_closed(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 || info.tcpi_state != TCP_CLOSE)
    return std::nullopt;
  sockaddr_in6 v6{};
  size = sizeof v6;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &v6, &size) == 0) {
    const auto bytes = std::as_bytes(std::span(v6.sin6_addr.s6_addr));
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    return trace::endpoint{trace::ip_address(mapped ? bytes.last(4) : bytes), ntohs(v6.sin6_port)};
  }
  sockaddr_in v4{};
  size = sizeof v4;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &v4, &size) < 0) return std::nullopt;
  return trace::endpoint{trace::ip_address(std::as_bytes(std::span(&v4.sin_addr.s_addr, 1))),
                         ntohs(v4.sin_port)};
}

/// Sockets whose connection was reset and that a program has not closed. The kernel lists them
/// no more (sock_diag(7)), but a descriptor costs what it costs.
std::vector<lab::socket_view> reset_and_open(const lab::host& h) {
  std::vector<lab::socket_view> found;
  std::set<std::uint64_t> known;
  for (const lab::socket_view& s : h.sockets()) known.insert(s.inode);
  for (const pid_t pid : h.pids()) {
    const lab::unique_fd owner(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    for (const lab::open_socket& s : lab::open_sockets(pid)) {
      if (!known.insert(s.inode).second) continue;
      const lab::unique_fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, owner.get(), s.descriptor, 0)));
      const auto peer = copy ? peer_of_closed(copy.get()) : std::nullopt;
      if (!peer) continue;
      lab::socket_view& made = found.emplace_back();
      made.remote = *peer;
      made.state = TCP_CLOSE;
      made.inode = s.inode;
    }
  }
  return found;
}

}  // namespace

std::vector<lab::socket_view> stage::held(std::span<const trace::endpoint> gone) const {
  std::vector<lab::socket_view> left;
  for (const lab::socket_view& s : server.sockets())
    if (s.inode != 0 && s.state != TCP_TIME_WAIT && s.state != TCP_LISTEN &&
        std::ranges::count(gone, s.remote) > 0)
      left.push_back(s);
  for (const lab::socket_view& s : reset_and_open(server))
    if (std::ranges::count(gone, s.remote) > 0) left.push_back(s);
  return left;
}

bool stage::lives(const lab::process& s) {
  if (!s.ended()) return true;
  const int signal = deadly_signal(*s.ended());
  fail(signal != 0 ? fmt::format("the server was killed by {}", signal_name(signal))
                   : fmt::format("the server ended with exit {}", s.ended()->code),
       signal == SIGPIPE
           ? "send with MSG_NOSIGNAL, or ignore SIGPIPE, and treat EPIPE as the end of that connection only"
           : "an error of one connection ends that connection, never the server",
       basis::event);
  return false;
}

bool stage::answers_others(const lab::process& s, std::string_view when) {
  if (!lives(s)) return false;
  const auto limit = std::max(soon, 3 * base.took + 2s);
  lab::process& next = call_from(witness);
  if (!wait([&] { return next.ended().has_value(); }, limit)) {
    next.signal(SIGKILL);
    if (!lives(s)) return false;
    fail(fmt::format("{}, the next client gets no answer within {}", when, in_words(limit)),
         "no connection may keep the others waiting: accept without blocking, and serve each connection for "
         "itself");
    return false;
  }
  const bool well =
      next.ended()->code == 0 && next.ended()->signal == 0 && base.answered_as_ever(next.output());
  if (!well) lab.run_for(50ms);  // if the server has ended, that is why, and it is told a little later
  if (!lives(s)) return false;
  return require(well, fmt::format("{}, the next client is answered", when),
                 "the fault on one connection must not be seen on another");
}

void stage::judge_leftovers(std::span<const trace::endpoint> gone) {
  const auto left = held(gone);
  if (left.empty()) return;
  sheet_.provisional = under_test.patience() < under_test.limit;
  const lab::socket_view& one = left.front();
  const std::string held_so = fmt::format(
      "it holds the dead connection after {} still ({}{})", in_words(under_test.patience()),
      state_name(one.state), left.size() > 1 ? fmt::format(", and {} more", left.size() - 1) : "");
  if (one.state == TCP_CLOSE_WAIT || one.state == TCP_CLOSE)
    return fail(held_so,
                "it was told that the connection is over: close the socket when reading gives end-of-file "
                "or an error");
  const auto length = length_of_wait(server, one.inode, waits_for(one));
  const std::string has = length ? "its connection has " + length->kernel_options + "; " : "";
  const std::string cure =
      has + options_that_notice(under_test.limit) + "; or close connections that stay silent";
  if (under_test.virtual_clock)
    return judge_late_release(gone, cure, length ? length->by_kernel : std::nullopt);
  if (length && length->by_kernel) {
    sheet_.length = {hang_length::source::computed, length->by_kernel,
                     fmt::format("the kernel would end it after {} at the latest (computed)",
                                 in_words(*length->by_kernel))};
    return warn(held_so + "; " + sheet_.length.words, cure);
  }
  if (length && waits_without_limit(server) == true) {
    sheet_.length = {
        hang_length::source::computed, std::nullopt,
        "for ever: no timer runs on the connection, and every thread waits without a limit (computed)"};
    return fail(held_so + "; " + sheet_.length.words, cure);
  }
  sheet_.length.words =
      "no timer of the kernel runs on the connection; the program may have one of its own: the virtual clock "
      "measures it";
  warn(held_so + "; " + sheet_.length.words, cure);
}

void stage::judge_late_release(std::span<const trace::endpoint> gone, const std::string& cure,
                               std::optional<milliseconds> by_kernel) {
  const milliseconds watched = under_test.brief && by_kernel ? brief_watch : longest_wait;
  const bool released = wait([&] { return held(gone).empty(); }, watched);
  sheet_.after = since_fault(lab::experiment::now());
  sheet_.length.how = hang_length::source::measured;
  if (released) {
    sheet_.length.ends = sheet_.after;
    sheet_.length.words = fmt::format("given back after {} (measured)", in_words(*sheet_.after));
    return warn("it gives the dead connection back late: " + sheet_.length.words, cure);
  }
  sheet_.length.words = fmt::format("still held after {} (measured)", in_words(*sheet_.after));
  if (watched == longest_wait)
    return fail("it never gives the dead connection back: " + sheet_.length.words, cure);
  sheet_.length.how = hang_length::source::computed;
  sheet_.length.ends = by_kernel;
  sheet_.length.words += fmt::format(
      "; by its socket's options the kernel ends it after {} at the latest (computed)", in_words(*by_kernel));
  warn("it gives the dead connection back late: " + sheet_.length.words, cure);
}

double stage::busy_share(const busy_watch& watch, double waits_below) {
  const auto share = watch.share(lab, 20s, waits_below);
  if (!share && sheet_.what == verdict::fail) return 0;  // what it did wrong is known already
  if (!share)
    throw no_verdict(verdict::inconclusive, "others had the processor: whether it would burn it is not known",
                     true);
  return *share;
}

void stage::judge_server(const lab::process& s, std::span<const trace::endpoint> gone) {
  const bool well = answers_others(s, "after the fault");
  if (s.ended()) return;
  const busy_watch watch(server);
  lab.run_for(1s);  // long enough to see a loop that never waits
  const auto left = under_test.patience() - since_fault(lab::experiment::now()).value_or(0ms);
  auto next_look = lab::experiment::now();
  const auto given_back = [&] {  // to look takes its time where sockets are many
    if (s.ended()) return true;
    if (lab::experiment::now() < next_look) return false;
    next_look = lab::experiment::now() + 200ms;
    return held(gone).empty();
  };
  wait(given_back, std::max<milliseconds>(left, 0ms));
  const double busy = s.ended() ? 0 : busy_share(watch);
  require(busy < too_busy, fmt::format("it waits without burning the processor ({:.0f} %)", busy * 100),
          "a readiness that is never taken, or an error that is never looked at, spins: close the socket, or "
          "pause",
          basis::processor);
  if (!s.ended()) judge_leftovers(gone);
  if (well) answers_others(s, "at the end");
  pass("it lives, answers others, and gave the connection back");
}

}  // namespace halfopen::judge
