// An accept loop that only its own listener can end.
//
// What accept(2) may return for a connection that was reset in the queue is the kernel's
// choice: on Linux a socket that is dead, elsewhere ECONNABORTED or EPROTO, or nothing at
// all, so that a blocking accept blocks: hence nonblocking. Linux also passes on errors
// that are already pending for the new socket (ENETDOWN ... "treat them like EAGAIN",
// accept(2), Error handling).
//
// Out of descriptors, the listener stays readable, and accepting again at once would spin.
// It pauses. Those who wait in the queue meanwhile would wait in vain: one descriptor is
// kept in reserve, given up, used to accept them and say FIN, and taken again. (EMFILE
// only: under ENFILE somebody else takes it first, and for want of memory it is no help.)
//
// The options of a connection are set once on the listener and inherited
// (tcp_create_openreq_child() in net/ipv4/tcp_minisocks.c copies the socket): accepting
// one costs accept4, getpeername to see whether it lives, and epoll_ctl.

#include "halfopen/listener.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "fate/make_fate.hpp"
#include "halfopen/liveness.hpp"
#include "net/channel.hpp"
#include "net/connection_limits.hpp"
#include "net/local_socket.hpp"
#include "net/stream_state.hpp"

namespace halfopen {
namespace {

using asio::ip::tcp;
using net::channel;
using net::direction;

/// How many of those who wait are told in one go that there is no room.
constexpr int turned_away_at_once = 64;
/// How many connections are accepted, dead ones included, before others get their turn.
constexpr int accepted_at_once = 16;
/// How many errors in a row are believed to be those of single connections.
constexpr int errors_in_a_row = 1024;

unique_fd a_spare_descriptor() noexcept {
  return unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

fate local_failure(std::string_view detail, int error) {
  return of_local_failure(accepting, detail, error);
}

/// What an error of accept means for the listener.
enum class meaning : std::uint8_t { nothing_here, that_connection, no_room, the_end };

meaning meaning_of(int error) noexcept {
  switch (error) {
    case EAGAIN:
      return meaning::nothing_here;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return meaning::no_room;
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ENOTSOCK:
      return meaning::the_end;
    default:  // of one connection that is gone, EPERM by a firewall, EINTR: the next may be well
      return meaning::that_connection;
  }
}

struct accepted {
  unique_fd fd;
  tcp::endpoint peer;
};

accepted accept_one(int listening) noexcept {
  accepted made;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  made.fd.reset(
      ::accept4(listening, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (made.fd) made.peer = net::endpoint_of(from);
  return made;
}

bool is_dead(int fd) noexcept {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 && errno == ENOTCONN;
}

}  // namespace

struct listener::state {
  state(const asio::any_io_executor& executor, unique_fd fd, listen_options how)
      : options(std::move(how)), wire(executor, std::move(fd)), pause(executor), spare(a_spare_descriptor()) {
    if (options.limits) ledger = options.limits->ledger_;
  }

  void tell(accept_event::kind what, const fate& why = {}, const tcp::endpoint& peer = {}) const {
    if (options.tell) options.tell({what, why, peer});
  }

  /// A connection to hand over, in the place reserved for it; none if it is dead or turned away.
  std::optional<stream> admit(accepted made);
  void on_no_room(int error);
  void turn_away_waiting();
  asio::awaitable<void> wait_until(deadline when);
  void ask_for_room();

  listen_options options;
  channel wire;
  const bool internet = net::is_internet(wire.fd());  // or else a Unix socket
  net::socket_file file{};
  asio::steady_timer pause;
  unique_fd spare;
  std::shared_ptr<connection_limits::ledger> ledger;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  int unbroken = 0;  // accepts since others had their turn
  int errors = 0;    // since one succeeded
  bool stopped = false;
  bool out_of_room = false;
  bool pausing = false;
  bool waits_for_room = false;  // the ledger will tell
};

std::optional<stream> listener::state::admit(accepted made) {
  if (std::exchange(out_of_room, false)) tell(accept_event::kind::recovered);
  if (!spare) spare = a_spare_descriptor();
  if (is_dead(made.fd.get())) {
    if (ledger) ledger->give_back_reserved();
    tell(accept_event::kind::aborted, diagnose(made.fd.get(), operation::accept, 0, phase::connecting),
         made.peer);
    return std::nullopt;
  }
  std::shared_ptr<void> ticket;
  if (ledger) {
    ticket = ledger->admit(made.peer.address());
    if (!ticket) {
      tell(accept_event::kind::turned_away, local_failure("too many connections from one address", 0),
           made.peer);
      return std::nullopt;
    }
  }
  try {
    auto s = std::make_unique<net::stream_state>(wire.executor(), std::move(made.fd));
    if (internet) s->inherit_options(options.connection);
    s->set_peer(made.peer);
    s->hold(std::move(ticket));
    return net::stream_state::make(std::move(s));
  } catch (const std::system_error& e) {  // no watch left (epoll(7), max_user_watches)
    tell(accept_event::kind::turned_away, local_failure("epoll_ctl", e.code().value()), made.peer);
    return std::nullopt;
  }
}

void listener::state::on_no_room(int error) {
  if (!std::exchange(out_of_room, true)) tell(accept_event::kind::out_of_room, local_failure({}, error));
  if (error == EMFILE) turn_away_waiting();
  pausing = true;
}

void listener::state::turn_away_waiting() {
  for (int i = 0; i < turned_away_at_once && spare; ++i) {
    spare.reset();
    accepted made = accept_one(wire.fd());
    const bool more = made.fd || meaning_of(errno) == meaning::that_connection;
    if (made.fd) tell(accept_event::kind::turned_away, local_failure({}, EMFILE), made.peer);
    made.fd.reset();
    spare = a_spare_descriptor();
    if (!more) return;
  }
}

/// Until then, or until stop() or a cancellation.
asio::awaitable<void> listener::state::wait_until(deadline when) {
  pause.expires_at(when.at());
  asio::error_code woken;
  co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

/// Has wait_until() ended when there are fewer connections than the limit.
void listener::state::ask_for_room() {
  if (std::exchange(waits_for_room, true)) return;  // of an accept whose deadline came first
  tell(accept_event::kind::at_the_limit);
  ledger->when_there_is_room([this, guard = std::weak_ptr(alive), executor = wire.executor()] {
    if (guard.expired()) return;
    asio::post(executor, [this, guard] {
      if (guard.expired()) return;
      waits_for_room = false;
      pause.cancel();
    });
  });
}

asio::awaitable<std::expected<stream, fate>> listener::accept(deadline limit) {
  state& s = *state_;
  for (;;) {
    if (s.stopped || net::is_cancelled(co_await asio::this_coro::cancellation_state))
      co_return std::unexpected(of_stop(accepting));
    if (limit.passed()) co_return std::unexpected(of_deadline(accepting));
    if (std::exchange(s.pausing, false)) {
      co_await s.wait_until(min(deadline(s.options.pause), limit));
      continue;
    }
    if (s.ledger && !s.ledger->reserve()) {
      s.ask_for_room();
      co_await s.wait_until(limit);
      continue;
    }
    if (++s.unbroken > accepted_at_once) {
      s.unbroken = 0;
      co_await asio::post(s.wire.executor(), asio::use_awaitable);
      continue;
    }
    accepted made = accept_one(s.wire.fd());
    const int error = errno;
    if (!made.fd && s.ledger) s.ledger->give_back_reserved();
    if (made.fd) {
      s.errors = 0;
      if (auto admitted = s.admit(std::move(made))) co_return std::move(*admitted);
      continue;
    }
    switch (meaning_of(error)) {
      case meaning::that_connection:
        if (error != EINTR)
          s.tell(accept_event::kind::aborted, diagnose(-1, operation::accept, error, phase::connecting));
        if (++s.errors % errors_in_a_row == 0) s.pausing = true;
        break;
      case meaning::no_room:
        s.on_no_room(error);
        break;
      case meaning::the_end:
        co_return std::unexpected(local_failure({}, error));
      case meaning::nothing_here: {
        if (s.wire.take_ready(direction::reading)) break;
        static_cast<void>(co_await s.wire.wait(direction::reading, limit));
        s.unbroken = 0;
        break;
      }
    }
  }
}

void listener::stop() noexcept {
  state_->stopped = true;
  state_->file.remove();  // who comes now is refused, and the next server may begin
  state_->wire.cancel(direction::reading);
  state_->pause.cancel();
}

std::vector<stream> listener::take_waiting() {
  std::vector<stream> taken;
  // What a queue can hold, and a bound should they keep coming.
  for (int i = 0; i < state_->options.backlog; ++i) {
    if (state_->ledger && !state_->ledger->reserve()) break;
    accepted made = accept_one(state_->wire.fd());
    const int error = errno;
    if (!made.fd && state_->ledger) state_->ledger->give_back_reserved();
    if (!made.fd && meaning_of(error) != meaning::that_connection) break;
    if (!made.fd) continue;
    if (auto admitted = state_->admit(std::move(made))) taken.push_back(std::move(*admitted));
  }
  return taken;
}

listener::listener(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
listener::listener(listener&&) noexcept = default;
listener& listener::operator=(listener&&) noexcept = default;
listener::~listener() = default;

std::expected<listener, fate> listener::adopt(const asio::any_io_executor& executor, unique_fd listening,
                                              listen_options options) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(listening.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0)
    return std::unexpected(local_failure("not a socket", errno));
  if (listens == 0) return std::unexpected(local_failure("not a listening socket", EINVAL));
  const int flags = ::fcntl(listening.get(), F_GETFL);
  if (::fcntl(listening.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(listening.get(), F_SETFD, FD_CLOEXEC) != 0)
    return std::unexpected(local_failure("fcntl", errno));
  if (net::is_internet(listening.get())) net::set_connection_options(listening.get(), options.connection);
  try {
    return listener(std::make_unique<state>(executor, std::move(listening), std::move(options)));
  } catch (const std::system_error& e) {
    return std::unexpected(local_failure("epoll_ctl", e.code().value()));
  }
}

std::expected<listener, fate> listener::open(const asio::any_io_executor& executor, const std::string& host,
                                             const std::string& service, const listen_options& options) {
  if (const auto path = net::local_path(host)) {
    auto made = net::listen_locally(*path, options.backlog);
    if (!made) return std::unexpected(made.error());
    auto opened = adopt(executor, std::move(made->fd), options);
    if (opened) opened->state_->file = std::move(made->file);
    return opened;
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &found); error != 0)
    return std::unexpected(local_failure(::gai_strerror(error), error == EAI_SYSTEM ? errno : 0));
  const std::unique_ptr<addrinfo, decltype([](addrinfo* list) { ::freeaddrinfo(list); })> addresses(found);

  unique_fd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, found->ai_protocol));
  if (!fd) return std::unexpected(local_failure("socket", errno));
  const int on = 1;
  static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  if (options.share_port && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    return std::unexpected(local_failure("SO_REUSEPORT", errno));
  if (::bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0)
    return std::unexpected(local_failure("bind", errno));
  if (::listen(fd.get(), options.backlog) != 0) return std::unexpected(local_failure("listen", errno));
  return adopt(executor, std::move(fd), options);
}

tcp::endpoint listener::local() const noexcept {
  return net::name_of_socket(state_->wire.fd());
}

int listener::native_handle() const noexcept {
  return state_->wire.fd();
}

}  // namespace halfopen
