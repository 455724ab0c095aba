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

}  // namespace halfopen::lab
