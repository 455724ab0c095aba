#include "judge/system/link_traffic.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "judge/pair.hpp"
#include "trace/sequence.hpp"

namespace halfopen::judge {
namespace {

/// So much of a segment says which request it is.
constexpr std::size_t compared = 512;
/// Of very many packets the later ones are not kept: a storm needs no more.
constexpr std::size_t most_kept = 200'000;

}  // namespace

dependency_connection told_of(const trace::connection& c, trace::time_point fault) {
  const auto at = [&](const trace::mark& m) { return std::chrono::round<milliseconds>(m.when - fault); };
  const trace::flow &service = c.of(trace::side::opener), &dependency = c.of(trace::side::responder);
  dependency_connection told{.opened = at(c.first)};
  if (!dependency.syn) {
    const bool refused = dependency.rst.has_value();
    told.ended = at(refused ? *dependency.rst : c.last);
    told.how = refused ? connection_end::refused : connection_end::unanswered;
    return told;
  }
  const auto end_at = [&](const trace::optional_mark& m, connection_end how) {
    if (!m || (told.ended && *told.ended <= at(*m))) return;
    told.ended = at(*m);
    told.how = how;
  };
  for (const trace::flow* side : {&service, &dependency}) {
    end_at(side->rst, connection_end::reset);
    end_at(side->fin, connection_end::closed);
  }
  return told;
}

void link_traffic::know(const trace::ip_address& service, const trace::ip_address& dependency,
                        std::optional<trace::ip_address> also_dependency, std::size_t hosts) {
  service_ = service;
  dependency_ = dependency;
  also_ = also_dependency;
  hosts_ = hosts;
}

bool link_traffic::is_dependency(const trace::ip_address& a) const {
  return a == dependency_ || (also_ && a == *also_);
}

void link_traffic::take(const lab::record& r) {
  if (r.sender >= hosts_) return;
  const auto p = trace::decode(r.frame, trace::link::ethernet, r.number, r.when);
  if (!p || p->what != trace::packet::kind::tcp) return;
  const bool by_service = p->source == service_ && is_dependency(p->destination);
  if (!by_service && !(is_dependency(p->source) && p->destination == service_)) return;
  complete_ = segments_.size() < most_kept;
  if (!complete_) return;
  segment s;
  s.number = r.number;
  s.when = r.when;
  s.by_service = by_service;
  s.arrived = r.became == lab::passage::delivered || r.became == lab::passage::cut;
  s.of_spare = also_ && (p->source == *also_ || p->destination == *also_);
  s.opener = by_service ? p->tcp.source : p->tcp.destination;
  s.sequence = p->tcp.sequence;
  s.length = p->tcp.length;
  if (!by_service && p->tcp.has(trace::ack) && !p->tcp.has(trace::rst))
    s.acknowledges = p->tcp.acknowledgement;
  if (by_service && s.length > 0) {
    const auto bytes = p->tcp.payload.first(std::min(p->tcp.payload.size(), compared));
    s.shape = shape_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  segments_.push_back(std::move(s));
}

std::size_t link_traffic::delivered(trace::time_point from, std::uint64_t until_packet) const {
  return static_cast<std::size_t>(std::ranges::count_if(segments_, [&](const segment& s) {
    return s.arrived && !s.of_spare && s.when > from && s.number <= until_packet;
  }));
}

std::size_t link_traffic::said_by_dependency(trace::time_point from, trace::time_point until) const {
  return static_cast<std::size_t>(std::ranges::count_if(segments_, [&](const segment& s) {
    return !s.by_service && !s.of_spare && s.length > 0 && s.when > from && s.when < until;
  }));
}

std::size_t link_traffic::delivered_on(const std::vector<trace::endpoint>& openers,
                                       trace::time_point since) const {
  return static_cast<std::size_t>(std::ranges::count_if(segments_, [&](const segment& s) {
    return s.arrived && s.when > since && std::ranges::count(openers, s.opener) > 0;
  }));
}

std::size_t link_traffic::sent_by_service(trace::time_point since, trace::time_point until) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      segments_, [&](const segment& s) { return s.by_service && s.when > since && s.when < until; }));
}

std::vector<stale_use> link_traffic::stale_uses(const std::vector<const trace::connection*>& all,
                                                trace::time_point fault) const {
  const auto since_fault = [&](trace::time_point t) { return std::chrono::round<milliseconds>(t - fault); };
  std::vector<stale_use> uses;
  for (const trace::connection* c : all) {
    const trace::flow& dependency = c->of(trace::side::responder);
    if (!dependency.fin_acked_at || !dependency.rst) continue;
    const auto ended = dependency.fin_acked_at->when;
    std::optional<std::uint32_t> said_up_to;
    for (const segment& s : segments_) {
      if (!s.by_service || s.length == 0 || s.opener != c->opener || s.when < c->first.when) continue;
      const std::uint32_t end = s.sequence + s.length;
      if (said_up_to && trace::at_or_before(end, *said_up_to)) continue;
      said_up_to = end;
      if (s.when <= ended) continue;
      if (s.when <= dependency.rst->when) uses.push_back({since_fault(ended), since_fault(s.when), s.number});
      break;
    }
  }
  std::ranges::sort(uses, {}, &stale_use::used);
  return uses;
}

std::map<trace::endpoint, bool> link_traffic::said_on(trace::time_point since) const {
  std::map<trace::endpoint, std::uint32_t> said_up_to;  // sequence; what ends no later repeats it
  std::map<trace::endpoint, bool> answered;
  for (const segment& s : segments_) {
    if (s.of_spare || s.length == 0) continue;
    if (!s.by_service) {
      if (const auto asked = answered.find(s.opener); asked != answered.end()) asked->second |= s.arrived;
      continue;
    }
    const std::uint32_t end = s.sequence + s.length;
    const auto [known, is_first] = said_up_to.try_emplace(s.opener, end);
    if (!is_first && trace::at_or_before(end, known->second)) continue;
    known->second = end;
    if (s.when >= since) answered[s.opener] = false;
  }
  return answered;
}

bool link_traffic::spoke_since(trace::time_point since) const {
  const auto said = [&](bool by_service) {
    return std::ranges::any_of(segments_, [&](const segment& s) {
      return s.by_service == by_service && s.arrived && s.length > 0 && s.when > since;
    });
  };
  return said(true) && said(false);
}

std::vector<std::string> link_traffic::said(trace::time_point since) const {
  std::vector<std::string> all;
  for (const segment& s : segments_)
    if (s.by_service && s.length > 0 && s.when >= since && std::ranges::count(all, s.shape) == 0)
      all.push_back(s.shape);
  return all;
}

link_traffic::repeats link_traffic::requests_like(const std::string& shape, trace::time_point since) const {
  std::map<trace::endpoint, std::uint32_t> acknowledged;  // up to that sequence number, by opener
  for (const segment& s : segments_) {
    if (!s.acknowledges) continue;
    const auto [known, is_first] = acknowledged.try_emplace(s.opener, *s.acknowledges);
    if (!is_first && trace::at_or_before(known->second, *s.acknowledges)) known->second = *s.acknowledges;
  }
  repeats made;
  std::set<std::pair<trace::endpoint, std::uint32_t>> known;
  for (const segment& s : segments_) {
    if (!s.by_service || s.length == 0 || s.when < since || s.shape != shape) continue;
    if (!known.insert({s.opener, s.sequence}).second) continue;  // repeated by the kernel
    const auto up_to = acknowledged.find(s.opener);
    if (up_to == acknowledged.end() || !trace::at_or_before(s.sequence + s.length, up_to->second)) continue;
    if (made.arrived++ == 0) made.first = s.number;
    made.last = s.number;
  }
  return made;
}

}  // namespace halfopen::judge
