/* libuv: its status is the errno with a minus, and uv_fileno() has the descriptor. uv_tcp_keepalive() sets
 * less: neither the interval and the count of probes nor TCP_USER_TIMEOUT, which alone is heeded with data in
 * flight. It asks a line and reads a line.
 *
 *     cc -o libuv libuv.c $(pkg-config --cflags --libs halfopen libuv)
 *     ./libuv 127.0.0.1 7
 */

#include <halfopen/halfopen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static uv_tcp_t tcp;
static int when = HALFOPEN_AWAITING_REPLY;
static int exit_code = 0;

static int descriptor(void) {
  uv_os_fd_t fd = -1;
  uv_fileno((uv_handle_t*)&tcp, &fd);
  return fd;
}

static void ended(int during, int status) {
  struct halfopen_fate f = HALFOPEN_FATE_INIT;
  char line[256];
  const int error = status == UV_EOF ? 0 : -status;
  halfopen_diagnose(&f, descriptor(), during, error, during == HALFOPEN_READ ? when : HALFOPEN_BY_OPERATION);
  halfopen_to_string(&f, line, sizeof line);
  puts(line);
  exit_code = 1;
  uv_close((uv_handle_t*)&tcp, NULL);
}

static void room(uv_handle_t* handle, size_t wanted, uv_buf_t* buffer) {
  static char bytes[256];
  (void)handle, (void)wanted;
  *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void came(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer) {
  (void)stream;
  if (got < 0) {
    ended(HALFOPEN_READ, (int)got);
    return;
  }
  if (got > 0) when = HALFOPEN_RECEIVING_REPLY;
  if (memchr(buffer->base, '\n', (size_t)got)) uv_close((uv_handle_t*)&tcp, NULL);
}

static void written(uv_write_t* request, int status) {
  (void)request;
  if (status < 0 && !uv_is_closing((uv_handle_t*)&tcp)) ended(HALFOPEN_WRITE, status);
}

static void opened(uv_connect_t* request, int status) {
  static uv_write_t writing;
  static uv_buf_t ask = {.base = "ask\n", .len = 4};
  (void)request;
  if (status < 0) {
    ended(HALFOPEN_CONNECT, status);
    return;
  }
  halfopen_set_liveness(descriptor(), 10000); /* a dead peer is noticed within 10 s */
  uv_read_start((uv_stream_t*)&tcp, room, came);
  uv_write(&writing, (uv_stream_t*)&tcp, &ask, 1, written);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  struct sockaddr_in to;
  uv_connect_t request;
  uv_ip4_addr(argv[1], atoi(argv[2]), &to);
  uv_tcp_init(uv_default_loop(), &tcp);
  uv_tcp_connect(&request, &tcp, (struct sockaddr*)&to, opened);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  return exit_code;
}
