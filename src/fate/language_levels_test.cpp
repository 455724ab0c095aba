// fate.hpp and liveness.hpp in a program of C++17, and in one of C++20, with the library that is compiled as
// C++23: every function whose value crosses the border is called, on real sockets, and every type is as large
// on one side as on the other. CMakeLists.txt compiles this source once a level.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "fate/layout.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/liveness.hpp"

namespace {

using namespace halfopen;
using std::chrono::milliseconds;
using std::chrono::seconds;

int failures = 0;

void check(bool holds, const char* what, int line) {
  if (holds) return;
  ++failures;
  std::fprintf(stderr, "line %d: not so: %s\n", line, what);
}
#define CHECK(what) check(static_cast<bool>(what), #what, __LINE__)

struct pair_of_sockets {
  int client = -1, server = -1;
};

/// Connected over loopback; ends the program if that cannot be.
pair_of_sockets connected() {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* address = reinterpret_cast<sockaddr*>(&at);
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  pair_of_sockets made;
  made.client = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::bind(listener, address, size) == 0 && ::listen(listener, 1) == 0 &&
      ::getsockname(listener, address, &size) == 0 && ::connect(made.client, address, size) == 0)
    made.server = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  if (made.server < 0) {
    std::perror("loopback");
    std::exit(1);
  }
  return made;
}

void check_liveness() {
  const pair_of_sockets c = connected();
  CHECK(set_liveness(c.client, seconds(10)).has_value());
  const result<liveness> has = liveness_of(c.client);
  CHECK(has);
  CHECK(has->keepalive && has->idle == seconds(4) && has->interval == seconds(2) && has->probes == 3);
  CHECK((*has).user_timeout == milliseconds(9800));
  CHECK(noticed_within(seconds(3)).user_timeout == milliseconds(2800));
  const result<hang> found = would_hang(c.client);
  CHECK(found && found->idle == seconds(10) && found->in_flight && found->connecting);
  CHECK(found.value().in_flight >= milliseconds(9800));
  CHECK(would_hang(liveness{}).in_flight == milliseconds(924'600));
  CHECK(!would_hang(liveness{}).idle);
  CHECK(report_icmp(c.client));
  CHECK(read_kernel_timers("/nowhere").retries2 == 15);
  ::close(c.client);
  ::close(c.server);

  CHECK(set_liveness(-1, liveness{}).error() == std::errc::bad_file_descriptor);
  const result<liveness> none = liveness_of(-1);
  CHECK(!none && none.error().value() == EBADF && none.value_or(liveness{}).probes == 9);
  bool thrown = false;
  try {
    static_cast<void>(none.value());
  } catch (const std::system_error& e) {
    thrown = e.code().value() == EBADF;
  }
  CHECK(thrown);
}

void check_fate() {
  const pair_of_sockets c = connected();
  char byte = 0;
  CHECK(::send(c.client, "ask", 3, MSG_NOSIGNAL) == 3);
  CHECK(::recv(c.server, &byte, 1, 0) == 1);
  const linger at_once{1, 0};
  ::setsockopt(c.server, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(c.server);
  CHECK(::recv(c.client, &byte, 1, 0) < 0);
  const fate f = diagnose(c.client, operation::read, errno, phase::awaiting_reply);
  ::close(c.client);
  CHECK(f.how == ending::peer_reset && f.or_else == ending::peer_rebooted && f.could_be(f.how));
  CHECK(f.when == phase::awaiting_reply && f.again == retry::unknown && f.during == operation::read);
  CHECK(f.error == ECONNRESET && f.detail.empty());
  CHECK(f.seen->last_heard && f.seen->round_trip.count() > 0 && !f.seen->still_open && !f.seen->icmp);
  const fate copy = f;
  CHECK((*copy.seen).round_trip == f.seen->round_trip);
  CHECK(to_string(copy).find("peer_reset or peer_rebooted while awaiting_reply") == 0);
  CHECK(explain(copy).find("While a reply was awaited") == 0);

  CHECK(ending_of(operation::write, EPIPE) == ending::broken_pipe);
  CHECK(to_string(ending::refused) == "refused" && parse_ending("refused") == ending::refused);
  CHECK(!parse_ending("no such word"));
  CHECK(explain(phase::idle).name == "idle" && explain(retry::safe).name == "safe");
  CHECK(explain(ending::peer_closed).means.find("The peer sent a FIN") == 0);
  const std::optional<errno_meaning> reset = parse_errno("ECONNRESET");
  CHECK(reset && reset->error == ECONNRESET && reset->endings[0] == ending::peer_reset);
  icmp_report from;
  from.router = {10, 0, 0, 254};
  CHECK(from.router_text() == "10.0.0.254");
}

}  // namespace

int main() {
  CHECK(layout_in_library() == layout_here);
  check_liveness();
  check_fate();
  std::printf("C++ %ld: %d failures\n", static_cast<long>(__cplusplus), failures);
  return failures == 0 ? 0 : 1;
}
