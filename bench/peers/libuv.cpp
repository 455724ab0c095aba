// libuv as its guide's echo server (docs/code/tcp-echo-server/main.c), with what one
// changes for speed: one read buffer for all connections, since a callback uses it up
// before the next read, and uv_try_write(), which needs no request; what it leaves
// goes to uv_write(). That is the fastest of the ways that the guide and the manual
// name: uv_write() alone also sends at once, but reports it in another turn of the loop.

#include <uv.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "bench/peers/service.hpp"

namespace halfopen::bench {
namespace {

struct connection {
  uv_tcp_t socket{};
  sum_stream stream;
};

struct write {
  uv_write_t request{};
  std::string bytes;
  bool last_words = false;
};

uv_stream_t* stream_of(connection& c) {
  return reinterpret_cast<uv_stream_t*>(&c.socket);
}

void finish(connection& c) {
  const auto handle = reinterpret_cast<uv_handle_t*>(&c.socket);
  if (uv_is_closing(handle) != 0) return;
  uv_close(handle, [](uv_handle_t* closed) { delete static_cast<connection*>(closed->data); });
}

void give_buffer(uv_handle_t*, std::size_t, uv_buf_t* buffer) {
  static std::array<char, 65536> bytes;
  *buffer = uv_buf_init(bytes.data(), bytes.size());
}

void write_later(connection& c, std::string bytes, bool last_words) {
  auto* later = new write{{}, std::move(bytes), last_words};
  later->request.data = later;
  const uv_buf_t rest = uv_buf_init(later->bytes.data(), static_cast<unsigned>(later->bytes.size()));
  const int error = uv_write(&later->request, stream_of(c), &rest, 1, [](uv_write_t* request, int status) {
    const std::unique_ptr<write> done(static_cast<write*>(request->data));
    if (status < 0 || done->last_words) finish(*static_cast<connection*>(request->handle->data));
  });
  if (error == 0) return;
  delete later;
  finish(c);
}

void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  connection& c = *static_cast<connection*>(stream->data);
  if (size < 0) return finish(c);
  static std::string replies;
  replies.clear();
  const bool good = c.stream.answer({buffer->base, static_cast<std::size_t>(size)}, replies);
  if (!good) uv_read_stop(stream);
  if (replies.empty()) return;
  const uv_buf_t all = uv_buf_init(replies.data(), static_cast<unsigned>(replies.size()));
  const int written = uv_try_write(stream, &all, 1);
  if (written < 0 && written != UV_EAGAIN) return finish(c);
  const std::size_t done = written < 0 ? 0 : static_cast<std::size_t>(written);
  if (done < replies.size())
    write_later(c, replies.substr(done), !good);
  else if (!good)
    finish(c);
}

void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* c = new connection;
  uv_tcp_init(listener->loop, &c->socket);
  c->socket.data = c;
  if (uv_accept(listener, stream_of(*c)) != 0) return finish(*c);
  uv_read_start(stream_of(*c), give_buffer, on_read);
}

void check(int status) {
  if (status < 0) throw std::runtime_error(uv_strerror(status));
}

void run(int argc, char** argv) {
  const int fd = take_listener(argc, argv);
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener;
  check(uv_tcp_init(loop, &listener));
  check(uv_tcp_open(&listener, fd));
  check(uv_listen(reinterpret_cast<uv_stream_t*>(&listener), SOMAXCONN, on_connection));
  uv_signal_t term;
  check(uv_signal_init(loop, &term));
  check(uv_signal_start(&term, [](uv_signal_t* handle, int) { uv_stop(handle->loop); }, SIGTERM));
  announce(port_of(fd));
  uv_run(loop, UV_RUN_DEFAULT);
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  return halfopen::bench::run_peer([&] { halfopen::bench::run(argc, argv); });
}
