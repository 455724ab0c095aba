#include "audit/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "audit/proc.hpp"
#include "audit/services.hpp"

namespace halfopen::audit {
namespace {

struct wrong_words {
  std::string_view title, means, causes, advice;
};

constexpr std::array<wrong_words, wrongs> all_words{{
    {"gone, and not closed",
     "The connection is over, and the program holds its descriptor still. It was reset, given up by the "
     "kernel, or "
     "closed by both sides.",
     "The program does not watch the socket while it is idle, or has forgotten it: a leak of descriptors.",
     "Watch idle sockets (poll(2): POLLIN, POLLRDHUP), and close on end-of-file and on every error. In a "
     "pool, test "
     "a connection before it is handed out."},
    {"sends again, unanswered",
     "Data was sent several times, and the peer's host does not acknowledge. The program sees nothing of it "
     "before "
     "the kernel gives up.",
     "The peer's host is gone, or something between drops the packets (a firewall that has forgotten the "
     "connection).",
     "Bound the wait: TCP_USER_TIMEOUT, or a deadline for the exchange."},
    {"keepalive unanswered", "The connection is idle, and its keepalive probes go unanswered.",
     "The peer's host is gone, or something between has forgotten the connection.",
     "Nothing: keepalive is about to tell the program. It is told sooner with a smaller TCP_KEEPINTVL and "
     "TCP_KEEPCNT."},
    {"connects, unanswered", "The SYN was sent several times, and nobody answers.",
     "The host is down, the address is wrong, or a firewall drops instead of refusing.",
     "Give connect a deadline of its own: a nonblocking connect and a timer, TCP_SYNCNT, or "
     "TCP_USER_TIMEOUT."},
    {"peer takes no data",
     "The peer's window is closed: its program does not read. Its host lives and acknowledges, so that no "
     "timer of "
     "the kernel's ends this.",
     "The peer's program hangs, or is slower than this one.",
     "Give each write a deadline. TCP_USER_TIMEOUT ends it too."},
    {"peer closed, this side does not",
     "The peer has closed the connection long ago, and this program has not (CLOSE_WAIT).",
     "The program does not read the end-of-file, or read it and forgot to close: a leak of descriptors.",
     "Close the socket when reading gives end-of-file. In a pool, test a connection before it is handed out, "
     "or "
     "close idle ones sooner than the server does."},
    {"closed, the peer does not",
     "The program has closed the connection, and the kernel still waits for the peer (FIN_WAIT2, or bytes "
     "that are "
     "not acknowledged).",
     "The peer's program forgets to close, or its host is gone.",
     "Nothing here: the kernel forgets it (net.ipv4.tcp_fin_timeout, tcp_orphan_retries). Look at the peer."},
    {"does not accept",
     "Connections are established by the kernel, and the program that listens has not accepted them.",
     "The program hangs, is stopped, or is at its limit of descriptors or workers.",
     "See what the process waits for; accept without blocking, and serve each connection for itself."},
    {"accept queue full",
     "More connections wait to be accepted than the backlog allows: further ones are dropped, and their "
     "clients "
     "send SYN after SYN.",
     "The program accepts too slowly, or its backlog is small.",
     "Accept faster; a larger backlog for listen(2), which net.core.somaxconn limits."},
    {"accept queue overflowed", "The listener has dropped connections at some time since it was made.",
     "At times more came than were accepted, or memory was short.",
     "A larger backlog for listen(2), which net.core.somaxconn limits; see whether the number grows."},
    {"pool partly dead",
     "Of the connections that this process holds to one place, some are dead and others are not known to be.",
     "The peer was restarted or moved, or something between forgot idle connections.",
     "Test a connection before it is handed out, and let none live for ever (a pool's own words: "
     "testOnBorrow, "
     "keepaliveTime, maxLifetime, pool_pre_ping, pool_recycle)."},
}};

const wrong_words& words_of(wrong w) noexcept {
  return all_words[std::min<std::size_t>(static_cast<std::size_t>(w), wrongs - 1)];
}

std::string times(std::uint32_t n) {
  return n == 1 ? "once" : n == 2 ? "twice" : fmt::format("{} times", n);
}

std::string given_up(const notice& ends) {
  return ends.least ? fmt::format("; given up in {}", in_words(*ends.least)) : std::string();
}

std::string service_name(std::uint16_t port) {
  const service* s = service_at(port);
  return s == nullptr ? std::string() : fmt::format(" ({})", s->name);
}

}  // namespace

std::string in_words(milliseconds d) {
  const auto ms = d.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 120'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  const auto s = (ms + 500) / 1000;
  if (s < 7200) return fmt::format("{} min {} s", s / 60, s % 60);
  if (s < 48 * 3600) return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
  return fmt::format("{} days", s / 86400);
}

std::string in_words(const notice& n) {
  if (!n.known()) return "not known";
  return n.least ? in_words(*n.least) : "never";
}

std::string_view option_of(rule r) noexcept {
  switch (r) {
    case rule::nothing:
      return "SO_KEEPALIVE is off";
    case rule::keepalive:
      return "SO_KEEPALIVE";
    case rule::keepalive_and_user_timeout:
      return "SO_KEEPALIVE and TCP_USER_TIMEOUT";
    case rule::user_timeout:
      return "TCP_USER_TIMEOUT";
    case rule::retries2:
      return "tcp_retries2";
    case rule::syn_retries:
      return "tcp_syn_retries";
    case rule::not_known:
      break;
  }
  return "not known";
}

std::string_view title_of(wrong w) noexcept {
  return words_of(w).title;
}

std::string in_words(const fault& f, std::size_t many) {
  const std::string title(title_of(f.what));
  const std::string count = many > 1 ? fmt::format("{}: ", many) : std::string();
  switch (f.what) {
    case wrong::gone_not_closed:
      return fmt::format("{}{}", count, title);
    case wrong::retransmitting:
      return fmt::format("{}sent again {}, peer silent for {}{}", count, times(f.count), in_words(f.lasted),
                         given_up(f.ends));
    case wrong::probes_unanswered:
      return fmt::format("{}{} keepalive probe{} unanswered, peer silent for {}{}", count, f.count,
                         f.count == 1 ? "" : "s", in_words(f.lasted), given_up(f.ends));
    case wrong::connect_unanswered:
      return fmt::format("{}SYN sent again {}{}{}", count, times(f.count),
                         f.lasted.count() > 0 ? " in " + in_words(f.lasted) : "", given_up(f.ends));
    case wrong::zero_window:
      return fmt::format("{}{} for {}", count, title, in_words(f.lasted));
    case wrong::close_wait:
      return fmt::format("{}peer closed {} ago, this side has not", count, in_words(f.lasted));
    case wrong::orphan:
      return f.count > 0 ? fmt::format("{}{}: sent again {}, silent for {}", count, title, times(f.count),
                                       in_words(f.lasted))
                         : fmt::format("{}{}{}", count, title,
                                       f.ends.least ? "; forgotten in " + in_words(*f.ends.least) : "");
    case wrong::not_accepting:
      return fmt::format("{} connection{} wait{} to be accepted, one for {}", f.count,
                         f.count == 1 ? "" : "s", f.count == 1 ? "s" : "", in_words(f.lasted));
    case wrong::accept_queue_full:
      return fmt::format("{}: {} wait, others are dropped", title, f.count);
    case wrong::accept_queue_overflowed:
      return fmt::format("{} connection{} dropped since it listens", f.count, f.count == 1 ? "" : "s");
    case wrong::pool_partly_dead:
      return fmt::format("and {} more to the same place that may be handed out", f.count);
  }
  return title;
}

std::string owner_of(const group& g, const snapshot& s) {
  if (g.process != none) {
    const process& p = s.processes.at(g.process);
    return fmt::format("{} {}", p.name, p.pid);
  }
  const tcp_socket& one = s.sockets.at(g.sockets.front());
  return one.inode == 0 ? "(its program closed it)" : "(no process that was seen)";
}

std::string place_of(const group& g) {
  const std::string n = g.sockets.size() > 1 ? fmt::format("{} ", g.sockets.size()) : std::string();
  if (g.state == socket_state::listen)
    return fmt::format("listens at port {}{}", g.local.port, service_name(g.local.port));
  const std::string who = g.one_peer
                              ? (g.remote.port != 0 ? g.remote.to_string() : g.remote.address.to_string())
                              : std::string("several hosts");
  if (g.opened_by == side::peer)
    return fmt::format("{}from {} at port {}{}", n, who, g.local.port, service_name(g.local.port));
  return fmt::format("{}to {}{}", n, who, service_name(g.remote.port));
}

std::string in_words(obstacle what) {
  switch (what) {
    case obstacle::descriptors:
      return "its descriptors may not be read: run as root, or with CAP_SYS_PTRACE";
    case obstacle::options: {
      const std::string scope = text_of("/proc/sys/kernel/yama/ptrace_scope");
      if (!scope.empty() && scope[0] != '0')
        return fmt::format(
            "its sockets' options may not be read (kernel.yama.ptrace_scope is {}): run as root, or with "
            "CAP_SYS_PTRACE{}",
            scope.substr(0, 1),
            scope[0] == '1' ? ", or as its user after sysctl -w kernel.yama.ptrace_scope=0" : "");
      return "its sockets' options may not be read: run as its user if it is an ordinary process, as root, "
             "or with "
             "CAP_SYS_PTRACE";
    }
    case obstacle::other_network:
      break;
  }
  return "its network namespace may not be entered, so that only its own descriptors were seen: run as root, "
         "or with "
         "CAP_SYS_ADMIN";
}

std::string in_words_of_reset(std::string_view reason) {
  // include/net/rstreason.h
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> known{{
      {"TCP_ABORT_ON_CLOSE", "its program closed it with data unread"},
      {"TCP_ABORT_ON_LINGER", "TCP_LINGER2 below 0, or SO_LINGER with time 0"},
      {"TCP_ABORT_ON_DATA", "data came after its program had closed it"},
      {"TCP_ABORT_ON_MEMORY", "too many orphans, or TCP's memory is used up"},
      {"TCP_STATE", "its program aborted it: SO_LINGER with time 0, or connect to nowhere"},
      {"TCP_DISCONNECT_WITH_DATA", "disconnected with data not sent"},
      {"TCP_KEEPALIVE_TIMEOUT", "keepalive probes unanswered"},
      {"TCP_TIMEWAIT_SOCKET", "to a connection that is over"},
      {"TCP_INVALID_ACK_SEQUENCE", "an acknowledgement that does not fit"},
      {"NO_SOCKET", "no such connection"},
  }};
  const auto found = std::ranges::find(known, reason, [](const auto& k) { return k.first; });
  return found == known.end() ? std::string(reason) : fmt::format("{}: {}", reason, found->second);
}

explanation explain(wrong w) noexcept {
  const wrong_words& words = words_of(w);
  return {to_string(w), words.means, words.causes, words.advice};
}

}  // namespace halfopen::audit
