// The C interface: fate.hpp and liveness.hpp with structures and numbers in place of C++'s types. It decides
// nothing of its own.
//
// Structures are the caller's, and grow at their end, as those of clone3(2) do: `size` says how much of one
// the caller knows. An opaque handle would need no such care, but an allocation for each end of a connection,
// and a function for each member in every language that calls it.
//
// Enumerators travel as int, so that one that is out of range is a number like any other and no undefined
// behaviour. Their values are written out in both headers, and held against each other here.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "halfopen/fate.hpp"
#include "halfopen/liveness.hpp"

#pragma GCC visibility push(default)  // all else is hidden (CMakeLists.txt)
#include "halfopen/halfopen.h"
#pragma GCC visibility pop

namespace {

using halfopen::ending;
using halfopen::operation;
using halfopen::phase;
using halfopen::retry;
using std::chrono::milliseconds;
using std::chrono::seconds;

template <class Enum>
constexpr bool is(Enum cpp, int c) {
  return static_cast<int>(cpp) == c;
}
static_assert(is(ending::completed, HALFOPEN_COMPLETED) && is(ending::refused, HALFOPEN_REFUSED) &&
              is(ending::aborted_before_accept, HALFOPEN_ABORTED_BEFORE_ACCEPT) &&
              is(ending::peer_closed, HALFOPEN_PEER_CLOSED) && is(ending::peer_reset, HALFOPEN_PEER_RESET) &&
              is(ending::broken_pipe, HALFOPEN_BROKEN_PIPE) &&
              is(ending::peer_vanished, HALFOPEN_PEER_VANISHED) &&
              is(ending::host_unreachable, HALFOPEN_HOST_UNREACHABLE) &&
              is(ending::net_unreachable, HALFOPEN_NET_UNREACHABLE) &&
              is(ending::peer_rebooted, HALFOPEN_PEER_REBOOTED) &&
              is(ending::deadline_passed, HALFOPEN_DEADLINE_PASSED) &&
              is(ending::shut_down, HALFOPEN_SHUT_DOWN) && is(ending::malformed, HALFOPEN_MALFORMED) &&
              is(ending::local_failure, HALFOPEN_LOCAL_FAILURE));
static_assert(is(phase::connecting, HALFOPEN_CONNECTING) && is(phase::idle, HALFOPEN_IDLE) &&
              is(phase::sending, HALFOPEN_SENDING) && is(phase::awaiting_reply, HALFOPEN_AWAITING_REPLY) &&
              is(phase::receiving_reply, HALFOPEN_RECEIVING_REPLY));
static_assert(is(retry::safe, HALFOPEN_SAFE) && is(retry::unknown, HALFOPEN_UNKNOWN) &&
              is(retry::pointless, HALFOPEN_POINTLESS));
static_assert(is(operation::connect, HALFOPEN_CONNECT) && is(operation::accept, HALFOPEN_ACCEPT) &&
              is(operation::read, HALFOPEN_READ) && is(operation::write, HALFOPEN_WRITE));

constexpr int phases = 5;
constexpr int retries = 3;
constexpr int operations = 4;
constexpr int no_error = 0;

/// Out of range stays out of range: the names are "?" then.
template <class Enum>
Enum word(int value) noexcept {
  return static_cast<Enum>(value >= 0 && value < UINT8_MAX ? value : UINT8_MAX);
}

class keep_errno {
 public:
  keep_errno() = default;
  ~keep_errno() { errno = kept_; }
  keep_errno(const keep_errno&) = delete;
  keep_errno& operator=(const keep_errno&) = delete;

 private:
  int kept_ = errno;
};

// ---- structures whose end may be another one in the caller's header ----

/// The size that a structure had in the first libhalfopen.so.1: less is no such structure. When a structure
/// gets a new member, its line here says where the old ones ended.
template <class Struct>
constexpr std::size_t first_size = sizeof(Struct);

/// What we made, as far as the caller knows it.
template <class Struct>
int give(Struct made, Struct* into) noexcept {
  if (!into || into->size < first_size<Struct>) return EINVAL;
  made.size = into->size;
  std::memcpy(into, &made, std::min<std::size_t>(into->size, sizeof made));
  if (into->size > sizeof made)
    std::memset(reinterpret_cast<char*>(into) + sizeof made, 0, into->size - sizeof made);
  return no_error;
}

/// What the caller knows; the rest as INIT would have it, in `otherwise`.
template <class Struct>
std::optional<Struct> take(const Struct* from, Struct otherwise) noexcept {
  if (!from || from->size < first_size<Struct>) return std::nullopt;
  std::memcpy(&otherwise, from, std::min<std::size_t>(from->size, sizeof otherwise));
  return otherwise;
}

// ---- fates ----

/// Every text of the library's is a literal, and so has its NUL.
const char* text(std::string_view literal) noexcept {
  return literal.empty() ? "" : literal.data();
}

halfopen_fate in_c(const halfopen::fate& f) noexcept {
  halfopen_fate made = HALFOPEN_FATE_INIT;
  made.how = static_cast<int>(f.how);
  if (f.or_else) made.or_else = static_cast<int>(*f.or_else);
  made.when = static_cast<int>(f.when);
  made.again = static_cast<int>(f.again);
  made.during = static_cast<int>(f.during);
  made.error = f.error;
  made.detail = text(f.detail);
  const halfopen::evidence& seen = *f.seen;
  made.still_open = seen.still_open ? 1 : 0;
  if (seen.last_heard) made.last_heard_ms = seen.last_heard->count();
  made.round_trip_us = seen.round_trip.count();
  made.unacknowledged = seen.unacknowledged;
  made.unsent = seen.unsent;
  made.retransmissions = seen.retransmissions;
  if (!seen.icmp) return made;
  made.icmp_version = seen.icmp->v6 ? 6 : 4;
  made.icmp_type = seen.icmp->type;
  made.icmp_code = seen.icmp->code;
  std::ranges::copy(seen.icmp->router, made.icmp_router);
  return made;
}

halfopen::fate in_cpp(const halfopen_fate& f) noexcept {
  halfopen::evidence seen;
  if (f.last_heard_ms >= 0) seen.last_heard = milliseconds(f.last_heard_ms);
  seen.round_trip = std::chrono::microseconds(f.round_trip_us);
  seen.unacknowledged = f.unacknowledged;
  seen.unsent = f.unsent;
  seen.retransmissions = f.retransmissions;
  seen.still_open = f.still_open != 0;
  if (f.icmp_version != 0) {
    halfopen::icmp_report from;
    from.v6 = f.icmp_version == 6;
    from.type = f.icmp_type;
    from.code = f.icmp_code;
    std::ranges::copy(f.icmp_router, from.router.begin());
    seen.icmp = from;
  }
  halfopen::fate made;
  made.how = word<ending>(f.how);
  if (f.or_else != HALFOPEN_NO_ENDING) made.or_else = word<ending>(f.or_else);
  made.when = word<phase>(f.when);
  made.again = word<retry>(f.again);
  made.during = word<operation>(f.during);
  made.error = f.error;
  if (f.detail) made.detail = f.detail;
  made.seen = seen;
  return made;
}

/// As snprintf(3).
std::size_t write_out(std::string_view whole, char* buffer, std::size_t size) noexcept {
  if (!buffer || size == 0) return whole.size();
  const std::size_t fits = std::min(whole.size(), size - 1);
  std::memcpy(buffer, whole.data(), fits);
  buffer[fits] = '\0';
  return whole.size();
}

template <class Words>
std::size_t say(const halfopen_fate* f, char* buffer, std::size_t size, Words words) noexcept {
  const keep_errno kept;
  try {
    const auto known = take(f, halfopen_fate HALFOPEN_FATE_INIT);
    return write_out(known ? words(in_cpp(*known)) : std::string{}, buffer, size);
  } catch (const std::bad_alloc&) {
    return write_out("", buffer, size);
  }
}

// ---- words ----

halfopen_meaning meaning_of(const halfopen::explanation& e, int of_ending = HALFOPEN_NO_ENDING) noexcept {
  halfopen_meaning made = HALFOPEN_MEANING_INIT;
  made.endings[0] = of_ending;
  made.name = text(e.name);
  made.means = text(e.means);
  made.causes = text(e.causes);
  made.advice = text(e.advice);
  return made;
}

std::optional<halfopen_meaning> meaning_of(std::string_view name) noexcept {
  if (const auto e = halfopen::parse_ending(name))
    return meaning_of(halfopen::explain(*e), static_cast<int>(*e));
  for (int i = 0; i < phases; ++i)
    if (to_string(word<phase>(i)) == name) return meaning_of(halfopen::explain(word<phase>(i)));
  for (int i = 0; i < retries; ++i)
    if (to_string(word<retry>(i)) == name) return meaning_of(halfopen::explain(word<retry>(i)));
  const auto number = halfopen::parse_errno(name);
  if (!number) return std::nullopt;
  halfopen_meaning made = HALFOPEN_MEANING_INIT;
  made.error = number->error;
  for (std::size_t i = 0; i < number->endings.size(); ++i)
    if (number->endings[i]) made.endings[i] = static_cast<int>(*number->endings[i]);
  made.name = strerrorname_np(number->error);
  made.means = strerrordesc_np(number->error);
  return made;
}

// ---- liveness ----

int error_of(const std::error_code& e) noexcept {
  return e.value();
}

halfopen_liveness in_c(const halfopen::liveness& l) noexcept {
  return {sizeof(halfopen_liveness), l.keepalive ? 1 : 0, l.idle.count(), l.interval.count(), l.probes,
          l.user_timeout.count()};
}

/// Figures that the arithmetic of timers can take; what the kernel cannot, it refuses itself.
std::int64_t sane(std::int64_t figure) noexcept {
  return std::clamp<std::int64_t>(figure, INT32_MIN, INT32_MAX);
}
int small(std::int64_t figure) noexcept {
  return static_cast<int>(sane(figure));
}

halfopen::liveness in_cpp(const halfopen_liveness& l) noexcept {
  return {l.keepalive != 0, seconds(sane(l.idle_s)), seconds(sane(l.interval_s)), small(l.probes),
          milliseconds(sane(l.user_timeout_ms))};
}

halfopen_kernel_timers in_c(const halfopen::kernel_timers& t) noexcept {
  return {sizeof(halfopen_kernel_timers),
          t.retries2,
          t.syn_retries,
          t.syn_linear_timeouts,
          t.rto_min.count(),
          t.rto_max.count(),
          t.keepalive_time.count(),
          t.keepalive_interval.count(),
          t.keepalive_probes};
}

halfopen::kernel_timers in_cpp(const halfopen_kernel_timers& t) noexcept {
  halfopen::kernel_timers made;
  made.retries2 = std::clamp(t.retries2, 0, 255);  // what the sysctls take
  made.syn_retries = std::clamp(t.syn_retries, 0, 127);
  made.syn_linear_timeouts = std::clamp(t.syn_linear_timeouts, 0, 127);
  made.rto_min = milliseconds(std::max<std::int64_t>(1, sane(t.rto_min_ms)));
  made.rto_max = milliseconds(std::max<std::int64_t>(1, sane(t.rto_max_ms)));
  made.keepalive_time = seconds(sane(t.keepalive_time_s));
  made.keepalive_interval = seconds(sane(t.keepalive_interval_s));
  made.keepalive_probes = small(t.keepalive_probes);
  return made;
}

halfopen_hang in_c(const halfopen::hang& h) noexcept {
  const auto length = [](std::optional<milliseconds> d) { return d ? d->count() : HALFOPEN_FOR_EVER; };
  return {sizeof(halfopen_hang), 0, length(h.idle), length(h.in_flight), length(h.connecting)};
}

/// What may read files, and so may want memory.
template <class Work>
int with_memory(Work work) noexcept {
  const keep_errno kept;
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

}  // namespace

extern "C" {

int halfopen_diagnose(halfopen_fate* into, int fd, int during, int error, int when) {
  if (during < 0 || during >= operations || when < HALFOPEN_BY_OPERATION || when >= phases) return EINVAL;
  if (!into || into->size < first_size<halfopen_fate>) return EINVAL;  // before anything is taken off a queue
  std::optional<phase> in_phase;
  if (when != HALFOPEN_BY_OPERATION) in_phase = word<phase>(when);
  return give(in_c(halfopen::diagnose(fd, word<operation>(during), error, in_phase)), into);
}

int halfopen_ending_of(int during, int error) {
  if (during < 0 || during >= operations) return HALFOPEN_NO_ENDING;
  return static_cast<int>(halfopen::ending_of(word<operation>(during), error));
}

size_t halfopen_to_string(const halfopen_fate* f, char* buffer, size_t size) {
  return say(f, buffer, size, [](const halfopen::fate& known) { return to_string(known); });
}

size_t halfopen_explain(const halfopen_fate* f, char* buffer, size_t size) {
  return say(f, buffer, size, [](const halfopen::fate& known) { return explain(known); });
}

const char* halfopen_ending_name(int e) {
  return text(to_string(word<ending>(e)));
}
const char* halfopen_phase_name(int p) {
  return text(to_string(word<phase>(p)));
}
const char* halfopen_retry_name(int r) {
  return text(to_string(word<retry>(r)));
}
const char* halfopen_operation_name(int o) {
  return text(to_string(word<operation>(o)));
}

int halfopen_ending_by_name(const char* name) {
  const auto found = name ? halfopen::parse_ending(name) : std::nullopt;
  return found ? static_cast<int>(*found) : HALFOPEN_NO_ENDING;
}

int halfopen_describe(halfopen_meaning* into, const char* word_to_describe) {
  if (!word_to_describe) return EINVAL;
  const auto found = meaning_of(std::string_view(word_to_describe));
  return found ? give(*found, into) : ENOENT;
}

int halfopen_noticed_within(halfopen_liveness* into, int64_t within_ms) {
  return give(in_c(halfopen::noticed_within(milliseconds(within_ms))), into);
}

int halfopen_set_liveness(int fd, int64_t within_ms) {
  const keep_errno kept;
  return error_of(halfopen::set_liveness(fd, milliseconds(within_ms)).error());
}

int halfopen_set_options(int fd, const halfopen_liveness* options) {
  const keep_errno kept;
  const auto known = take(options, halfopen_liveness HALFOPEN_LIVENESS_INIT);
  return known ? error_of(halfopen::set_liveness(fd, in_cpp(*known)).error()) : EINVAL;
}

int halfopen_liveness_of(halfopen_liveness* into, int fd) {
  const keep_errno kept;
  const auto has = halfopen::liveness_of(fd);
  return has ? give(in_c(*has), into) : error_of(has.error());
}

int halfopen_report_icmp(int fd, int at_once) {
  const keep_errno kept;
  return error_of(halfopen::report_icmp(fd, at_once != 0).error());
}

int halfopen_read_kernel_timers(halfopen_kernel_timers* into) {
  return with_memory([into] { return give(in_c(halfopen::read_kernel_timers()), into); });
}

int halfopen_would_hang(halfopen_hang* into, int fd) {
  return with_memory([into, fd] {
    const auto found = halfopen::would_hang(fd);
    return found ? give(in_c(*found), into) : error_of(found.error());
  });
}

int halfopen_would_hang_with(halfopen_hang* into, const halfopen_liveness* options,
                             const halfopen_kernel_timers* timers) {
  const auto has = take(options, halfopen_liveness HALFOPEN_LIVENESS_INIT);
  const halfopen_kernel_timers usual = HALFOPEN_KERNEL_TIMERS_INIT;
  const auto in_kernel = take(timers ? timers : &usual, usual);
  if (!has || !in_kernel) return EINVAL;
  return give(in_c(halfopen::would_hang(in_cpp(*has), in_cpp(*in_kernel))), into);
}

const char* halfopen_version() {
  return HALFOPEN_VERSION;
}

}  // extern "C"
