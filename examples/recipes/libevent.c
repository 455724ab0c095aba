/* libevent: in a bufferevent's event callback EVUTIL_SOCKET_ERROR() is the errno, and BEV_EVENT_READING and
 * BEV_EVENT_WRITING tell which call it was. It asks a line and reads a line.
 *
 *     cc -o libevent libevent.c $(pkg-config --cflags --libs halfopen libevent)
 *     ./libevent 127.0.0.1 7
 */

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <halfopen/halfopen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct event_base* base;
static int open_yet = 0;
static int exit_code = 0;

static void ended(struct bufferevent* connection, short what, int error) {
  struct halfopen_fate f = HALFOPEN_FATE_INIT;
  char line[256];
  const int during = !open_yet ? HALFOPEN_CONNECT : what & BEV_EVENT_WRITING ? HALFOPEN_WRITE : HALFOPEN_READ;
  const int in_reply = during == HALFOPEN_READ && evbuffer_get_length(bufferevent_get_input(connection)) > 0;
  halfopen_diagnose(&f, bufferevent_getfd(connection), during, error,
                    in_reply ? HALFOPEN_RECEIVING_REPLY : HALFOPEN_BY_OPERATION);
  halfopen_to_string(&f, line, sizeof line);
  puts(line);
  exit_code = 1;
  event_base_loopbreak(base);
}

static void came(struct bufferevent* connection, void* unused) {
  (void)unused;
  /* A line that is not whole stays in the buffer. */
  char* line = evbuffer_readln(bufferevent_get_input(connection), NULL, EVBUFFER_EOL_LF);
  if (line) event_base_loopbreak(base);
  free(line);
}

static void happened(struct bufferevent* connection, short what, void* unused) {
  const int error = EVUTIL_SOCKET_ERROR();
  (void)unused;
  if (what & BEV_EVENT_CONNECTED) {
    open_yet = 1;
    halfopen_set_liveness(bufferevent_getfd(connection), 10000); /* a dead peer is noticed within 10 s */
    bufferevent_write(connection, "ask\n", 4);
  } else {
    ended(connection, what, what & BEV_EVENT_EOF ? 0 : error);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  struct sockaddr_in to;
  memset(&to, 0, sizeof to);
  to.sin_family = AF_INET;
  to.sin_port = htons((uint16_t)atoi(argv[2]));
  inet_pton(AF_INET, argv[1], &to.sin_addr);
  base = event_base_new();
  struct bufferevent* connection = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
  bufferevent_setcb(connection, came, NULL, happened, NULL);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
  bufferevent_socket_connect(connection, (struct sockaddr*)&to, sizeof to);
  event_base_dispatch(base);
  bufferevent_free(connection);
  event_base_free(base);
  return exit_code;
}
