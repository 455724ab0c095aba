// A fate in words: one line for a log, one sentence for a person.
//
// strerrorname_np and strerrordesc_np (glibc 2.32) instead of strerror: they are
// thread-safe, and in English whatever the locale, so that a log can be searched.

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "halfopen/fate.hpp"

namespace halfopen {
namespace {

std::string errno_text(int error) {
  const char* name = strerrorname_np(error);
  return name ? name : "errno " + std::to_string(error);
}

/// "read: ECONNRESET (Connection reset by peer)", "read: end-of-file".
std::string what_failed(const fate& f) {
  std::string text{to_string(f.during)};
  if (f.error == 0) return f.detail.empty() ? text : text.append(": ").append(f.detail);
  text += ": " + errno_text(f.error);
  const char* words = strerrordesc_np(f.error);
  if (!words && f.detail.empty()) return text;
  text += " (";
  if (words) text += words;
  if (words && !f.detail.empty()) text += "; ";
  return text.append(f.detail).append(")");
}

std::string duration_text(std::chrono::milliseconds d) {
  if (d.count() < 1000) return std::to_string(d.count()) + " ms";
  return std::to_string(d.count() / 1000) + "." + std::to_string(d.count() % 1000 / 100) + " s";
}

std::string counted(std::uint32_t n, std::string_view what) {
  return std::to_string(n).append(" ").append(what).append(n == 1 ? "" : "s");
}

std::string_view happened(ending e) noexcept {
  switch (e) {
    case ending::completed:
      return "nothing went wrong";
    case ending::refused:
      return "the peer's host refused the connection";
    case ending::aborted_before_accept:
      return "the connection was reset before it was accepted";
    case ending::peer_closed:
      return "the peer closed the connection where more bytes were owed";
    case ending::peer_reset:
      return "the peer reset the connection";
    case ending::broken_pipe:
      return "bytes were written after the connection had been reset";
    case ending::peer_vanished:
      return "the peer's host no longer answers";
    case ending::host_unreachable:
      return "the peer's host cannot be reached";
    case ending::net_unreachable:
      return "the peer's network cannot be reached";
    case ending::peer_rebooted:
      return "the peer's host no longer knows the connection, as after a reboot";
    case ending::deadline_passed:
      return "our own time limit passed, and what became of the peer is unknown";
    case ending::shut_down:
      return "our own side was told to stop";
    case ending::malformed:
      return "the bytes are not in the agreed format";
    case ending::local_failure:
      return "this host itself failed";
  }
  return "?";
}

std::string_view happened(const fate& f) noexcept {
  // What has no errno is no failure of the machine: the peer's certificate was not accepted, there is no
  // such name, somebody's handler threw.
  if (f.how == ending::local_failure && f.error == 0 && !f.detail.empty()) return "this side did not go on";
  return happened(f.how);
}

/// The other reading of the same evidence, as an addition.
std::string_view or_perhaps(ending e) noexcept {
  switch (e) {
    case ending::peer_rebooted:
      return ", or its host rebooted";
    case ending::peer_reset:
      return ", or the peer reset it";
    case ending::peer_vanished:
      return ", or the peer is gone";
    default:
      return "";
  }
}

std::string_view meanwhile(phase p) noexcept {
  switch (p) {
    case phase::connecting:
      return "While the connection was being opened, ";
    case phase::idle:
      return "While the connection was idle, ";
    case phase::sending:
      return "While a request was being sent, ";
    case phase::awaiting_reply:
      return "While a reply was awaited, ";
    case phase::receiving_reply:
      return "In the middle of a reply, ";
  }
  return "";
}

/// What it rests on: the call first, then what the kernel knew.
std::string grounds(const fate& f) {
  std::string text = what_failed(f);
  const evidence& seen = *f.seen;
  if (seen.last_heard) text += ", last heard " + duration_text(*seen.last_heard) + " before";
  if (seen.unacknowledged > 0) text += ", " + counted(seen.unacknowledged, "byte") + " unacknowledged";
  if (seen.unsent > 0) text += ", " + counted(seen.unsent, "byte") + " unsent";
  if (seen.retransmissions > 0) text += ", " + counted(seen.retransmissions, "retransmission");
  if (seen.icmp)
    text += ", ICMP type " + std::to_string(seen.icmp->type) + " code " + std::to_string(seen.icmp->code) +
            " from " + seen.icmp->router_text();
  const bool unreachable = f.how == ending::host_unreachable || f.how == ending::net_unreachable;
  if (unreachable && seen.still_open) text += ", and the kernel keeps trying";
  return text;
}

std::string_view what_may_be_done(const fate& f) noexcept {
  if (f.how == ending::completed) return "there is nothing to do";
  switch (f.again) {
    case retry::safe:
      return f.during == operation::accept ? "accept the next one"
                                           : "it is safe to try again, for the peer got no byte of a request";
    case retry::unknown:
      return "the peer may have acted on the request, so send it again only if twice does no harm";
    case retry::pointless:
      return "to try again would not help";
  }
  return "?";
}

}  // namespace

std::string to_string(const fate& f) {
  std::string text{to_string(f.how)};
  if (f.or_else) text.append(" or ").append(to_string(*f.or_else));
  text.append(" while ").append(to_string(f.when)).append(": ").append(what_failed(f));
  return text.append("; retry: ").append(to_string(f.again));
}

std::string explain(const fate& f) {
  // Of what this host itself failed to do, or of an accept, the phase tells nothing.
  const bool in_phase = f.how != ending::local_failure && f.during != operation::accept;
  std::string text{in_phase ? meanwhile(f.when) : std::string_view{}};
  text += happened(f);
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  if (f.or_else) text += or_perhaps(*f.or_else);
  text.append(" (").append(grounds(f)).append("); ").append(what_may_be_done(f)).append(".");
  return text;
}

std::string icmp_report::router_text() const {
  if (std::ranges::all_of(router, [](std::uint8_t byte) { return byte == 0; })) return "?";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const char* done = inet_ntop(v6 ? AF_INET6 : AF_INET, router.data(), text.data(), text.size());
  return done ? done : "?";
}

}  // namespace halfopen
