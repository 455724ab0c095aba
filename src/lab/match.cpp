#include "halfopen/lab/match.hpp"

#include "halfopen/lab/host.hpp"

namespace halfopen::lab {
namespace {

bool is_tcp(const arrival& a) {
  return a.packet->what == trace::packet::kind::tcp;
}

/// Which side of the packet's connection that host is.
std::optional<trace::side> side_of(const arrival& a, const host& who) {
  if (a.connection == nullptr) return std::nullopt;
  if (a.connection->opener.address == who.address()) return trace::side::opener;
  if (a.connection->responder.address == who.address()) return trace::side::responder;
  return std::nullopt;
}

/// A condition on what one host has said on this packet's connection.
match about(const host& who, std::function<bool(const trace::flow&)> condition) {
  return match([&who, condition = std::move(condition)](const arrival& a) {
    const auto side = side_of(a, who);
    return is_tcp(a) && side && condition(a.connection->of(*side));
  });
}

}  // namespace

match operator&&(match a, match b) {
  return match([a = std::move(a), b = std::move(b)](const arrival& x) { return a(x) && b(x); });
}
match operator||(match a, match b) {
  return match([a = std::move(a), b = std::move(b)](const arrival& x) { return a(x) || b(x); });
}
match operator!(match a) {
  return match([a = std::move(a)](const arrival& x) { return !a(x); });
}

match any() {
  return match([](const arrival&) { return true; });
}
match from(const host& sender) {
  return match([&sender](const arrival& a) { return a.from == &sender; });
}
match to(const host& receiver) {
  return match([&receiver](const arrival& a) { return a.to == &receiver; });
}
match to_port(std::uint16_t port) {
  return match([port](const arrival& a) {
    return is_tcp(a) && (a.packet->tcp.source.port == port || a.packet->tcp.destination.port == port);
  });
}
match on(const trace::endpoint& opener) {
  return match(
      [opener](const arrival& a) { return a.connection != nullptr && a.connection->opener == opener; });
}
match later_than(std::uint64_t number) {
  return match([number](const arrival& a) { return a.packet->number > number; });
}
match flags(std::uint8_t all_of) {
  return match([all_of](const arrival& a) { return is_tcp(a) && a.packet->tcp.has(all_of); });
}
match syn() {
  return flags(trace::syn) && !flags(trace::ack);
}
match syn_ack() {
  return flags(trace::syn | trace::ack);
}
match fin() {
  return flags(trace::fin);
}
match reset() {
  return flags(trace::rst);
}
match payload() {
  return match([](const arrival& a) { return is_tcp(a) && a.packet->tcp.length > 0; });
}
match icmp() {
  return match([](const arrival& a) { return a.packet->what == trace::packet::kind::icmp; });
}
match said(const host& who, std::uint64_t bytes) {
  return from(who) && about(who, [bytes](const trace::flow& f) { return f.bytes >= bytes; });
}
match acked(const host& who, std::uint64_t bytes) {
  return to(who) && about(who, [bytes](const trace::flow& f) { return f.acked >= bytes; });
}
match fin_acked(const host& who) {
  return to(who) && about(who, [](const trace::flow& f) { return f.fin_acked; });
}
match retransmission(const host& who) {
  return from(who) && match([&who](const arrival& a) {
           const auto side = side_of(a, who);
           return is_tcp(a) && side && a.connection->of(*side).last_retransmission &&
                  a.connection->of(*side).last_retransmission->number == a.packet->number;
         });
}

}  // namespace halfopen::lab
