#include "halfopen/lab/experiment.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "halfopen/lab/error.hpp"
#include "lab/access.hpp"
#include "lab/namespaces.hpp"

namespace halfopen::lab {
namespace {

using clock = loop::clock;

/// When a condition is looked at again while nothing happens: conditions such as "is
/// listening" are told by no event. Every 2 ms, sixty experiments side by side kept a core
/// busy with looking. What has not come for long is looked for less often, so that it is
/// noticed two hundredths of its time late at most: under the virtual clock experiments wait
/// for hours, and each look costs more than the wait.
loop::clock::duration heartbeat(loop::clock::duration waited) {
  constexpr auto first = std::chrono::milliseconds(10);
  return std::max<loop::clock::duration>(first, waited / 50);
}

/// A wait that is this late was not the kernel's timers' doing.
constexpr auto standstill = std::chrono::milliseconds(100);

trace::ip_address address_of(bool v6, std::size_t number) {
  const std::string text = (v6 ? "fd00::" : "10.0.0.") + std::to_string(number);
  return trace::ip_address::parse(text).value();
}

/// Where nobody is, for half-dead names.
constexpr std::size_t most_hosts_beside_nobody = 199;
const char* nobody(bool v6) {
  return v6 ? "fd00::c8" : "10.0.0.200";
}

void check(const options& what) {
  for (const std::string& name : what.half_dead_names)
    if (std::ranges::find(what.hosts, name) == what.hosts.end())
      throw error("half-dead name: there is no host " + name);
  if (!what.half_dead_names.empty() && what.hosts.size() > most_hosts_beside_nobody)
    throw error("with so many hosts, somebody is where nobody should be");
}

std::string hosts_file(const options& what) {
  const bool v6 = what.ip == ip_version::v6;
  std::string text = "127.0.0.1 localhost\n::1 localhost\n";
  for (std::size_t i = 0; i < what.hosts.size(); ++i) {
    const std::string& name = what.hosts[i];
    if (std::ranges::find(what.half_dead_names, name) != what.half_dead_names.end())
      text += std::string(nobody(v6)) + " " + name + "\n";
    text += address_of(v6, i + 1).to_string() + " " + name + "\n";
  }
  return text;
}

/// getaddrinfo(3) does not keep the order of /etc/hosts: of two addresses it prefers the
/// one that begins like the caller's own (RFC 6724 section 5, rule 9), and that is never
/// nobody's. Precedence comes before that (rule 6), and glibc reads it from gai.conf(5);
/// the first lines are its built-in table, which any line of precedence there replaces.
constexpr const char* nobody_first = R"(precedence ::1/128 50
precedence ::/0 40
precedence 2002::/16 30
precedence ::/96 20
precedence ::ffff:0:0/96 10
precedence ::ffff:10.0.0.200/128 100
precedence fd00::c8/128 100
)";

host_files files_for(const options& what) {
  if (what.half_dead_names.empty()) return {hosts_file(what), {}, {}};
  return {hosts_file(what), "multi on\n", nobody_first};
}

bool listens(const host& h, std::uint16_t port) {
  const auto ports = h.listening_ports();
  return std::ranges::find(ports, port) != ports.end();
}

}  // namespace

experiment::experiment(options what) : state_(std::make_unique<state>()) {
  check(what);
  state& s = *state_;
  s.excused = std::move(what.excused);
  const bool v6 = what.ip == ip_version::v6;
  s.router = address_of(v6, 254);
  s.wire = std::make_unique<cable>(s.events, s.router, std::move(what.recorder));
  s.wire->clamp_mss(what.clamp_mss);
  s.events.watch(s.wire->descriptor(), EPOLLIN, [](std::uint32_t) {});  // wait() pumps
  for (std::size_t i = 0; i < what.hosts.size(); ++i) {
    auto h = std::make_unique<host_access::state>();
    h->lab = this;
    h->name = what.hosts[i];
    h->v4 = address_of(false, i + 1);
    h->v6 = address_of(true, i + 1);
    h->address = v6 ? h->v6 : h->v4;
    h->files = files_for(what);
    s.hosts.push_back(host_access::make(std::move(h)));
    host& made = *s.hosts.back();
    host_access::of(made).port = s.wire->add_port({&made, made.address(), {}, 0, false, std::nullopt});
    host_access::start_init(made);
  }
  for (const auto& h : s.hosts) host_access::plug_in(*h);
}

experiment::~experiment() {
  state_->events.forget(state_->wire->descriptor());
  for (const auto& h : state_->hosts)
    if (h->is_up()) host_access::power_off(*h);
}

host& experiment::at(std::string_view name) {
  const auto found = std::ranges::find(state_->hosts, name, [](const auto& h) { return h->name(); });
  if (found == state_->hosts.end()) throw error("there is no host " + std::string(name));
  return **found;
}

const std::vector<std::unique_ptr<host>>& experiment::hosts() const noexcept {
  return state_->hosts;
}
const trace::ip_address& experiment::router() const noexcept {
  return state_->router;
}

namespace {

/// What a wait's limit is lengthened by, bit by bit.
class excuse {
 public:
  excuse(const std::function<std::chrono::nanoseconds()>& ask, clock::duration limit)
      : ask_(ask), most_(limit < std::chrono::hours(1) ? 9 * limit : clock::duration::zero()) {
    if (ask_) begin_ = ask_();
  }

  /// Not granted before, and not more than the most.
  [[nodiscard]] clock::duration granted() {
    if (!ask_) return clock::duration::zero();
    const auto all = std::min<clock::duration>(ask_() - begin_, most_);
    return all - std::exchange(granted_, std::max<clock::duration>(all, granted_));
  }

 private:
  const std::function<std::chrono::nanoseconds()>& ask_;
  clock::duration most_;
  std::chrono::nanoseconds begin_{};
  clock::duration granted_{};
};

}  // namespace

/// The one place in which the world moves: packets cross, then whatever else is
/// ready is taken in, until a packet matched or the condition holds.
bool experiment::state::wait(cable::stop when, const match* which, const std::function<bool()>& condition,
                             duration limit) {
  const auto began = clock::now();
  excuse excuse(excused, limit);
  auto deadline = began + std::min<clock::duration>(limit, std::chrono::hours(24 * 365));
  for (;;) {
    const auto crossed = wire->packets();
    const auto pumped = wire->pump(when, which);
    if (pumped == cable::pumped::until_match) return true;
    if (condition && condition()) return true;
    const bool more = pumped == cable::pumped::some;
    if (!more && wire->packets() != crossed) wire->linger();
    const auto before = clock::now();
    const auto left = deadline - before;
    if (left <= clock::duration::zero()) {
      const auto granted = excuse.granted();
      if (granted <= clock::duration::zero()) return false;
      deadline += granted;
      continue;
    }
    const auto longest = condition ? std::min<clock::duration>(left, heartbeat(before - began)) : left;
    const auto pause = more ? clock::duration::zero() : longest;
    events.turn(pause);
    // While this process stood still (a busy machine, a stopped virtual one), so did
    // the others, perhaps: that time is nobody's fault, and does not count.
    const auto overslept = clock::now() - before - pause;
    if (overslept > standstill) deadline += overslept;
  }
}

bool experiment::before(const match& which, duration limit) {
  return state_->wait(cable::stop::before_delivery, &which, {}, limit);
}
bool experiment::after(const match& which, duration limit) {
  return state_->wait(cable::stop::after_delivery, &which, {}, limit);
}
bool experiment::until(const std::function<bool()>& condition, duration limit) {
  return state_->wait(cable::stop::never, nullptr, condition, limit);
}
bool experiment::until_ended(const process& p, duration limit) {
  return until([&] { return p.ended().has_value(); }, limit);
}
bool experiment::until_says(const process& p, std::string_view text, duration limit) {
  return until([&] { return p.output().contains(text) || p.errors().contains(text); }, limit);
}
bool experiment::until_ready(const unique_fd& socket, duration limit) {
  bool ready = false;
  state_->events.watch(socket.get(), EPOLLIN, [&](std::uint32_t) { ready = true; });
  try {
    until([&] { return ready; }, limit);
  } catch (...) {
    state_->events.forget(socket.get());
    throw;
  }
  state_->events.forget(socket.get());
  return ready;
}
void experiment::watch(int descriptor, std::uint32_t events, std::function<void(std::uint32_t)> on_ready) {
  state_->events.watch(descriptor, events, std::move(on_ready));
}
void experiment::unwatch(int descriptor) noexcept {
  state_->events.forget(descriptor);
}
bool experiment::until_listening(const host& h, std::uint16_t port, duration limit) {
  return until([&] { return listens(h, port); }, limit);
}
void experiment::run_for(duration d) {
  const auto excused = std::exchange(state_->excused, {});  // a pause is as long as it is said to be
  try {
    state_->wait(cable::stop::never, nullptr, {}, d);
  } catch (...) {
    state_->excused = excused;
    throw;
  }
  state_->excused = excused;
}

bool experiment::until_quiet(duration silence, duration limit) {
  return until([&] { return clock::now() - state_->wire->last_packet() >= silence; }, limit);
}

const trace::packet& experiment::current() const noexcept {
  return state_->wire->current();
}
const trace::connection* experiment::current_connection() const noexcept {
  return state_->wire->current_connection();
}

void experiment::drop_current() {
  if (!state_->wire->has_current()) throw error("drop_current(): no packet is on the cable");
  state_->wire->drop_current();
}
void experiment::hold_current() {
  if (!state_->wire->has_current()) throw error("hold_current(): no packet is on the cable");
  state_->wire->hold_current();
}
void experiment::cut_current(std::size_t bytes, rest what) {
  if (!state_->wire->has_current()) throw error("cut_current(): no packet is on the cable");
  if (!state_->wire->cut_current(bytes, what)) throw error("cut_current(): the packet has no such part");
}
void experiment::reset_current() {
  if (!state_->wire->has_current()) throw error("reset_current(): no packet is on the cable");
  if (!state_->wire->reset_current()) throw error("reset_current(): no RST answers such a packet");
}
void experiment::hold(match which) {
  state_->wire->hold(std::move(which));
}
void experiment::lose(match which) {
  state_->wire->lose(std::move(which));
}
void experiment::release() {
  state_->wire->release();
}
std::size_t experiment::deliver(const trace::endpoint& sender, std::size_t bytes) {
  return state_->wire->deliver(sender, bytes);
}
void experiment::note(std::string what) {
  state_->wire->note(std::move(what));
}

void experiment::end_recording() {
  state_->wire->end_recording();
}

const trace::tracker& experiment::traffic() const noexcept {
  return state_->wire->traffic();
}
std::uint64_t experiment::packets() const noexcept {
  return state_->wire->packets();
}
std::uint64_t experiment::lost_to_capture() const {
  return state_->wire->overflowed();
}

trace::time_point experiment::now() noexcept {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

}  // namespace halfopen::lab
