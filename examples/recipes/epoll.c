/* Plain epoll: liveness from one number, and how the connection ended. It asks a line and reads a line.
 *
 *     cc -o epoll epoll.c $(pkg-config --cflags --libs halfopen)
 *     ./epoll 127.0.0.1 7
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <halfopen/halfopen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Call it before close(2): it asks the kernel. */
static int ended(int fd, int during, int error, int when) {
  struct halfopen_fate f = HALFOPEN_FATE_INIT;
  char line[256];
  halfopen_diagnose(&f, fd, during, error, when);
  halfopen_to_string(&f, line, sizeof line);
  puts(line);
  close(fd);
  return 1;
}

static void wait_for(int poll, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.fd = fd}};
  epoll_ctl(poll, EPOLL_CTL_DEL, fd, NULL);
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  while (epoll_wait(poll, &event, 1, -1) < 0 && errno == EINTR) continue;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &to.sin_addr);
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr*)&to, sizeof to) < 0 && errno != EINPROGRESS)
    return ended(fd, HALFOPEN_CONNECT, errno, HALFOPEN_BY_OPERATION);
  wait_for(poll, fd, EPOLLOUT);
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return ended(fd, HALFOPEN_CONNECT, error, HALFOPEN_BY_OPERATION);

  halfopen_set_liveness(fd, 10000); /* a dead peer is noticed within 10 s */

  if (send(fd, "ask\n", 4, MSG_NOSIGNAL) < 0) return ended(fd, HALFOPEN_WRITE, errno, HALFOPEN_BY_OPERATION);
  for (int when = HALFOPEN_AWAITING_REPLY;; when = HALFOPEN_RECEIVING_REPLY) {
    char bytes[256];
    wait_for(poll, fd, EPOLLIN);
    const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) return ended(fd, HALFOPEN_READ, got < 0 ? errno : 0, when);
    if (memchr(bytes, '\n', (size_t)got)) break;
  }
  close(fd);
  return 0;
}
