/* libhalfopen.so.1 in a program of C99: every function of halfopen.h, on real loopback sockets. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "halfopen/halfopen.h"

static int failures = 0;

static void check(int holds, const char* what, int line) {
  if (holds) return;
  ++failures;
  fprintf(stderr, "capi_test.c:%d: not so: %s\n", line, what);
}
#define CHECK(what) check((what), #what, __LINE__)

static int equal(const char* a, const char* b) {
  return strcmp(a, b) == 0;
}
static int begins(const char* whole, const char* with) {
  return strncmp(whole, with, strlen(with)) == 0;
}

/* Ends the program: without loopback there is nothing to test. */
static int must(int result, const char* call) {
  if (result >= 0) return result;
  perror(call);
  exit(1);
}

static struct sockaddr_in where(void) {
  struct sockaddr_in at;
  memset(&at, 0, sizeof at);
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

static int listen_at(struct sockaddr_in* at) {
  socklen_t size = sizeof *at;
  const int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  must(bind(fd, (struct sockaddr*)at, size), "bind");
  must(listen(fd, 8), "listen");
  must(getsockname(fd, (struct sockaddr*)at, &size), "getsockname");
  return fd;
}

struct connection {
  int client, server;
};

static struct connection connected(void) {
  struct sockaddr_in at = where();
  const int listener = listen_at(&at);
  struct connection c;
  c.client = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  must(connect(c.client, (struct sockaddr*)&at, sizeof at), "connect");
  c.server = must(accept(listener, NULL, NULL), "accept");
  close(listener);
  return c;
}

static void reset(int fd) {
  const struct linger at_once = {1, 0};
  must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "SO_LINGER");
  close(fd);
}

/* Until something can be read or an error told. */
static void wait_for_news(int fd) {
  struct pollfd news = {fd, POLLIN | POLLRDHUP, 0};
  CHECK(poll(&news, 1, 5000) == 1);
}

/* The errno of the call, 0 if it did not fail. */
static int receive(int fd) {
  char byte;
  return recv(fd, &byte, 1, 0) < 0 ? errno : 0;
}

static int option(int fd, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  must(getsockopt(fd, IPPROTO_TCP, name, &value, &size), "getsockopt");
  return value;
}

static struct halfopen_fate diagnosed(int fd, int during, int error, int when) {
  struct halfopen_fate f = HALFOPEN_FATE_INIT;
  CHECK(halfopen_diagnose(&f, fd, during, error, when) == 0);
  CHECK(f.size == sizeof f);
  return f;
}

static void check_reset(void) {
  struct connection c = connected();
  char line[256], few[10];
  size_t length;
  CHECK(send(c.client, "ask", 3, MSG_NOSIGNAL) == 3);
  wait_for_news(c.server);
  reset(c.server);
  wait_for_news(c.client);
  const int error = receive(c.client);
  CHECK(error == ECONNRESET);
  errno = 12345;
  struct halfopen_fate f = diagnosed(c.client, HALFOPEN_READ, error, HALFOPEN_BY_OPERATION);
  CHECK(errno == 12345);
  CHECK(f.how == HALFOPEN_PEER_RESET && f.or_else == HALFOPEN_PEER_REBOOTED);
  CHECK(f.when == HALFOPEN_AWAITING_REPLY && f.again == HALFOPEN_UNKNOWN && f.during == HALFOPEN_READ);
  CHECK(f.error == ECONNRESET && equal(f.detail, "") && !f.still_open && f.icmp_version == 0);
  CHECK(f.last_heard_ms >= 0 && f.round_trip_us > 0);

  length = halfopen_to_string(&f, line, sizeof line);
  CHECK(
      equal(line,
            "peer_reset or peer_rebooted while awaiting_reply: read: ECONNRESET (Connection reset by peer); "
            "retry: unknown"));
  CHECK(length == strlen(line));
  CHECK(halfopen_to_string(&f, NULL, 0) == length);
  CHECK(halfopen_to_string(&f, few, sizeof few) == length && equal(few, "peer_rese"));
  CHECK(halfopen_explain(&f, line, sizeof line) == strlen(line));
  CHECK(
      begins(line, "While a reply was awaited, the peer reset the connection, or its host rebooted (read: "));

  /* Another one gets the words that its members say. */
  f.how = HALFOPEN_DEADLINE_PASSED;
  f.or_else = HALFOPEN_NO_ENDING;
  f.error = 0;
  f.detail = "5 s were over";
  halfopen_to_string(&f, line, sizeof line);
  CHECK(equal(line, "deadline_passed while awaiting_reply: read: 5 s were over; retry: unknown"));
  f.how = f.when = f.again = f.during = f.or_else = 1000000;
  f.detail = NULL;
  halfopen_to_string(&f, line, sizeof line);
  CHECK(equal(line, "? or ? while ?: ?; retry: ?"));
  close(c.client);
}

static void check_fin(void) {
  struct connection c = connected();
  CHECK(send(c.server, "half a li", 9, MSG_NOSIGNAL) == 9);
  close(c.server);
  char bytes[16];
  CHECK(recv(c.client, bytes, sizeof bytes, 0) == 9);
  CHECK(receive(c.client) == 0);
  const struct halfopen_fate f = diagnosed(c.client, HALFOPEN_READ, 0, HALFOPEN_RECEIVING_REPLY);
  CHECK(f.how == HALFOPEN_PEER_CLOSED && f.or_else == HALFOPEN_NO_ENDING && f.error == 0);
  CHECK(f.when == HALFOPEN_RECEIVING_REPLY && equal(f.detail, "end-of-file") && f.still_open);
  close(c.client);
}

static void check_refused(void) {
  struct sockaddr_in at = where();
  const int listener = listen_at(&at);
  close(listener);
  const int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  CHECK(halfopen_report_icmp(fd, 1) == 0);
  CHECK(connect(fd, (struct sockaddr*)&at, sizeof at) < 0);
  const struct halfopen_fate f = diagnosed(fd, HALFOPEN_CONNECT, errno, HALFOPEN_BY_OPERATION);
  CHECK(f.how == HALFOPEN_REFUSED && f.when == HALFOPEN_CONNECTING && f.again == HALFOPEN_SAFE);
  close(fd);
}

static void check_broken_pipe_and_accept(void) {
  struct connection c = connected();
  CHECK(diagnosed(c.server, HALFOPEN_ACCEPT, 0, HALFOPEN_BY_OPERATION).how == HALFOPEN_COMPLETED);
  reset(c.server);
  wait_for_news(c.client);
  CHECK(receive(c.client) == ECONNRESET);
  CHECK(send(c.client, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
  const struct halfopen_fate f = diagnosed(c.client, HALFOPEN_WRITE, EPIPE, HALFOPEN_BY_OPERATION);
  CHECK(f.how == HALFOPEN_BROKEN_PIPE && f.when == HALFOPEN_SENDING && f.again == HALFOPEN_SAFE);
  close(c.client);

  struct sockaddr_in at = where();
  const int listener = listen_at(&at);
  const int early = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  must(connect(early, (struct sockaddr*)&at, sizeof at), "connect");
  reset(early);
  const int accepted = must(accept(listener, NULL, NULL), "accept");
  CHECK(diagnosed(accepted, HALFOPEN_ACCEPT, 0, HALFOPEN_BY_OPERATION).how == HALFOPEN_ABORTED_BEFORE_ACCEPT);
  close(accepted);
  close(listener);
}

static void check_liveness(void) {
  struct connection c = connected();
  struct halfopen_liveness has = HALFOPEN_LIVENESS_INIT, plan = HALFOPEN_LIVENESS_INIT;
  struct halfopen_hang h = HALFOPEN_HANG_INIT;
  struct halfopen_kernel_timers timers = HALFOPEN_KERNEL_TIMERS_INIT;
  CHECK(halfopen_would_hang(&h, c.client) == 0 && h.idle_ms == HALFOPEN_FOR_EVER && h.in_flight_ms > 0);
  CHECK(halfopen_set_liveness(c.client, 10000) == 0);
  CHECK(option(c.client, TCP_KEEPIDLE) == 4 && option(c.client, TCP_KEEPINTVL) == 2);
  CHECK(option(c.client, TCP_KEEPCNT) == 3 && option(c.client, TCP_USER_TIMEOUT) == 9800);
  CHECK(halfopen_liveness_of(&has, c.client) == 0 && halfopen_noticed_within(&plan, 10000) == 0);
  CHECK(memcmp(&has, &plan, sizeof has) == 0);
  CHECK(has.keepalive == 1 && has.idle_s == 4 && has.interval_s == 2 && has.probes == 3);
  CHECK(has.user_timeout_ms == 9800);
  CHECK(halfopen_would_hang(&h, c.client) == 0 && h.idle_ms == 10000 && h.connecting_ms > 0);
  CHECK(halfopen_would_hang_with(&h, &plan, NULL) == 0 && h.idle_ms == 10000 && h.in_flight_ms == 10000);
  plan.user_timeout_ms = 0;
  timers.retries2 = 3;
  CHECK(halfopen_would_hang_with(&h, &plan, &timers) == 0 && h.in_flight_ms == 200 * 15);
  plan.user_timeout_ms = plan.idle_s = plan.probes = timers.rto_max_ms = timers.rto_min_ms = INT64_MAX;
  CHECK(halfopen_would_hang_with(&h, &plan, &timers) == 0 && h.in_flight_ms > 0);
  CHECK(halfopen_set_options(c.client, &plan) == EINVAL); /* the kernel's */
  plan = has;
  plan.idle_s = 5;
  CHECK(halfopen_set_options(c.client, &plan) == 0 && option(c.client, TCP_KEEPIDLE) == 5);
  CHECK(halfopen_read_kernel_timers(&timers) == 0 && timers.rto_min_ms > 0 && timers.keepalive_time_s > 0);

  errno = 12345;
  CHECK(halfopen_set_liveness(-1, 10000) == EBADF && halfopen_set_options(-1, &has) == EBADF);
  CHECK(halfopen_liveness_of(&has, -1) == EBADF && halfopen_would_hang(&h, -1) == EBADF);
  CHECK(halfopen_report_icmp(-1, 0) == EBADF && errno == 12345);
  close(c.client);
  close(c.server);
}

static void check_words(void) {
  struct halfopen_meaning m = HALFOPEN_MEANING_INIT;
  CHECK(halfopen_describe(&m, "peer_closed") == 0 && equal(m.name, "peer_closed") && m.error == 0);
  CHECK(m.endings[0] == HALFOPEN_PEER_CLOSED && m.endings[1] == HALFOPEN_NO_ENDING);
  CHECK(begins(m.means, "The peer sent a FIN where more bytes were owed.") && *m.causes && *m.advice);
  CHECK(halfopen_describe(&m, "awaiting_reply") == 0 && m.endings[0] == HALFOPEN_NO_ENDING && *m.means);
  CHECK(halfopen_describe(&m, "pointless") == 0 && equal(m.causes, "") && *m.advice);
  CHECK(halfopen_describe(&m, "econnreset") == 0 && m.error == ECONNRESET && equal(m.name, "ECONNRESET"));
  CHECK(m.endings[0] == HALFOPEN_PEER_RESET && m.endings[1] == HALFOPEN_PEER_REBOOTED);
  CHECK(m.endings[2] == HALFOPEN_ABORTED_BEFORE_ACCEPT && m.endings[3] == HALFOPEN_NO_ENDING);
  CHECK(equal(m.means, "Connection reset by peer"));
  CHECK(halfopen_describe(&m, "no such word") == ENOENT && halfopen_describe(&m, "") == ENOENT);

  CHECK(halfopen_ending_of(HALFOPEN_CONNECT, ECONNREFUSED) == HALFOPEN_REFUSED);
  CHECK(halfopen_ending_of(4, ECONNREFUSED) == HALFOPEN_NO_ENDING);
  CHECK(halfopen_ending_by_name("peer_vanished") == HALFOPEN_PEER_VANISHED);
  CHECK(halfopen_ending_by_name("?") == HALFOPEN_NO_ENDING &&
        halfopen_ending_by_name(NULL) == HALFOPEN_NO_ENDING);
  CHECK(equal(halfopen_phase_name(HALFOPEN_IDLE), "idle") && equal(halfopen_phase_name(5), "?"));
  CHECK(equal(halfopen_retry_name(HALFOPEN_SAFE), "safe") && equal(halfopen_retry_name(-1), "?"));
  CHECK(equal(halfopen_operation_name(HALFOPEN_WRITE), "write") && equal(halfopen_operation_name(256), "?"));
  CHECK(equal(halfopen_ending_name(-1), "?") && equal(halfopen_ending_name(14), "?"));
  CHECK(halfopen_version()[0] >= '0' && halfopen_version()[0] <= '9');
}

/* For as long as the library is called .so.1. A line here is never changed. */
static void check_values(void) {
  static const struct {
    int value;
    const char* name;
  } endings[] = {{0, "completed"},     {1, "refused"},          {2, "aborted_before_accept"},
                 {3, "peer_closed"},   {4, "peer_reset"},       {5, "broken_pipe"},
                 {6, "peer_vanished"}, {7, "host_unreachable"}, {8, "net_unreachable"},
                 {9, "peer_rebooted"}, {10, "deadline_passed"}, {11, "shut_down"},
                 {12, "malformed"},    {13, "local_failure"}};
  for (size_t i = 0; i < sizeof endings / sizeof *endings; ++i) {
    CHECK(equal(halfopen_ending_name(endings[i].value), endings[i].name));
    CHECK(halfopen_ending_by_name(endings[i].name) == endings[i].value);
  }
  CHECK(equal(halfopen_phase_name(0), "connecting") && equal(halfopen_phase_name(1), "idle"));
  CHECK(equal(halfopen_phase_name(2), "sending") && equal(halfopen_phase_name(3), "awaiting_reply"));
  CHECK(equal(halfopen_phase_name(4), "receiving_reply"));
  CHECK(equal(halfopen_retry_name(0), "safe") && equal(halfopen_retry_name(1), "unknown"));
  CHECK(equal(halfopen_retry_name(2), "pointless"));
  CHECK(equal(halfopen_operation_name(0), "connect") && equal(halfopen_operation_name(1), "accept"));
  CHECK(equal(halfopen_operation_name(2), "read") && equal(halfopen_operation_name(3), "write"));
  CHECK(HALFOPEN_NO_ENDING == -1 && HALFOPEN_BY_OPERATION == -1 && HALFOPEN_LOCAL_FAILURE == 13);
}

/* A caller that was compiled with a larger structure gets zeros, one with a smaller one EINVAL. */
static void check_sizes(void) {
  struct {
    struct halfopen_hang known;
    int64_t newer[3];
  } larger = {HALFOPEN_HANG_INIT, {7, 7, 7}};
  struct halfopen_liveness plan = HALFOPEN_LIVENESS_INIT;
  larger.known.size = (uint32_t)sizeof larger - (uint32_t)sizeof(int64_t);
  CHECK(halfopen_would_hang_with(&larger.known, &plan, NULL) == 0 && larger.known.in_flight_ms == 924600);
  CHECK(larger.newer[0] == 0 && larger.newer[1] == 0 && larger.newer[2] == 7);
  CHECK(larger.known.size == sizeof larger - sizeof(int64_t));

  struct halfopen_fate f = HALFOPEN_FATE_INIT;
  char line[8] = "before";
  f.size = 16;
  CHECK(halfopen_diagnose(&f, -1, HALFOPEN_READ, 0, HALFOPEN_BY_OPERATION) == EINVAL);
  CHECK(halfopen_to_string(&f, line, sizeof line) == 0 && equal(line, ""));
  CHECK(halfopen_to_string(NULL, line, sizeof line) == 0 && halfopen_explain(NULL, NULL, 0) == 0);
  f.size = sizeof f;
  CHECK(halfopen_diagnose(&f, -1, 4, 0, HALFOPEN_BY_OPERATION) == EINVAL);
  CHECK(halfopen_diagnose(&f, -1, -1, 0, HALFOPEN_BY_OPERATION) == EINVAL);
  CHECK(halfopen_diagnose(&f, -1, HALFOPEN_READ, 0, 5) == EINVAL);
  CHECK(halfopen_diagnose(&f, -1, HALFOPEN_READ, 0, -2) == EINVAL);
  CHECK(halfopen_diagnose(NULL, -1, HALFOPEN_READ, 0, HALFOPEN_BY_OPERATION) == EINVAL);
  CHECK(halfopen_diagnose(&f, -1, HALFOPEN_CONNECT, EMFILE, HALFOPEN_BY_OPERATION) == 0);
  CHECK(f.how == HALFOPEN_LOCAL_FAILURE && f.last_heard_ms == HALFOPEN_NOT_KNOWN);
  CHECK(halfopen_noticed_within(NULL, 1) == EINVAL &&
        halfopen_would_hang_with(&larger.known, NULL, NULL) == EINVAL);
  CHECK(halfopen_set_options(-1, NULL) == EINVAL && halfopen_describe(NULL, "idle") == EINVAL);
  CHECK(halfopen_read_kernel_timers(NULL) == EINVAL);
  struct halfopen_meaning m = HALFOPEN_MEANING_INIT;
  CHECK(halfopen_describe(&m, NULL) == EINVAL);
}

int main(void) {
  check_values();
  check_words();
  check_sizes();
  check_liveness();
  check_reset();
  check_fin();
  check_refused();
  check_broken_pipe_and_accept();
  printf("libhalfopen %s: %d failures\n", halfopen_version(), failures);
  return failures == 0 ? 0 : 1;
}
