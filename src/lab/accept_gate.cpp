// Accept, as another kernel would do it, for an unmodified program.
//
// The program's accept calls stop at a seccomp filter and come here as
// notifications (seccomp_unotify(2)). The gate takes a copy of the listening
// socket (pidfd_getfd(2)), accepts by itself, and looks at the new socket. A
// living one is put into the program's descriptor table and becomes the call's
// result (SECCOMP_IOCTL_NOTIF_ADDFD with SECCOMP_ADDFD_FLAG_SEND, Linux 5.14). A
// dead one meets what that kernel would do: it is handed over (linux), thrown
// away with an errno (posix, svr4), or thrown away unsaid (berkeley). Thrown away
// means closed here: it cannot come back at the next accept.
//
// Preloading a wrapper of accept(3) was the alternative. It misses static
// programs, and languages that make their system calls themselves.
//
// A call on a blocking listener that has nothing to accept waits here, without
// blocking the lab, until the listener is readable, its program dies, or a signal
// handler interrupts it: the kernel then takes the notification back, and the
// program's call restarts or fails as it would have.
//
// A call can also be told to fail (EMFILE, ENOBUFS, EINTR...) while a connection waits: the
// queue is looked at, and not touched. Using up the real resource was the alternative; a
// program's memory cannot be used up to order, nor the system's descriptors for one program.
//
// The copy of the listener is kept only while a blocking call waits: as long as
// it lives, so does the socket, and its owner's death would not close it.

#include "lab/accept_gate.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "lab/accept_call.hpp"

namespace halfopen::lab {
namespace {

constexpr std::array<std::string_view, 4> flavour_names{"linux", "posix", "svr4", "berkeley"};

}  // namespace

std::string_view to_string(accept_flavour f) noexcept {
  const auto index = static_cast<std::size_t>(f);
  return index < flavour_names.size() ? flavour_names[index] : "?";
}

std::optional<accept_flavour> parse_accept_flavour(std::string_view name) noexcept {
  const auto* found = std::ranges::find(flavour_names, name);
  if (found == flavour_names.end()) return std::nullopt;
  return static_cast<accept_flavour>(found - flavour_names.begin());
}

accept_gate::accept_gate(loop& events, unique_fd notifications, accept_flavour like, experiment& lab)
    : events_(events), notifications_(std::move(notifications)), like_(like), lab_(lab) {
  events_.watch(notifications_.get(), EPOLLIN, [this](std::uint32_t what) { on_notice(what); });
}

accept_gate::~accept_gate() {
  events_.forget(notifications_.get());
  for (const call& c : waiting_) events_.forget(c.listener.get());
}

void accept_gate::saw(accept_event::kind what, int errno_value, bool dead) {
  seen_.push_back({what, experiment::now(), lab_.packets(), errno_value, dead});
}

void accept_gate::on_notice(std::uint32_t events) {
  if ((events & EPOLLIN) != 0) {
    seccomp_notif notice{};
    if (::ioctl(notifications_.get(), SECCOMP_IOCTL_NOTIF_RECV, &notice) == 0) begin(notice);
    return;
  }
  // No process uses the filter any more: nobody waits for an answer.
  while (!waiting_.empty()) finish(waiting_.begin());
  undelivered_.clear();
  events_.forget(notifications_.get());
}

void accept_gate::begin(const seccomp_notif& notice) {
  if (notice.data.nr == SYS_io_uring_setup) {
    saw(accept_event::kind::unseen);
    return respond(notice, 0, true);
  }
  saw(accept_event::kind::called);
  drop_taken_back();
  unique_fd listener = copy_descriptor(static_cast<pid_t>(notice.pid), static_cast<int>(notice.data.args[0]));
  if (!listener) {
    // No such descriptor: the kernel says so best. Anything else would go unseen.
    if (errno != EBADF) saw(accept_event::kind::unseen);
    return respond(notice, 0, true);
  }
  const bool blocking = (::fcntl(listener.get(), F_GETFL) & O_NONBLOCK) == 0;
  waiting_.push_back({notice, std::move(listener), blocking});
  expire_at_receive_timeout(waiting_.back());
  try_to_answer(std::prev(waiting_.end()));
}

/// SO_RCVTIMEO is accept's limit too (socket(7)): EAGAIN.
void accept_gate::expire_at_receive_timeout(const call& c) {
  timeval limit{};
  socklen_t size = sizeof limit;
  ::getsockopt(c.listener.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, &size);
  if (!c.blocking || (limit.tv_sec == 0 && limit.tv_usec == 0)) return;
  const auto when =
      loop::clock::now() + std::chrono::seconds(limit.tv_sec) + std::chrono::microseconds(limit.tv_usec);
  events_.at(when, [this, id = c.notice.id, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    const auto late = std::ranges::find(waiting_, id, [](const call& w) { return w.notice.id; });
    if (late != waiting_.end()) fail(late, EAGAIN);
  });
}

/// Calls that a signal or their program's death took back hold copies of
/// listeners. Nothing tells of it while other processes use the filter, so the
/// gate looks now and then, as long as a call waits.
void accept_gate::keep_looking() {
  if (looking_ || waiting_.empty()) return;
  looking_ = true;
  events_.at(loop::clock::now() + std::chrono::milliseconds(20), [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    looking_ = false;
    drop_taken_back();
    keep_looking();
  });
}

void accept_gate::drop_taken_back() {
  for (auto c = waiting_.begin(); c != waiting_.end();) {
    const auto next = std::next(c);
    if (!still_waiting(*c)) finish(c);
    c = next;
  }
}

std::vector<accept_gate::undelivered>::iterator accept_gate::find_undelivered(call_handle c) {
  return std::ranges::find(undelivered_, inode_of(c->listener), &undelivered::listener);
}

/// Accepts what is there; waits for more if the call may block.
void accept_gate::try_to_answer(call_handle c) {
  if (!still_waiting(*c)) return finish(c);
  if (!has_free_descriptor(static_cast<pid_t>(c->notice.pid))) return fail(c, EMFILE);
  if (fail_as_told(c)) return;
  const auto kept = find_undelivered(c);
  if (kept != undelivered_.end()) {
    connection made = std::move(kept->what);
    undelivered_.erase(kept);
    if (answer_with(c, std::move(made))) return;
  }
  for (;;) {
    pollfd ready{c->listener.get(), POLLIN, 0};
    // Only the gate accepts, so a listener that is readable will not block.
    if (c->blocking && ::poll(&ready, 1, 0) == 0) break;
    const int flags = (accept_flags(c->notice) & SOCK_NONBLOCK) | SOCK_CLOEXEC;
    connection made;
    made.peer_size = sizeof made.peer;
    // accept's address is there even for a dead connection, for which getpeername
    // gives ENOTCONN (net/ipv4/af_inet.c, inet_getname: peer is 2 for accept).
    made.socket.reset(
        ::accept4(c->listener.get(), reinterpret_cast<sockaddr*>(&made.peer), &made.peer_size, flags));
    if (!made.socket) return fail(c, errno);
    if (answer_with(c, std::move(made))) return;
  }
  events_.watch(c->listener.get(), EPOLLIN, [this, c](std::uint32_t) {
    events_.forget(c->listener.get());
    try_to_answer(c);
  });
  keep_looking();
}

void accept_gate::fail_next(std::vector<int> errnos) {
  for (const int e : errnos)
    if (e <= 0 || ::strerrorname_np(e) == nullptr)
      throw error("no accept call can fail with errno " + std::to_string(e));
  failures_ = std::move(errnos);
}

/// Fails the call, if it has a connection to fail over; that one stays where it is.
bool accept_gate::fail_as_told(call_handle c) {
  if (failures_.empty()) return false;
  if (find_undelivered(c) == undelivered_.end() && !has_connection(c->listener)) return false;
  const int errno_value = failures_.front();
  failures_.erase(failures_.begin());
  fail(c, errno_value, ", as the lab makes it; the connection stays in the queue");
  return true;
}

/// Answers the call with this connection as the flavour's kernel would. False
/// if that kernel would not have shown it, and the call goes on.
bool accept_gate::answer_with(call_handle c, connection made) {
  const bool dead = is_dead(made.socket);
  if (!dead || like_ == accept_flavour::linux_kernel) {
    hand_over(c, std::move(made), dead);
    return true;
  }
  saw(accept_event::kind::discarded);
  if (like_ == accept_flavour::berkeley) {
    lab_.note("accept was called: the dead connection is dropped unseen, as a Berkeley kernel does");
    return false;
  }
  fail(c, like_ == accept_flavour::posix ? ECONNABORTED : EPROTO);
  return true;
}

void accept_gate::hand_over(call_handle c, connection made, bool dead) {
  if (!write_peer_address(c->notice, made.peer, made.peer_size)) return fail(c, EFAULT);
  seccomp_notif_addfd add{};
  add.id = c->notice.id;
  add.flags = SECCOMP_ADDFD_FLAG_SEND;
  add.srcfd = static_cast<std::uint32_t>(made.socket.get());
  add.newfd_flags = (accept_flags(c->notice) & SOCK_CLOEXEC) != 0 ? O_CLOEXEC : 0U;
  if (::ioctl(notifications_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0) {
    const int why = errno;
    // ENOENT: a signal took the call back a moment ago. The next one gets the connection.
    undelivered_.push_back({inode_of(c->listener), std::move(made)});
    return why == ENOENT ? finish(c) : fail(c, why);
  }
  saw(accept_event::kind::handed_over, 0, dead);
  lab_.note(dead ? "accept was called, and returned the connection, already reset"
                 : "accept was called, and returned");
  finish(c);
}

void accept_gate::fail(call_handle c, int errno_value, std::string_view because) {
  saw(accept_event::kind::failed, errno_value);
  const char* name = ::strerrorname_np(errno_value);
  if (errno_value != EAGAIN)
    lab_.note("accept was called, and returned " + (name != nullptr ? name : std::to_string(errno_value)) +
              std::string(because));
  respond(c->notice, errno_value, false);
  finish(c);
}

void accept_gate::respond(const seccomp_notif& notice, int errno_value, bool go_on) {
  seccomp_notif_resp response{};
  response.id = notice.id;
  response.error = -errno_value;
  response.flags = go_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0U;
  (void)::ioctl(notifications_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);  // ENOENT: it is gone
}

bool accept_gate::still_waiting(const call& c) const {
  std::uint64_t id = c.notice.id;
  return ::ioctl(notifications_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void accept_gate::finish(call_handle c) {
  events_.forget(c->listener.get());
  waiting_.erase(c);
}

}  // namespace halfopen::lab
