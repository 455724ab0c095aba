// Too many, too slow: a server that is out of descriptors, and clients that do not do their part.

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "halfopen/lab/error.hpp"
#include "judge/busy.hpp"
#include "judge/stage.hpp"

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

std::size_t limit_descriptors(const lab::host& h) {
  std::size_t limited = 0;
  for (const pid_t pid : h.pids()) {
    std::error_code why;
    rlim_t highest = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", why))
      highest = std::max<rlim_t>(highest, std::strtoull(entry.path().filename().c_str(), nullptr, 10));
    const rlimit limit{highest + 1 + room, highest + 1 + room};
    if (!why && ::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr) == 0) ++limited;
  }
  return limited;
}

void out_of_descriptors(stage& s) {
  s.need_replay_to_server();
  lab::process& program = s.serve();
  s.lab.run_for(100ms);
  s.prove(limit_descriptors(s.server) > 0, fmt::format("the server may open {} more descriptors", room));
  s.fault();
  std::vector<lab::unique_fd> many;
  const std::size_t wanted = 4 * room * std::max<std::size_t>(1, s.server.pids().size());
  for (std::size_t i = 0; i < wanted && !program.ended(); ++i) {
    lab::unique_fd one;
    try {
      one = s.client.connect_to(s.server, s.port());
    } catch (const lab::error&) {
      break;  // refused: polite, and fine
    }
    many.push_back(std::move(one));
  }
  std::vector<trace::endpoint> gone;
  for (const auto* c : s.lab.traffic().connections()) gone.push_back(c->opener);
  s.prove(many.size() > room || program.ended(), fmt::format("{} clients connect at once", many.size()));
  const busy_watch watch(s.server);
  s.lab.run_for(150ms);  // not longer: to a guest of the virtual clock a spin is the most costly there is
  if (watch.ran() < busy_watch::least_run) s.lab.run_for(350ms);  // little was its share, or it waits
  const double busy = watch.busy();
  s.require(busy < 0.5,
            fmt::format("at its limit it waits without burning the processor ({:.0f} %)", busy * 100),
            "after EMFILE the listener stays readable: pause before the next accept, or keep a spare "
            "descriptor to refuse with");
  many.clear();
  s.judge_server(program, gone);
}

void accept_fails(stage& s) {
  lab::process& program = s.serve(lab::accept_flavour::linux_kernel, true);
  const std::vector<int> errnos{EMFILE, ENFILE, ENOBUFS, ENOMEM, EINTR};
  program.fail_accepts(errnos);
  s.fault();
  std::vector<lab::unique_fd> clients;
  for (std::size_t i = 0; i < errnos.size() && !program.ended(); ++i)
    clients.push_back(s.client.connect_to(s.server, s.port()));
  s.lab.until([&] { return program.ended() || program.accept_failures_left() == 0; }, 5s);
  const auto unseen = [](const lab::accept_event& e) { return e.what == lab::accept_event::kind::unseen; };
  if (std::ranges::any_of(program.accepts(), unseen))
    throw no_verdict(verdict::inconclusive, "the server accepts in a way that cannot be changed (io_uring)");
  s.prove(program.ended() || program.accept_failures_left() < errnos.size(),
          fmt::format("accept failed {} times: EMFILE, ENFILE, ENOBUFS, ENOMEM, EINTR",
                      errnos.size() - program.accept_failures_left()));
  std::vector<trace::endpoint> gone;
  for (const auto* c : s.lab.traffic().connections()) gone.push_back(c->opener);
  clients.clear();
  s.judge_server(program, gone);
}

/// Asks again and again, and reads nothing, until the server takes no more requests or its
/// replies fill both buffers; a server that takes more than `plenty` keeps it in memory of its own.
void never_reads(stage& s) {
  s.need_concurrent_server();
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  const int small = 4096;
  ::setsockopt(c.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  s.fault();
  constexpr std::size_t at_once = 64 * 1024;
  constexpr std::size_t plenty = 4 * 1024 * 1024;
  std::string requests;
  while (requests.size() < at_once) requests += c.request();
  auto taken = lab::experiment::now();
  std::size_t sent = 0;
  s.lab.until(
      [&] {
        const std::size_t n = c.push(std::string_view(requests).substr(sent % requests.size()));
        sent += n;
        if (n > 0) taken = lab::experiment::now();
        return sent > plenty || lab::experiment::now() - taken > 2s;
      },
      15s);
  s.prove(sent >= c.request().size(),
          fmt::format("{} requests are sent, and no reply is read", sent / c.request().size()));
  s.answers_others(program, "while that client does not read");
  c.close();
  s.judge_server(program, std::array{c.self()});
}

void byte_a_second(stage& s) {
  s.need_concurrent_server();
  const std::string& request = s.need_request(2);
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.fault();
  for (std::size_t i = 0; i < std::min<std::size_t>(3, request.size() - 1); ++i) {
    c.push(std::string_view(request).substr(i, 1));
    s.lab.run_for(1s);
  }
  s.prove(c.traffic() != nullptr && c.traffic()->of(trace::side::opener).data_segments > 0,
          "a byte a second");
  s.answers_others(program, "while that client sends a byte a second");
  c.close();
  s.judge_server(program, std::array{c.self()});
}

constexpr judge_case cases[]{
    {"overload/1", subject::server,
     "the descriptor limit, lowered while it runs, is reached; then the clients leave", accept_rule,
     out_of_descriptors},
    {"overload/2", subject::server, "accept fails with EMFILE, ENFILE, ENOBUFS, ENOMEM and EINTR in turn",
     accept_rule, accept_fails},
    {"overload/3", subject::server, "a client asks and never reads", others_rule, never_reads},
    {"overload/4", subject::server, "a client sends a byte a second", others_rule, byte_a_second},
};

}  // namespace

const family overload_family{"overload", "too many, too slow", cases};

}  // namespace halfopen::judge
