// Any bytes, read as a capture and told to the end.
//
// The input is a row of frames, each behind its length (two bytes) and the
// milliseconds since the one before (one byte); the first byte of all chooses the
// link type. Beside the sanitizers' checks: what is counted has to agree with
// itself, since a teller draws conclusions from it.

#include <cstdlib>
#include <span>

#include "halfopen/trace/story.hpp"
#include "trace/fragments.hpp"
#include "trace/spoken.hpp"
#include "trace/strip_link.hpp"

namespace halfopen::trace {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

/// The links in the order of the numbers that choose them.
link chosen_link(std::uint8_t byte);
link chosen_link(std::uint8_t byte) {
  constexpr std::array all{link::ethernet,
                           link::raw_ip,
                           link::bsd_loopback,
                           link::linux_sll,
                           link::linux_sll2,
                           link::slip,
                           link::ppp,
                           link::fddi,
                           link::pppoe,
                           link::atm_llc,
                           link::cisco_hdlc,
                           link::wlan,
                           link::frame_relay,
                           link::openbsd_enc,
                           link::pflog,
                           link::wlan_prism,
                           link::sun_atm,
                           link::wlan_radiotap,
                           link::arcnet_linux,
                           link::juniper_atm1,
                           link::multilink_frame_relay,
                           link::ppi,
                           link::ppp_with_direction,
                           link::nflog};
  return all[byte % all.size()];
}

namespace {

void check(const flow& f) {
  require(f.acked <= f.bytes);
  require(f.data_segments <= f.segments);
  require(f.retransmissions + f.keepalive_probes <= f.segments);
  require(f.repeats_unanswered <= f.unanswered);
  require(f.fin_acked == f.fin_acked_at.has_value());
  require(f.rst.has_value() == f.rst_kind.has_value());
  require(!f.rst_answers || f.rst);
  require(f.longest_pause.lasted.count() >= 0);
  require(f.zero_window_longest.count() >= 0 && f.repeat_gap.count() >= 0);
}

void check(const story& s) {
  require(!s.why.empty());
  require(s.ended == (s.by != culprit::unknown));
  require(s.could_be(s.how) == s.ended);
  require(!s.half_open_for || s.half_open_for->count() >= 0);
  require(s.what.last.when >= s.what.first.when);
  require(!describe(s).empty());
  for (const flow& f : s.what.flows) check(f);
}

/// What a packet says, on whatever link; the whole frame is tried as well, so that the way there is short.
void look_into(const packet& p) {
  require(spoken_in(p.tcp.payload).name.size() <= p.tcp.payload.size());
  read_dns_answer(p.datagram, [](const ip_address&, const std::string& name) { require(!name.empty()); });
}

int tell_all(bytes rest) {
  if (rest.empty()) return 0;
  const link type = chosen_link(octet(rest, 0));
  rest = rest.subspan(1);

  tracker t;
  defragmenter together{[&t](bytes ip, std::uint64_t number, time_point when) {
    if (const auto p = decode(ip, link::raw_ip, number, when)) t.add(*p);
  }};
  time_point now{};
  for (std::uint64_t number = 1; rest.size() >= 3; ++number) {
    const std::size_t length = std::min<std::size_t>(be16(rest, 0), rest.size() - 3);
    now += std::chrono::milliseconds{octet(rest, 2)};
    // A copy of its own, so that a read past the frame is a read past an allocation.
    const std::vector<std::byte> frame(rest.begin() + 3,
                                       rest.begin() + 3 + static_cast<std::ptrdiff_t>(length));
    rest = rest.subspan(3 + length);
    const auto p = decode(frame, type, number, now);
    if (p && !p->fragment.empty())
      together.take(p->fragment, number, now);
    else if (p)
      t.add(*p);
    if (p) look_into(*p);
    if (const speech s = spoken_in(frame); !s.name.empty()) require(s.what != protocol::unknown);
    if (const auto said = tls_hello_in(frame); said && said->of_server) require(said->name.empty());
    read_dns_answer(frame, [](const ip_address&, const std::string& name) { require(!name.empty()); });
  }
  together.finish();
  for (const connection* c : t.connections()) {
    check(tell(*c));
    check(tell(*c, {.owed_by_responder = 10, .capture_end = now + std::chrono::minutes{1}}));
  }
  return 0;
}

}  // namespace
}  // namespace halfopen::trace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return halfopen::trace::tell_all(std::as_bytes(std::span{data, size}));
}
