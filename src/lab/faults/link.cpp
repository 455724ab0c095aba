#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {
namespace {

/// Nothing is wrong with it.
link_state& afresh(host& a, host& b, const std::string& now) {
  a.lab().note("the link between " + a.name() + " and " + b.name() + now);
  link_state& l = host_access::wire(a).link(a, b);
  l = {.a = &a, .b = &b};
  return l;
}

}  // namespace

void cut(host& a, host& b) {
  afresh(a, b, " is cut").is_cut = true;
}

void cut_after(host& a, host& b, const host& from, std::uint64_t bytes) {
  if (&from != &a && &from != &b) throw error(from.name() + " is no end of that link");
  if (bytes == 0) throw error("a link is cut after at least one byte");
  link_state& l =
      afresh(a, b, " will be cut after " + std::to_string(bytes) + " more bytes from " + from.name());
  l.countdown = link_state::last_bytes{.from = &from, .left = bytes, .said = {}};
  for (const trace::connection* c : a.lab().traffic().connections())
    for (const trace::side s : {trace::side::opener, trace::side::responder})
      if ((s == trace::side::opener ? c->opener : c->responder).address == from.address())
        l.countdown->said[c->first.number] = c->of(s).bytes;
}

void make_unreachable(host& a, host& b, unreachable_kind what) {
  link_state& l = afresh(a, b, " is cut, and a router says that the other side cannot be reached");
  l.is_cut = true;
  l.answer = what;
}

void delay(host& a, host& b, std::chrono::nanoseconds by) {
  if (by < std::chrono::nanoseconds::zero()) throw error("a delay is not negative");
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
  afresh(a, b, " delays each packet by " + std::to_string(ms) + " ms").delay = by;
}

void lose(host& a, host& b, double share) {
  if (!(share >= 0 && share <= 1)) throw error("a share of packets is between 0 and 1");
  afresh(a, b, " loses packets").lost_share = share;
}

void heal(host& a, host& b) {
  afresh(a, b, " is whole again");
}

link_condition condition_of(host& a, host& b) {
  const link_state* known = host_access::wire(a).known_link(a, b);
  if (known == nullptr) return {};
  const link_state& l = *known;
  return {.is_cut = l.is_cut,
          .router_says = l.is_cut ? l.answer : std::nullopt,
          .delay = l.delay,
          .lost_share = l.lost_share,
          .bytes_left = l.countdown ? std::optional(l.countdown->left) : std::nullopt};
}

}  // namespace halfopen::lab
