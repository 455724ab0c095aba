// libevent with bufferevents, as its book recommends for such a server ("Bufferevents:
// concepts and basics"; sample/hello-world.c): it reads into the connection's own
// evbuffer and calls back, and what is written goes out when the socket is writable.
// That is an event of its own, with an epoll_ctl before and after it; the price of
// bufferevents, and why evbuffer_write() by hand would look better here.

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <array>
#include <csignal>
#include <memory>

#include "bench/peers/service.hpp"

namespace halfopen::bench {
namespace {

struct connection {
  sum_stream stream;
  bool last_words = false;  // it is over when all is written
};

void finish(bufferevent* events, connection* c) {
  bufferevent_free(events);
  delete c;
}

void on_event(bufferevent* events, short, void* context) {
  finish(events, static_cast<connection*>(context));  // the end, or an error
}

void on_written(bufferevent* events, void* context) {
  if (const auto c = static_cast<connection*>(context); c->last_words) finish(events, c);
}

void on_read(bufferevent* events, void* context) {
  const auto c = static_cast<connection*>(context);
  std::array<char, 4096> bytes;
  std::string replies;
  bool good = true;
  while (good) {
    const std::size_t size = bufferevent_read(events, bytes.data(), bytes.size());
    if (size == 0) break;
    good = c->stream.answer({bytes.data(), size}, replies);
  }
  if (!good) {
    c->last_words = true;
    bufferevent_disable(events, EV_READ);
  }
  if (!replies.empty()) bufferevent_write(events, replies.data(), replies.size());
}

void on_accept(evconnlistener* listener, evutil_socket_t fd, sockaddr*, int, void*) {
  bufferevent* events = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
  bufferevent_setcb(events, on_read, on_written, on_event, new connection);
  bufferevent_enable(events, EV_READ | EV_WRITE);
}

void on_signal(evutil_socket_t, short, void* base) {
  event_base_loopbreak(static_cast<event_base*>(base));
}

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  namespace bench = halfopen::bench;
  return bench::run_peer([&] {
    const int fd = bench::take_listener(argc, argv);
    const std::unique_ptr<event_base, decltype(&event_base_free)> base(event_base_new(), event_base_free);
    const std::unique_ptr<evconnlistener, decltype(&evconnlistener_free)> listener(
        evconnlistener_new(base.get(), bench::on_accept, nullptr, LEV_OPT_CLOSE_ON_FREE, 0, fd),
        evconnlistener_free);
    const std::unique_ptr<event, decltype(&event_free)> term(
        evsignal_new(base.get(), SIGTERM, bench::on_signal, base.get()), event_free);
    event_add(term.get(), nullptr);
    bench::announce(bench::port_of(fd));
    event_base_dispatch(base.get());
  });
}
