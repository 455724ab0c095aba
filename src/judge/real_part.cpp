#include "judge/real_part.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <thread>

#include "judge/arrived.hpp"

namespace halfopen::judge {
namespace {

/// What waits there is read: a socket that is closed with bytes unread says RST.
void read_all(const lab::unique_fd& socket) {
  char buffer[16384];
  while (::recv(socket.get(), buffer, sizeof buffer, 0) > 0) {
  }
}

/// The program accepts the connection, or connects it, at once; while the world stands still.
std::optional<lab::grip> hold_soon(const lab::host& h, const trace::connection& c) {
  for (int tries = 0; tries < 100; ++tries) {
    if (auto held = lab::take_hold(h, c)) return held;
    std::this_thread::sleep_for(1ms);
  }
  return std::nullopt;
}

/// That one, and no later one of the same two ends.
lab::match of(const trace::connection* c) {
  return lab::match([c](const lab::arrival& a) { return a.connection == c; });
}
lab::match while_true(std::shared_ptr<const bool> flag) {
  return lab::match([flag = std::move(flag)](const lab::arrival&) { return *flag; });
}

}  // namespace

// ---- the server ----------------------------------------------------------------

real_server::real_server(stage& s, bool shall_end) : stage_(s), shall_end_(shall_end) {
  (void)s.serve();
}

void real_server::know_peer() {
  stage_.keep_main();
  if (const trace::connection* c = stage_.main_connection()) peer_ = c->opener;
}

void real_server::take_hold() {
  know_peer();
  const trace::connection* c = stage_.main_connection();
  if (shall_end_ && c != nullptr && !grip_) grip_ = hold_soon(stage_.server, *c);
}

bool real_server::until_connected(milliseconds limit) {
  const lab::match opened([](const lab::arrival& a) { return a.connection->handshake_done.has_value(); });
  const bool there = stage_.lab.after(lab::from(stage_.client) && stage_.on_main() && opened, limit);
  if (there) stage_.keep_main(stage_.lab.current_connection());
  said_ = 0;
  take_hold();
  return there;
}

bool real_server::until_before_turn(std::size_t turn, milliseconds limit) {
  const auto& script = stage_.base.said.main();
  const std::size_t by_client = script.said_before(speaker::client, turn),
                    by_server = script.said_before(speaker::server, turn);
  // The client's last byte before is on the cable: a server that closes after its reply has not done so yet.
  const std::size_t at_least = by_client - std::min(by_client, stage_.base.client_differs);
  const bool spoken = by_client == 0 || stage_.lab.before(lab::from(stage_.client) && stage_.on_main() &&
                                                              lab::said(stage_.client, at_least),
                                                          limit);
  if (spoken && by_client > 0) stage_.keep_main(stage_.lab.current_connection());
  if (spoken) take_hold();
  const bool there = spoken && stage_.until_said(by_client, by_server, limit);
  know_peer();
  if (const trace::connection* c = stage_.main_connection()) said_ = c->of(trace::side::responder).acked;
  return there;
}

bool real_server::until_idle(std::size_t turn, milliseconds limit) {
  const auto& script = stage_.base.said.main();
  const std::size_t said = script.said_before(speaker::client, turn);
  const bool there = stage_.until_said(said, script.said_before(speaker::server, turn), limit);
  stage_.lab.until_quiet(20ms, 200ms);
  know_peer();
  const trace::connection* now = stage_.main_connection();
  return there && now != nullptr && now->of(trace::side::opener).bytes <= said + stage_.base.client_differs;
}

bool real_server::until_replied(std::size_t turn, std::size_t bytes, milliseconds limit) {
  stage& s = stage_;
  const auto& script = s.base.said.main();
  const std::size_t said = script.said_before(speaker::client, turn);
  if (!s.lab.before(lab::from(s.client) && lab::payload() && s.on_main() &&
                        lab::said(s.client, said + 1 + s.base.client_differs),
                    limit))
    return false;
  s.keep_main(s.lab.current_connection());
  take_hold();
  // Signatures are not always as long: what this run's server has said counts, if it is about as much.
  const std::uint64_t now = s.main_connection()->of(trace::side::responder).bytes;
  const std::uint64_t recorded = script.said_before(speaker::server, turn + 1);
  const bool alike = now + s.base.server_differs >= recorded && now <= recorded + s.base.server_differs;
  const std::uint64_t wanted = (alike ? now : recorded) + bytes;

  const std::uint64_t at_least = bytes == 0 ? wanted + 1 : wanted;
  if (!s.lab.before(lab::from(s.server) && lab::payload() && s.on_main() && lab::said(s.server, at_least),
                    limit))
    return false;
  const std::size_t length = s.lab.current().tcp.length;
  const std::uint64_t before = s.main_connection()->of(trace::side::responder).bytes - length;
  if (before > wanted) return false;
  if (wanted - before < length) s.lab.cut_current(static_cast<std::size_t>(wanted - before));
  s.lab.lose(lab::from(s.server) && s.on_main() && lab::later_than(s.lab.current().number) &&
             while_true(loses_));
  said_ = wanted;
  if (bytes == 0) {  // what it acknowledges is delivered
    s.lab.run_for(1ms);
    return s.main_connection()->of(trace::side::opener).acked > said;
  }
  return s.lab.after(lab::from(s.client) && s.on_main() && lab::acked(s.server, wanted), limit);
}

void real_server::say_bytewise() {
  slow_.emplace(slow_speech{});  // clang++ cannot make it in place: its members' values are not yet known to
                                 // std::optional
  stage_.lab.hold(lab::from(stage_.server) && stage_.on_main() && (lab::payload() || lab::fin()));
}

void real_server::go_on() {
  const trace::connection* c = stage_.main_connection();
  if (!slow_ || c == nullptr) return;
  know_peer();
  const trace::flow &own = c->of(trace::side::responder), &client = c->of(trace::side::opener);
  if (slow_->client_said != client.bytes) {  // a new turn
    slow_->client_said = client.bytes;
    slow_->turn_began = slow_->delivered;
  }
  // Fewer than a recording says so: a handshake is said byte by byte too, and its limits are short.
  constexpr std::uint64_t bytes_of_a_turn = 64;
  const bool by_bytes = slow_->delivered - slow_->turn_began < bytes_of_a_turn;
  if (by_bytes && slow_->delivered > own.acked) return;
  const auto unread = [&](const lab::socket_view& v) { return v.local == c->opener && v.unread > 0; };
  const auto now = std::chrono::steady_clock::now();
  if (by_bytes && now - slow_->spoke < 1s && std::ranges::any_of(stage_.client.sockets(), unread)) return;
  const std::size_t more = stage_.lab.deliver(c->responder, by_bytes ? 1 : SIZE_MAX);
  slow_->delivered += more;
  if (more > 0) slow_->spoke = now;
}

bool real_server::spoke_within(milliseconds limit) const {
  return slow_ && std::chrono::steady_clock::now() - slow_->spoke < limit;
}

std::optional<std::pair<std::size_t, std::size_t>> real_server::undelivered() const {
  const trace::connection* c = stage_.main_connection();
  if (!slow_ || c == nullptr || slow_->delivered >= c->of(trace::side::responder).bytes) return std::nullopt;
  return std::pair(static_cast<std::size_t>(slow_->delivered),
                   static_cast<std::size_t>(c->of(trace::side::responder).bytes));
}

void real_server::take_over() {
  if (own_) return;
  const trace::connection* c = stage_.main_connection();
  if (!grip_ && c != nullptr) grip_ = lab::take_hold(stage_.server, *c);
  if (!grip_ || c == nullptr || !said_)
    throw no_verdict(
        obstacle::no_means,
        "the server's program has not accepted the connection, or has closed it already: nothing "
        "can be done in its name");
  own_ = lab::take_over(stage_.server, *c, *std::exchange(grip_, std::nullopt), *said_);
  *loses_ = false;
}

void real_server::die() {
  if (said_) {
    take_over();
    read_all(own_);
  }
  grip_.reset();
  lab::kill(stage_.server);
  own_.reset();
}

void real_server::reset() {
  take_over();
  lab::kill(stage_.server);
  lab::abort(stage_.server, std::move(own_));
}

void real_server::shut_writing() {
  take_over();
  ::shutdown(own_.get(), SHUT_WR);
}

// ---- the client ----------------------------------------------------------------

real_client::real_client(stage& s, lab::host& from, const asked& request)
    : stage_(s), from_(from), request_size_(request.bytes.size()) {
  (void)s.call_from(from);
  const std::vector<const trace::connection*> known = s.lab.traffic().connections();
  const lab::match begins([&](const lab::arrival& a) {
    return a.connection != nullptr && a.from == &from_ && a.connection == s.main_of(from_, known, &a);
  });
  if (!s.lab.before(
          begins && lab::payload() && lab::said(from, request.client_before + 1 + s.base.client_differs),
          s.soon))
    throw no_verdict(obstacle::not_there, "the client did not come to its request");
  connection_ = s.lab.current_connection();
  const trace::flow& own = connection_->of(trace::side::opener);
  said_before_ = own.bytes - s.lab.current().tcp.length;
  heard_before_ = connection_->of(trace::side::responder).bytes;
  grip_ = hold_soon(from, *connection_);
  if (said_before_ + s.base.client_differs < request.client_before) {  // it comes with what is before it
    s.lab.cut_current(request.client_before - said_before_, lab::rest::held);
    said_before_ = request.client_before;
  } else {
    s.lab.hold_current();
  }
  s.lab.hold(lab::from(from) && of(connection_) && (lab::payload() || lab::fin()) &&
             lab::later_than(s.lab.current().number) && while_true(holds_));
}

std::vector<trace::endpoint> real_client::ends() const {
  std::vector<trace::endpoint> all;
  for (const trace::connection* c : stage_.lab.traffic().connections())
    if (c->opener.address == from_.address() && c->responder.port == stage_.port()) all.push_back(c->opener);
  return all;
}

bool real_client::say(std::size_t bytes, milliseconds limit) {
  const trace::flow& own = connection_->of(trace::side::opener);
  return stage_.lab.until(
      [&] {
        if (delivered_ < bytes) delivered_ += stage_.lab.deliver(self(), bytes - delivered_);
        return delivered_ >= bytes && own.acked >= said_before_ + bytes;
      },
      limit);
}

/// The reply is on the cable: the program has not got it, and cannot have ended for that. What does not
/// acknowledge the whole request is no reply to it, but something that came late, such as a session ticket of
/// TLS 1.3; and a connection is taken over with nothing that only its program's kernel would repeat.
bool real_client::ask_and_hear_it_begin(milliseconds limit) {
  say_the_rest();
  const lab::match is_asked([this](const lab::arrival&) {
    const trace::flow& own = connection_->of(trace::side::opener);
    return own.acked > said_before_ && own.acked >= own.bytes;
  });
  return stage_.lab.before(lab::from(stage_.server) && of(connection_) && lab::payload() &&
                               lab::said(stage_.server, heard_before_ + 1) && is_asked,
                           limit);
}

bool real_client::put_on_its_way(milliseconds limit) {  // it is there from the beginning
  const trace::flow& own = connection_->of(trace::side::opener);
  const std::uint64_t whole = said_before_ + request_size_;
  return stage_.lab.until([&] { return own.bytes + stage_.base.client_differs >= whole; }, limit);
}

void real_client::say_the_rest() {
  *holds_ = false;
  delivered_ += stage_.lab.deliver(self(), SIZE_MAX);
  at_once_ = true;
}

bool real_client::was_read() const {
  return server_has_read(stage_.server, *connection_);
}

bool real_client::at_end() const {
  const trace::flow& back = connection_->of(trace::side::responder);
  return back.fin || back.rst;
}

std::size_t real_client::hear(reply_size wanted, milliseconds limit) {
  constexpr auto silence_after_a_reply = 150ms;
  const trace::flow& back = connection_->of(trace::side::responder);
  const auto heard = [&] {
    return static_cast<std::size_t>(back.acked - std::min<std::uint64_t>(back.acked, heard_before_));
  };
  std::size_t before = heard();
  auto grew = std::chrono::steady_clock::now();
  stage_.lab.until(
      [&] {
        if (own_) read_all(own_);
        const auto now = std::chrono::steady_clock::now();
        if (const std::size_t more = heard(); more != before) {
          before = more;
          grew = now;
        }
        if (before >= wanted.most || has_arrived(back)) return true;
        return before >= std::max<std::size_t>(1, wanted.least) && now - grew > silence_after_a_reply;
      },
      limit);
  return heard();
}

void real_client::take_over() {
  if (own_) return;
  if (!grip_)
    throw no_verdict(obstacle::no_means,
                     "the client's connection belongs to no process: nothing can be done in its name");
  const std::uint64_t said =
      at_once_ ? connection_->of(trace::side::opener).bytes : said_before_ + delivered_;
  own_ = lab::take_over(from_, *connection_, *std::exchange(grip_, std::nullopt), said);
  *holds_ = false;
}

void real_client::close() {
  take_over();
  read_all(own_);
  lab::kill(from_);
  own_.reset();
}

void real_client::shut_writing() {
  take_over();
  ::shutdown(own_.get(), SHUT_WR);
}

void real_client::reset() {
  take_over();
  lab::kill(from_);
  lab::abort(from_, std::move(own_));
}

}  // namespace halfopen::judge
