// Too many, too slow: a server that is out of descriptors, and clients that do not do their part.

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>
#include <vector>

#include "halfopen/lab/error.hpp"
#include "judge/busy.hpp"
#include "judge/stage.hpp"
#include "judge/waits.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* accept_rule =
    "EMFILE, ENFILE, ENOBUFS and ENOMEM from accept are transient: the connection stays in the queue; wait, "
    "and try "
    "again (accept(2))";
constexpr const char* others_rule =
    "one client must not keep the others waiting, whatever it does or leaves undone";

/// So many descriptors may be opened beyond those that are open now.
constexpr rlim_t room = 3;

std::map<pid_t, rlimit> limit_descriptors(const lab::host& h) {
  std::map<pid_t, rlimit> before;
  for (const pid_t pid : h.pids()) {
    std::error_code why;
    rlim_t highest = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", why))
      highest = std::max<rlim_t>(highest, std::strtoull(entry.path().filename().c_str(), nullptr, 10));
    rlimit limit{};
    if (why || ::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) < 0) continue;
    before.emplace(pid, limit);
    limit.rlim_cur = std::min(limit.rlim_cur, highest + 1 + room);
    ::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr);
  }
  return before;
}

/// A process of the host has as many descriptors open as it may.
bool one_is_at_its_limit(const lab::host& h) {
  return std::ranges::any_of(h.pids(), [](pid_t pid) {
    std::error_code why;
    const auto open =
        std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", why), {});
    rlimit limit{};
    return !why && ::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) == 0 &&
           static_cast<rlim_t>(open) >= limit.rlim_cur;
  });
}

/// Clients that the server must have, and then leave, and what became of them.
std::vector<lab::unique_fd> connect_many(stage& s, std::size_t wanted, const lab::process& program) {
  std::vector<lab::unique_fd> many;
  for (std::size_t i = 0; i < wanted && !program.ended(); ++i) {
    try {
      many.push_back(s.client.connect_to(s.server, s.port()));
    } catch (const lab::error&) {
      break;  // refused: polite, and fine
    }
  }
  return many;
}

/// Of one processor. One that logs each failure may be held up for most of the time by whoever reads
/// its log, who gets no processor either: to wait is to do less than that.
constexpr double hardly_busy = 0.1;

void out_of_descriptors(stage& s) {
  lab::process& program = s.serve();
  s.lab.run_for(100ms);
  std::map<pid_t, rlimit> before;
  s.inject([&] { before = limit_descriptors(s.server); });
  const std::size_t wanted = 4 * room * std::max<std::size_t>(1, s.server.pids().size());
  std::vector<lab::unique_fd> many = connect_many(s, wanted, program);
  std::vector<trace::endpoint> gone;
  for (const auto* c : s.lab.traffic().connections()) gone.push_back(c->opener);
  const bool at_its_limit = s.lab.until([&] { return program.ended() || one_is_at_its_limit(s.server); }, 1s);
  const busy_watch watch(s.server);
  s.lab.run_for(150ms);  // not longer: to a guest of the virtual clock a spin is the most costly there is
  if (watch.ran() < least_run) s.lab.run_for(350ms);  // it waits, or little was its share
  const load_seen load = s.load_of(watch, hardly_busy);
  const auto turned_away = std::ranges::count_if(s.lab.traffic().connections(), [&](const auto* c) {
    const trace::flow& back = c->of(trace::side::responder);
    return c->opener.address == s.client.address() && (back.fin || back.rst);
  });
  if (s.faulty() && !at_its_limit && turned_away == 0 && !program.ended())
    throw no_verdict(
        obstacle::not_there,
        s.base.concurrent
            ? fmt::format("{} connections do not bring any of its processes to its limit", many.size())
            : "the server serves one client after the other: overload/4 judges that");
  // One that keeps a descriptor in hand to turn clients away with is at its limit but for that.
  s.prove(
      at_its_limit || (s.faulty() && turned_away > 0),
      fmt::format("{} clients connect, and the server has as many descriptors open as it may", many.size()));
  s.judge_load(load, "at its limit ",
               "after EMFILE the listener stays readable: pause before the next accept, or keep a spare "
               "descriptor to refuse with");
  many.clear();
  for (const auto& [pid, limit] : before) ::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr);
  s.judge_server(program, gone);
}

void accept_fails(stage& s) {
  lab::process& program = s.serve(lab::accept_flavour::linux_kernel, true);
  const std::vector<int> errnos{EMFILE, ENFILE, ENOBUFS, ENOMEM, EINTR};
  std::size_t shall_fail = 0;
  s.inject([&] {
    program.fail_accepts(errnos);
    shall_fail = errnos.size();
  });
  std::vector<lab::unique_fd> clients;
  for (std::size_t i = 0; i < errnos.size() && !program.ended(); ++i)
    clients.push_back(s.client.connect_to(s.server, s.port()));
  s.lab.until([&] { return program.ended() || program.accept_failures_left() == 0; }, 5s);
  // An accept that found nobody there fails too: that is no proof.
  const std::size_t failed = shall_fail - program.accept_failures_left();
  const auto unseen = [](const lab::accept_event& e) { return e.what == lab::accept_event::kind::unseen; };
  if (shall_fail > 0 && failed == 0 && std::ranges::any_of(program.accepts(), unseen))
    throw no_verdict(obstacle::no_means, "the server accepts in a way that cannot be changed (io_uring)");
  s.prove(failed > 0, fmt::format("accept failed {} times: EMFILE, ENFILE, ENOBUFS, ENOMEM, EINTR", failed));
  std::vector<trace::endpoint> gone;
  for (const auto* c : s.lab.traffic().connections()) gone.push_back(c->opener);
  clients.clear();
  s.judge_server(program, gone);
}

/// For sockets that are made from now on. A receive buffer that is made smaller when the connection is
/// open would not do: a segment that then lies outside of the window takes the ACKs that it carries
/// with it (tcp_sequence() in net/ipv4/tcp_input.c), and the connection stands still for that.
void small_buffers(lab::host& h) {
  h.set_sysctl("net.ipv4.tcp_rmem", "4096 16384 16384");
  h.set_sysctl("net.ipv4.tcp_wmem", "4096 16384 16384");
}

/// Bytes that wait at the client's end of the connection, which nobody reads.
std::uint64_t unread_at_client(const stage& s, const client_part& c) {
  std::uint64_t unread = 0;
  for (const lab::socket_view& v : s.client.sockets())
    if (v.local == c.self()) unread += v.unread;
  return unread;
}

/// Whether the host's programs stand still (SIGSTOP): bytes that nobody has read yet prove nothing of a
/// client that is only slow.
bool stands_still(const lab::host& h) {
  const std::vector<pid_t> pids = h.pids();
  return !pids.empty() && std::ranges::all_of(pids, [](pid_t pid) {
    return std::strchr("TtZX", process_state(pid)) != nullptr;
  });
}

/// The real client asks once, and its programs are stopped before the reply comes.
void asks_and_stands_still(stage& s, lab::process& program) {
  const auto c = s.play_client();
  s.inject([&] { lab::freeze(s.client); });
  c->say_the_rest();
  const std::size_t came = c->hear(s.base.reply, s.soon);
  const std::uint64_t unread = unread_at_client(s, *c);
  s.prove(came > 0 && unread > 0 && stands_still(s.client),
          fmt::format("a request is sent, and {} bytes of its reply wait unread", unread));
  s.answers_others(program, "while that client does not read");
  c->close();
  s.judge_server(program, c->ends());
}

/// Asks again and again, and reads nothing, until the server takes no more requests or its
/// replies fill both buffers; a server that takes more than `plenty` keeps it in memory of its own.
void never_reads(stage& s) {
  small_buffers(s.client);
  small_buffers(s.server);
  lab::process& program = s.serve();
  if (!s.base.no_replay_to_server.empty()) return asks_and_stands_still(s, program);
  stand_in_client c = s.stand_in();
  constexpr std::size_t at_once = 64 * 1024;
  constexpr std::size_t plenty = 4 * 1024 * 1024;
  std::string requests;
  while (requests.size() < at_once) requests += c.request();
  std::size_t sent = 0;
  s.inject([&] {
    auto taken = lab::experiment::now();
    s.lab.until(
        [&] {
          const std::size_t n = c.push(std::string_view(requests).substr(sent % requests.size()));
          sent += n;
          if (n > 0) taken = lab::experiment::now();
          return sent > plenty || c.at_end() || lab::experiment::now() - taken > 2s;
        },
        15s);
  });
  if (!s.faulty()) {
    c.push(c.request());
    (void)c.receive(s.base.reply, s.soon);
  }
  const std::uint64_t unread = unread_at_client(s, c);
  const bool closed =
      c.traffic()->of(trace::side::responder).fin || c.traffic()->of(trace::side::responder).rst;
  s.prove(sent >= c.request().size() && (unread > 0 || closed),
          fmt::format("{} requests are sent, and {} bytes of their replies wait unread",
                      sent / c.request().size(), unread));
  s.answers_others(program, "while that client does not read");
  c.close();
  s.judge_server(program, std::array{c.self()});
}

void byte_a_second(stage& s) {
  const std::string& request = s.need_request(2).bytes;
  lab::process& program = s.serve();
  const auto c = s.play_client();
  const std::size_t before = c->said_before();
  const std::size_t bytes = std::min<std::size_t>(3, request.size() - 1);
  s.inject([&] {
    for (std::size_t i = 0; i < bytes; ++i) {
      c->say(i + 1, 900ms);
      s.lab.run_for(1s);
    }
  });
  const trace::flow& back = c->traffic()->of(trace::side::responder);
  const bool given_up = back.fin || back.rst;  // it does not wait for all of them
  s.answers_others(program, "while that client sends a byte a second");
  c->close();
  s.judge_server(program, c->ends());
  std::size_t said = 0;
  std::vector<data_segment> slow;
  for (const data_segment& one : s.packets().segments(c->self(), trace::side::opener))
    if ((said += one.length) > before) slow.push_back(one);
  bool apart = slow.size() >= bytes || (given_up && !slow.empty());
  for (std::size_t i = 0; i < std::min(bytes, slow.size()) && apart; ++i)
    apart = slow[i].length == 1 && (i == 0 || slow[i].when - slow[i - 1].when > 900ms);
  s.prove(apart, fmt::format("{} bytes of a request, a second apart", std::min(bytes, slow.size())));
}

constexpr judge_case cases[]{
    {"overload/1", subject::server,
     "the descriptor limit, lowered while it runs, is reached; then the clients leave", accept_rule,
     out_of_descriptors},
    {"overload/2", subject::server, "accept fails with EMFILE, ENFILE, ENOBUFS, ENOMEM and EINTR in turn",
     accept_rule, accept_fails},
    expecting(expectation::others_answered,
              {"overload/3", subject::server, "a client asks and never reads", others_rule, never_reads}),
    expecting(expectation::others_answered,
              {"overload/4", subject::server, "a client sends a byte a second", others_rule, byte_a_second}),
};

}  // namespace

const family overload_family{"overload", "too many, too slow", cases};

}  // namespace halfopen::judge
