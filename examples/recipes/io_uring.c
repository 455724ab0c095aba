/* io_uring: a completion's negative result is the errno. It asks a line and reads a line.
 *
 *     cc -o io_uring io_uring.c $(pkg-config --cflags --libs halfopen liburing)
 *     ./io_uring 127.0.0.1 7
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <halfopen/halfopen.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ended(int fd, int during, int error, int when) {
  struct halfopen_fate f = HALFOPEN_FATE_INIT;
  char line[256];
  halfopen_diagnose(&f, fd, during, error, when);
  halfopen_to_string(&f, line, sizeof line);
  puts(line);
  close(fd);
  return 1;
}

/* What the one entry that was prepared came to. */
static int result_of(struct io_uring* ring) {
  struct io_uring_cqe* done;
  io_uring_submit(ring);
  if (io_uring_wait_cqe(ring, &done) < 0) abort();
  const int result = done->res;
  io_uring_cqe_seen(ring, done);
  return result;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  struct io_uring ring;
  const int refused = io_uring_queue_init(8, &ring, 0);
  if (refused < 0) {
    printf("skipped: this kernel refuses io_uring: %s\n", strerror(-refused));
    return 77;
  }
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &to.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  io_uring_prep_connect(io_uring_get_sqe(&ring), fd, (struct sockaddr*)&to, sizeof to);
  int result = result_of(&ring);
  if (result < 0) return ended(fd, HALFOPEN_CONNECT, -result, HALFOPEN_BY_OPERATION);

  halfopen_set_liveness(fd, 10000); /* a dead peer is noticed within 10 s */

  io_uring_prep_send(io_uring_get_sqe(&ring), fd, "ask\n", 4, MSG_NOSIGNAL);
  result = result_of(&ring);
  if (result < 0) return ended(fd, HALFOPEN_WRITE, -result, HALFOPEN_BY_OPERATION);
  for (int when = HALFOPEN_AWAITING_REPLY;; when = HALFOPEN_RECEIVING_REPLY) {
    char bytes[256];
    io_uring_prep_recv(io_uring_get_sqe(&ring), fd, bytes, sizeof bytes, 0);
    result = result_of(&ring);
    if (result <= 0) return ended(fd, HALFOPEN_READ, -result, when);
    if (memchr(bytes, '\n', (size_t)result)) break;
  }
  close(fd);
  io_uring_queue_exit(&ring);
  return 0;
}
