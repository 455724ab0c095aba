// The server that survives the seven situations, on poll() and nothing else:
//
// - The listener does not block, so a connection that is gone when accept() is called
//   costs nothing; errors that concern one connection (accept(2), "Error handling") are
//   passed over, and when descriptors or memory run out it pauses instead of spinning,
//   since the listener stays readable.
// - Each connection has buffers of its own, so half a request keeps nobody waiting and
//   two requests in a segment are both answered. Who reads no replies is not read from
//   either (the high-water mark).
// - MSG_NOSIGNAL instead of ignoring SIGPIPE: the disposition belongs to the program.
// - A connection is closed in two steps. close() with unread bytes sends an RST (RFC
//   2525 section 2.17; __tcp_close() in net/ipv4/tcp.c), which can overtake the reply:
//   so first shutdown(SHUT_WR), then read and forget until the peer's FIN or a limit.
// - SIGTERM through a signalfd, in the same poll(): no handler, no flag to race with.
//   Closing a listener resets the connections in its queue (inet_csk_listen_stop()), so
//   these are accepted first.
// - SO_REUSEADDR, so that it can be started again while old connections are in
//   TIME_WAIT.
//
// epoll would scale further than poll's linear scan; a demonstration server has few
// connections, and one array that is built anew each round has no state to get wrong.

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <list>
#include <vector>

#include "pair/dialogue.hpp"
#include "pair/endings.hpp"
#include "pair/kinds.hpp"
#include "pair/sockets.hpp"

namespace halfopen::pair {
namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

constexpr milliseconds accept_pause{100};   // when descriptors or memory have run out
constexpr milliseconds linger_limit{1000};  // for the peer's FIN after ours
constexpr int accepts_a_round = 64;         // so that old connections get their turn
constexpr int accepts_at_the_end = 4096;    // what a queue can hold (net.core.somaxconn)

// One client. It is over when gone() says so; destroying it closes it.
class connection {
 public:
  connection(descriptor fd, std::string name, const serve_options& options)
      : fd_(std::move(fd)), name_(std::move(name)), talk_(options), high_water_(options.high_water) {}

  [[nodiscard]] pollfd watch() const noexcept {
    int events = 0;
    if (reads()) events |= POLLIN;
    if (!out_.empty()) events |= POLLOUT;
    return {fd_.get(), static_cast<short>(events), 0};
  }

  void on_ready(int revents, clock::time_point now) {
    // POLLHUP and POLLERR come unasked; recv or, with bytes to send, send tells why.
    if (reads() && (revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive();
    if (!gone() && !lingering_) work(now);
  }

  void on_time(clock::time_point now) {
    if (lingering_ && now >= linger_until_) fd_.reset();
  }

  // Told to stop: closes unless something is owed. Bytes that the kernel holds count as asked.
  void close_if_idle(clock::time_point now) {
    int unread = 0;
    static_cast<void>(::ioctl(fd_.get(), FIONREAD, &unread));
    if (!lingering_ && out_.empty() && !talk_.mid_request() && unread == 0) linger(now);
  }

  [[nodiscard]] bool gone() const noexcept { return !fd_; }
  [[nodiscard]] clock::time_point deadline() const noexcept {
    return lingering_ ? linger_until_ : clock::time_point::max();
  }

 private:
  [[nodiscard]] bool reads() const noexcept {
    return lingering_ || (!peer_done_ && !talk_.wrong() && out_.size() < high_water_);
  }

  void receive() {
    std::array<char, 65536> bytes;
    const ssize_t size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    if (size < 0) {
      if (errno != EAGAIN && errno != EINTR) fail("read", errno);
    } else if (lingering_) {
      if (size == 0) fd_.reset();
    } else if (size == 0) {
      peer_done_ = true;
    } else {
      talk_.feed({bytes.data(), static_cast<std::size_t>(size)});
    }
  }

  // Answers and sends by turns until one of them can do no more, then closes if all is said.
  void work(clock::time_point now) {
    for (;;) {
      const bool was_wrong = talk_.wrong().has_value();
      talk_.answer(out_);
      if (talk_.wrong() && !was_wrong) report(ending::malformed, describe(*talk_.wrong()));
      if (out_.empty()) break;
      if (!send_some()) return;
    }
    if (talk_.wrong()) return linger(now);
    if (!peer_done_) return;
    // The client may have shut only its writing side; its replies are sent by now.
    if (talk_.mid_request()) report(ending::peer_closed, "read: end-of-file");
    fd_.reset();
  }

  bool send_some() {
    const ssize_t size = ::send(fd_.get(), out_.view().data(), out_.size(), MSG_NOSIGNAL);
    if (size >= 0) {
      out_.consume(static_cast<std::size_t>(size));
      return true;
    }
    if (errno != EAGAIN && errno != EINTR) fail("write", errno);
    return false;
  }

  void linger(clock::time_point now) {
    if (::shutdown(fd_.get(), SHUT_WR) != 0) return fd_.reset();  // ENOTCONN: it was reset
    lingering_ = true;
    linger_until_ = now + linger_limit;
  }

  void fail(std::string_view operation, int error) {
    if (!lingering_)  // else everything was said, and what the peer does is its affair
      report(ending_of(error), fmt::format("{}: {}", operation, errno_text(error)));
    fd_.reset();
  }

  void report(std::optional<ending> e, std::string_view why) const {
    fmt::print(stderr, "serve: {}: {}: {}\n", name_, word(e), why);
  }

  descriptor fd_;
  std::string name_;
  answering talk_;
  wire::byte_queue out_;
  std::size_t high_water_;
  bool peer_done_ = false;
  bool lingering_ = false;
  clock::time_point linger_until_{};
};

// SIGTERM and SIGINT as a descriptor. A blocked signal is queued even for a namespace's
// process 1, whose default is to ignore it (sig_task_ignored() in kernel/signal.c).
class stop_signals {
 public:
  stop_signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
    fd_.reset(::signalfd(-1, &set_, SFD_NONBLOCK | SFD_CLOEXEC));
  }
  ~stop_signals() {
    take();  // a second SIGTERM must not kill when it is unblocked
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  void take() const noexcept {
    signalfd_siginfo info;
    while (::read(fd_.get(), &info, sizeof info) > 0) {
    }
  }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  sigset_t set_{};
  sigset_t before_{};
  descriptor fd_;
};

class server {
 public:
  server(descriptor listener, const serve_options& options)
      : listener_(std::move(listener)), options_(options) {}

  int run() {
    while (!stopping_ || (!connections_.empty() && clock::now() < stop_by_)) round();
    if (!connections_.empty())
      fmt::print(stderr, "serve: the grace is over, connections cut off: {}\n", connections_.size());
    return status_;
  }

 private:
  void round() {
    std::vector<pollfd> watched{{signals_.fd(), POLLIN, 0},
                                {accepts(clock::now()) ? listener_.get() : -1, POLLIN, 0}};
    for (const connection& c : connections_) watched.push_back(c.watch());
    if (::poll(watched.data(), watched.size(), patience()) < 0) return;  // EINTR, or ENOMEM that passes

    const auto now = clock::now();
    std::size_t i = 2;
    for (connection& c : connections_) {
      if (const int revents = watched[i++].revents; revents != 0) c.on_ready(revents, now);
      if (!c.gone()) c.on_time(now);
    }
    if (watched[1].revents != 0) accept_some(now, accepts_a_round);
    if (watched[0].revents != 0) stop(now);
    if (stopping_)
      for (connection& c : connections_)
        if (!c.gone()) c.close_if_idle(now);
    std::erase_if(connections_, [](const connection& c) { return c.gone(); });
  }

  [[nodiscard]] bool accepts(clock::time_point now) const noexcept {
    return listener_ && now >= accept_again_;
  }

  // Until the next timer, for poll(): rounded up, lest it spin through the last millisecond.
  [[nodiscard]] int patience() const {
    const auto now = clock::now();
    auto next = clock::time_point::max();
    for (const connection& c : connections_) next = std::min(next, c.deadline());
    if (listener_ && accept_again_ > now) next = std::min(next, accept_again_);
    if (stopping_) next = std::min(next, stop_by_);
    if (next == clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<milliseconds>(next - now).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void accept_some(clock::time_point now, int most) {
    for (int i = 0; i < most; ++i)
      if (!accept_one(now)) return;
  }

  // Whether to try for another.
  bool accept_one(clock::time_point now) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    descriptor fd{::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                            SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!fd) return survive(errno, now);
    out_of_resources_ = false;
    set_liveness(fd.get(), options_.notice_within);
    connections_.emplace_back(std::move(fd), address_text(address, size), options_);
    return true;
  }

  // What an error of accept means for the listener; false: not now.
  bool survive(int error, clock::time_point now) {
    switch (error) {
      case EAGAIN:
        return false;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        if (!out_of_resources_)
          fmt::print(stderr, "serve: accept: {}; trying again every {} ms\n", errno_text(error),
                     accept_pause.count());
        out_of_resources_ = true;
        accept_again_ = now + accept_pause;
        return false;
      case EBADF:
      case EFAULT:
      case EINVAL:
      case ENOTSOCK:
        fmt::print(stderr, "serve: accept: {}\n", errno_text(error));
        status_ = 1;
        stop(now);
        return false;
      default:  // of the connection that is gone, or EINTR: the next one may be well
        return true;
    }
  }

  void stop(clock::time_point now) {
    signals_.take();
    if (stopping_) return;
    stopping_ = true;
    // The process itself needs a moment to end.
    stop_by_ = now + options_.grace - std::min(options_.grace / 10, milliseconds{100});
    if (status_ == 0) accept_some(now, accepts_at_the_end);
    listener_.reset();
  }

  descriptor listener_;
  const serve_options& options_;
  stop_signals signals_;
  std::list<connection> connections_;
  clock::time_point accept_again_{};
  bool out_of_resources_ = false;
  bool stopping_ = false;
  clock::time_point stop_by_{};
  int status_ = 0;
};

}  // namespace

int serve_robustly(const serve_options& options) {
  auto listener =
      listen_on({options.listen_address, std::to_string(options.port)}, true, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (!listener) {
    fmt::print(stderr, "serve: {}\n", listener.error());
    return 1;
  }
  const std::string where = local_address(listener->get());
  server s{std::move(*listener), options};  // takes the signals before it says that it is ready
  fmt::print("listening on {}\n", where);
  std::fflush(stdout);
  return s.run();
}

}  // namespace halfopen::pair
