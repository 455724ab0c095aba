// The limit: what one processor can do with epoll and nothing in between. A library
// that has to serve everybody cannot be faster than a loop that serves one protocol,
// so every server is measured by it.
//
// A request costs one recv and one send, and its share of an epoll_wait:
// - Edge-triggered, and registered once for reading and writing: no epoll_ctl later,
//   and the kernel does not look again at each connection that it has reported, as it
//   does level-triggered (ep_send_events() in fs/eventpoll.c puts those back).
// - No second recv to see EAGAIN: one that did not fill the buffer has emptied the
//   socket (epoll(7), "Questions and answers", 9). An end of file or an error that
//   came before that recv makes no new edge, so it is taken from the event.
// - Replies to all requests of a recv go out in one send, at once; the socket was
//   writable unless an earlier send has said otherwise.
// io_uring would save system calls and not the work in TCP; a library on epoll must
// be held against epoll.
//
// It is correct: half a request, half a reply, bytes that are no request, a reader
// that does not read. On SIGTERM it answers what was asked and says goodbye with a
// FIN, so that it can be restarted under load.

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <array>
#include <memory>
#include <unordered_map>

#include "bench/peers/service.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::bench {
namespace {

constexpr int limit_of_goodbye_ms = 1000;
constexpr std::uint32_t hang_up = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

struct connection {
  lab::unique_fd fd;
  sum_stream stream;
  std::string unsent;
  bool last_words = false;  // it is over when `unsent` is sent
  bool leaving = false;     // we have sent our FIN and wait for theirs
};

class loop {
 public:
  explicit loop(int listener) : listener_(listener) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signals_.reset(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    watch(listener_, EPOLLIN, &listener_);
    watch(signals_.get(), EPOLLIN, &signals_);
  }

  void run() {
    while (!stopping_ || !connections_.empty()) {
      const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                     stopping_ ? limit_of_goodbye_ms : -1);
      if (count == 0) return;
      for (int i = 0; i < count; ++i) handle(events_[static_cast<std::size_t>(i)]);
    }
  }

 private:
  void watch(int fd, std::uint32_t events, void* what) {
    epoll_event e{};
    e.events = events;
    e.data.ptr = what;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e);
  }

  void handle(const epoll_event& event) {
    if (event.data.ptr == &listener_) return accept_all();
    if (event.data.ptr == &signals_) return stop();
    connection& c = *static_cast<connection*>(event.data.ptr);
    if (!work(c, (event.events & hang_up) != 0)) connections_.erase(c.fd.get());
  }

  void accept_all() {
    for (;;) {
      lab::unique_fd fd(::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd) return;  // EAGAIN; an error that concerns one connection comes again as an event
      const int number = fd.get();
      auto& c = connections_[number] = std::make_unique<connection>();
      c->fd = std::move(fd);
      watch(number, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c.get());
    }
  }

  // False: the connection is over.
  bool work(connection& c, bool until_empty) {
    if (!c.unsent.empty()) {
      if (!flush(c)) return false;
      if (!c.unsent.empty()) return true;  // who reads no replies is not read from either
      until_empty = true;                  // what came meanwhile made its edge already
    }
    for (;;) {
      const ssize_t size = ::recv(c.fd.get(), buffer_.data(), buffer_.size(), 0);
      if (size == 0) return false;
      if (size < 0) return errno == EAGAIN || errno == EINTR;
      if (!c.leaving && !answer(c, {buffer_.data(), static_cast<std::size_t>(size)})) return false;
      if (!c.unsent.empty()) return true;
      if (static_cast<std::size_t>(size) < buffer_.size() && !until_empty) return true;
    }
  }

  bool answer(connection& c, std::string_view bytes) {
    replies_.clear();
    const bool good = c.stream.answer(bytes, replies_);
    if (replies_.empty()) return true;
    const ssize_t sent = ::send(c.fd.get(), replies_.data(), replies_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    c.unsent.assign(replies_, sent < 0 ? 0 : static_cast<std::size_t>(sent));
    c.last_words = !good;
    return good || !c.unsent.empty();
  }

  static bool flush(connection& c) {
    const ssize_t sent = ::send(c.fd.get(), c.unsent.data(), c.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    c.unsent.erase(0, static_cast<std::size_t>(sent));
    if (c.unsent.empty()) std::string{}.swap(c.unsent);
    return !c.unsent.empty() || !c.last_words;
  }

  void stop() {
    stopping_ = true;
    // Closing it would not do: the socket is also another process's, and stays in the epoll set.
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_, nullptr);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, signals_.get(), nullptr);
    std::erase_if(connections_, [&](auto& entry) {
      connection& c = *entry.second;
      if (!work(c, true)) return true;
      c.leaving = true;
      return ::shutdown(c.fd.get(), SHUT_WR) != 0;
    });
  }

  int listener_;
  lab::unique_fd signals_;
  lab::unique_fd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::unordered_map<int, std::unique_ptr<connection>> connections_;
  std::array<epoll_event, 1024> events_{};
  std::array<char, 65536> buffer_{};
  std::string replies_;
  bool stopping_ = false;
};

}  // namespace
}  // namespace halfopen::bench

int main(int argc, char** argv) {
  return halfopen::bench::run_peer([&] {
    const int listener = halfopen::bench::take_listener(argc, argv);
    halfopen::bench::loop all(listener);
    halfopen::bench::announce(halfopen::bench::port_of(listener));
    all.run();
  });
}
