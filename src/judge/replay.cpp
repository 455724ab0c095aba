#include "judge/replay.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/fault.hpp"
#include "judge/roles.hpp"

namespace halfopen::judge {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// From here on a client that said less than it did in the recording is taken to wait.
constexpr auto patience_with_a_turn = 300ms;
constexpr auto silence_after_a_reply = 150ms;
constexpr auto patience_with_a_piece = 1s;
constexpr int most_unread_pieces = 3;

trace::endpoint endpoint_of(const sockaddr_storage& a) {
  if (a.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(a);
    return {trace::ip_address(std::as_bytes(std::span(v6.sin6_addr.s6_addr))), ntohs(v6.sin6_port)};
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(a);
  return {trace::ip_address(std::as_bytes(std::span(&v4.sin_addr.s_addr, 1))), ntohs(v4.sin_port)};
}

/// Bytes that the other side has not acknowledged (tcp(7), SIOCOUTQ).
bool all_acknowledged(int fd) {
  int left = 0;
  return ::ioctl(fd, SIOCOUTQ, &left) == 0 && left == 0;
}

/// It was reset: what was not acknowledged never will be.
bool is_over(int fd) {
  pollfd ends{fd, 0, 0};
  return ::poll(&ends, 1, 0) == 1 && (ends.revents & (POLLERR | POLLHUP)) != 0;
}

/// Of the host's sockets that are meant, at least one of them there.
template <class Which>
bool nothing_unread(const lab::host& where, Which which) {
  bool there = false;
  for (const lab::socket_view& v : where.sockets()) {
    if (v.state == TCP_LISTEN || !which(v)) continue;
    if (v.inode == 0 || v.unread > 0) return false;  // in the accept queue, or not read
    there = true;
  }
  return there;
}

lab::unique_fd listen_on(lab::host& on, std::uint16_t port, int backlog) {
  lab::unique_fd fd;
  const bool v6 = on.address().is_v6();
  on.in_network(
      [&] { fd.reset(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); });
  if (!fd) throw lab::error("socket", errno);
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);  // accepted sockets inherit it
  sockaddr_in6 any6{};
  any6.sin6_family = AF_INET6;
  any6.sin6_port = htons(port);
  sockaddr_in any4{};
  any4.sin_family = AF_INET;
  any4.sin_port = htons(port);
  const auto* address =
      v6 ? reinterpret_cast<const sockaddr*>(&any6) : reinterpret_cast<const sockaddr*>(&any4);
  if (::bind(fd.get(), address, v6 ? sizeof any6 : sizeof any4) < 0 || ::listen(fd.get(), backlog) < 0)
    throw lab::error("the stand-in cannot listen on port " + std::to_string(port), errno);
  return fd;
}

}  // namespace

bool server_has_read(const lab::host& server, const trace::connection& c) {
  if (nothing_unread(server, [&](const lab::socket_view& v) { return v.remote == c.opener; })) return true;
  // A socket that is closed with bytes unread says RST (tcp_close() in net/ipv4/tcp.c, RFC 2525 section
  // 2.17): where it was closed with a FIN, all was read.
  const trace::flow& back = c.of(trace::side::responder);
  return back.fin && !back.rst && std::ranges::none_of(server.sockets(), [&](const lab::socket_view& v) {
           return v.remote == c.opener && v.inode != 0;
         });
}

stand_in_client::stand_in_client(lab::host& from, lab::host& server, std::uint16_t port,
                                 const recorded_connection& script)
    : from_(from), to_(server), socket_(from.connect_to(server, port)) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0) self_ = endpoint_of(own);
  const std::size_t until = script.request().value_or(0);
  before_.assign(script.turns.begin(), script.turns.begin() + static_cast<std::ptrdiff_t>(until));
  if (script.request()) request_ = script.turns[until].bytes;
}

const trace::connection* stand_in_client::traffic() const {
  const auto all = from_.lab().traffic().connections();
  const auto found = std::ranges::find(all, self_, &trace::connection::opener);
  return found == all.end() ? nullptr : *found;
}

bool stand_in_client::until_request(milliseconds limit) {
  for (const turn& t : before_) {
    if (t.by == speaker::client) {
      if (!send(t.bytes, limit)) return false;
      continue;
    }
    const auto came = receive({std::max<std::size_t>(1, t.bytes.size() / 2), t.bytes.size()}, limit);
    heard_before_ += came.size();
    if (came.empty() || at_end_) return false;
  }
  said_before_ = said_;
  return true;
}

std::size_t stand_in_client::push(std::string_view bytes) {
  const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  const std::size_t taken = n > 0 ? static_cast<std::size_t>(n) : 0;
  if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) at_end_ = reset_ = true;
  said_ += taken;
  return taken;
}

bool stand_in_client::send(std::string_view bytes, milliseconds limit) {
  return from_.lab().until(
             [&] {
               bytes.remove_prefix(bytes.empty() ? 0 : push(bytes));
               return at_end_ || (bytes.empty() && all_acknowledged(socket_.get())) || is_over(socket_.get());
             },
             limit) &&
         bytes.empty() && all_acknowledged(socket_.get());
}

bool stand_in_client::was_read() const {
  return server_has_read(to_, *traffic());
}

bool stand_in_client::say(std::size_t bytes, milliseconds limit) {
  const std::size_t said = said_ - said_before_;
  return send(std::string_view(request_).substr(said, bytes - std::min(bytes, said)), limit);
}

std::size_t stand_in_client::ask(std::size_t times, milliseconds limit) {
  std::size_t asked = 0;
  while (asked < times && send(request_, limit)) ++asked;
  return asked;
}

bool stand_in_client::ask_and_hear_it_begin(milliseconds limit) {
  send(request_, limit);
  return receive({1, 1}, limit).size() == 1;
}

bool stand_in_client::put_on_its_way(milliseconds limit) {
  *holds_ = true;
  from_.lab().hold(lab::from(from_) && lab::on(self_) && lab::payload() &&
                   lab::match([holds = holds_](const lab::arrival&) { return *holds; }));
  push(request_);
  return from_.lab().until([&] { return traffic()->of(trace::side::opener).bytes >= said_; }, limit);
}

void stand_in_client::say_the_rest() {
  if (std::exchange(*holds_, false)) from_.lab().deliver(self_, SIZE_MAX);
  push(std::string_view(request_).substr(std::min(said_ - said_before_, request_.size())));
}

/// One read; true if something came.
bool stand_in_client::take(std::string& into, std::size_t most) {
  char buffer[16384];
  const ssize_t n = ::recv(socket_.get(), buffer, std::min(sizeof buffer, most), 0);
  if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) at_end_ = true;
  if (n < 0 && (errno == ECONNRESET || errno == EPIPE)) reset_ = true;
  return n > 0;
}

std::string stand_in_client::receive(reply_size wanted, milliseconds limit) {
  std::string all;
  auto heard = steady::now();
  from_.lab().until(
      [&] {
        while (!at_end_ && all.size() < wanted.most && take(all, wanted.most - all.size()))
          heard = steady::now();
        if (at_end_ || all.size() >= wanted.most) return true;
        return all.size() >= std::max<std::size_t>(1, wanted.least) &&
               steady::now() - heard > silence_after_a_reply;
      },
      limit);
  return all;
}

void stand_in_client::shut_writing() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void stand_in_client::reset() {
  lab::abort(from_, std::move(socket_));
}

stand_in_server::stand_in_server(lab::host& on, const recording& script, int backlog)
    : on_(on), script_(script), listener_(listen_on(on, script.port, backlog)) {}

stand_in_server::live* stand_in_server::main() {
  const auto found = std::ranges::find(live_, true, &live::main);
  return found == live_.end() ? nullptr : &*found;
}

void stand_in_server::accept_all() {
  while (listener_) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    lab::unique_fd fd(
        ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return;
    const std::size_t index = live_.size();
    live& made = live_.emplace_back();
    made.socket = std::move(fd);
    made.extra = index >= script_.connections.size();
    made.peer = endpoint_of(peer);
    if (made.extra)
      made.script = &script_.main();
    else
      give(made, &script_.connections[index]);
  }
}

void stand_in_server::give(live& c, const recorded_connection* script) {
  c.script = script;
  c.main = script == &script_.main();
  if (c.main) peer_ = c.peer;
}

/// The bytes that wait to be read; nothing is taken.
static std::string_view peek(const lab::unique_fd& socket, std::span<char> into) {
  const ssize_t n = ::recv(socket.get(), into.data(), into.size(), MSG_PEEK);
  return {into.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

/// Connections that a client opens side by side come in an order of their own: what it says first tells
/// which of the recorded ones this is.
void stand_in_server::find_script(live& c) {
  std::array<char, 4096> buffer{};
  const std::string_view came = peek(c.socket, buffer);
  const auto fits = [&](const recorded_connection& r) {
    return !r.turns.empty() && r.turns.front().by == speaker::client &&
           begins_alike(came, r.turns.front().bytes);
  };
  if (came.empty() || fits(*c.script)) return;
  const auto found = std::ranges::find_if(script_.connections, [&](const recorded_connection& r) {
    const auto holder = std::ranges::find(live_, &r, &live::script);
    return fits(r) && (holder == live_.end() || (holder->turn == 0 && holder->done == 0 && !holder->extra));
  });
  if (found == script_.connections.end()) {
    *guessed_ = true;
    return;
  }
  if (const auto holder = std::ranges::find(live_, &*found, &live::script); holder != live_.end())
    give(*holder, c.script);
  give(c, &*found);
}

/// The main connection goes no further than the place at which it shall stop.
bool stand_in_server::stops(const live& c) const {
  if (c.main && withheld_ && c.turn > *withheld_) return true;
  return c.main && stop_ && (c.turn > stop_->turn || (c.turn == stop_->turn && c.done >= stop_->done));
}

/// A client that comes back need not begin where it began before: it says again what was not
/// answered. What it says tells which turn it is; what is like none is taken for the next one.
void stand_in_server::find_turn(live& c) {
  std::array<char, 16384> buffer{};
  const std::string_view came = peek(c.socket, buffer);
  if (came.empty()) return;
  const auto fits = [&](const turn& t) { return t.by == speaker::client && begins_alike(came, t.bytes); };
  const auto& turns = c.script->turns;
  if (fits(turns[c.turn])) return;
  const auto found = std::ranges::find_if(turns, fits);
  if (found == turns.end())
    *guessed_ = true;
  else
    c.turn = static_cast<std::size_t>(found - turns.begin());
}

/// The client's turn: true if it has come to its end.
bool stand_in_server::listen_to(live& c) {
  if (c.extra && c.done == 0) find_turn(c);
  if (!c.extra && c.turn == 0 && c.done == 0 && script_.connections.size() > 1) find_script(c);
  const turn& t = c.script->turns[c.turn];
  const int yes = 1;  // what is read is acknowledged at once: no case begins before
  ::setsockopt(c.socket.get(), IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
  char buffer[16384];
  while (c.done < t.bytes.size()) {
    const ssize_t n = ::recv(c.socket.get(), buffer, std::min(sizeof buffer, t.bytes.size() - c.done), 0);
    if (n <= 0) break;
    c.done += static_cast<std::size_t>(n);
    c.heard = steady::now();
  }
  return c.done >= t.bytes.size() || (c.done > 0 && steady::now() - c.heard > patience_with_a_turn);
}

bool stand_in_server::was_read(const live& c) const {
  for (const auto& h : on_.lab().hosts())
    if (h->address() == c.peer.address && h->is_up())
      return nothing_unread(*h, [&](const lab::socket_view& v) { return v.local == c.peer; });
  return true;
}

/// Up to where the turn is said in one piece from here on.
std::size_t stand_in_server::end_of_piece(const live& c, const turn& t) const {
  if (how_ == cut::bytes && c.done < single_bytes) return std::min(c.done + 1, t.bytes.size());
  if (how_ == cut::segments) {
    const auto next = std::ranges::upper_bound(t.segments, c.done);
    if (next != t.segments.end()) return *next;
  }
  return t.bytes.size();
}

/// The server's turn: true if all of it was acknowledged.
bool stand_in_server::speak(live& c) {
  const turn& t = c.script->turns[c.turn];
  const bool in_pieces = how_ != cut::nowhere && c.done > 0 && c.done < t.bytes.size();
  bool may_go_on = !in_pieces || (all_acknowledged(c.socket.get()) && was_read(c));
  if (!may_go_on && steady::now() - spoke_ > patience_with_a_piece) {  // it waits for more before it reads
    may_go_on = true;
    if (++unread_pieces_ >= most_unread_pieces) how_ = cut::nowhere;
  }
  std::size_t until = end_of_piece(c, t);
  if (c.main && stop_ && stop_->turn == c.turn) until = std::min(until, stop_->done);
  if (may_go_on) {
    const ssize_t n = ::send(c.socket.get(), t.bytes.data() + c.done, until - c.done, MSG_NOSIGNAL);
    if (n > 0) {
      c.done += static_cast<std::size_t>(n);
      spoke_ = steady::now();
    }
  }
  return c.done >= t.bytes.size() && all_acknowledged(c.socket.get());
}

bool stand_in_server::spoke_within(milliseconds limit) const {
  return steady::now() - spoke_ < limit;
}

std::optional<std::pair<std::size_t, std::size_t>> stand_in_server::undelivered() const {
  for (const live& c : live_) {
    if (!c.socket || c.turn >= c.script->turns.size()) continue;
    const turn& t = c.script->turns[c.turn];
    if (t.by == speaker::server && c.done < t.bytes.size() && !stops(c) && was_read(c))
      return std::pair(c.done, t.bytes.size());
  }
  return std::nullopt;
}

void stand_in_server::play(live& c) {
  while (c.socket && c.turn < c.script->turns.size() && !stops(c)) {
    const bool over = c.script->turns[c.turn].by == speaker::client ? listen_to(c) : speak(c);
    if (!over) return;
    if (stops(c)) return;
    ++c.turn;
    c.done = 0;
  }
  if (!c.socket || c.turn < c.script->turns.size() || stops(c)) return;
  char buffer[4096];  // what else the client has to say, until its end
  ssize_t n = 0;
  while ((n = ::recv(c.socket.get(), buffer, sizeof buffer, 0)) > 0) {
  }
  const bool client_ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
  if (client_ended || c.script->closed_first == speaker::server) c.socket.reset();
}

void stand_in_server::move() {
  accept_all();
  for (live& c : live_) play(c);
}

bool stand_in_server::until(const std::function<bool()>& condition, milliseconds limit) {
  stop_.reset();
  return on_.lab().until(
      [&] {
        move();
        return condition();
      },
      limit);
}

bool stand_in_server::until_connected(milliseconds limit) {
  stop_ = place{0, 0};
  return on_.lab().until(
      [&] {
        move();
        return main() != nullptr;
      },
      limit);
}

/// The client's bytes, too, on the cable: else its kernel would say them again.
bool stand_in_server::all_was_acknowledged() const {
  const auto all = on_.lab().traffic().connections();
  const auto found = std::ranges::find(all, peer_, &trace::connection::opener);
  return found != all.end() &&
         (*found)->of(trace::side::opener).acked >= (*found)->of(trace::side::opener).bytes;
}

bool stand_in_server::until_place(place where, milliseconds limit, bool acknowledged) {
  stop_ = where;
  return on_.lab().until(
      [&] {
        move();
        live* const m = main();
        if (m == nullptr || !stops(*m)) return false;
        return !acknowledged || (all_acknowledged(m->socket.get()) && all_was_acknowledged());
      },
      limit);
}

bool stand_in_server::answer_until(std::size_t turn_index, milliseconds limit) {
  const std::size_t last = turn_index - 1;
  return until_place({last, script_.main().turns[last].bytes.size()}, limit, false);
}

bool stand_in_server::until_before_turn(std::size_t turn_index, milliseconds limit) {
  return until_place({turn_index, 0}, limit);
}

bool stand_in_server::until_replied(std::size_t turn_index, std::size_t bytes, milliseconds limit) {
  return until_place({turn_index + 1, bytes}, limit);
}

void stand_in_server::shut_writing() {
  if (const live* m = main()) ::shutdown(m->socket.get(), SHUT_WR);
}

void stand_in_server::die() {
  listener_.reset();
  for (live& c : live_) c.socket.reset();
}

void stand_in_server::reset() {
  listener_.reset();
  for (live& c : live_) {
    if (!c.socket) continue;
    if (c.main)
      lab::abort(on_, std::move(c.socket));
    else
      c.socket.reset();
  }
}

}  // namespace halfopen::judge
