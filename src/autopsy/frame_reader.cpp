// From frames to packets, and what there is to say of those that are none.

#include <algorithm>
#include <utility>

#include "autopsy/examine.hpp"
#include "trace/spoken.hpp"

namespace halfopen::autopsy {
namespace {

constexpr std::size_t most_names = 100'000;
constexpr std::size_t most_comments = 10'000;

}  // namespace

frame_reader::frame_reader(std::vector<trace::capture_reader::source> from, const examine_options& options,
                           packet_outlet& to)
    : sources_{std::move(from)},
      options_{options},
      to_{to},
      fragments_{[this](std::span<const std::byte> ip, std::uint64_t number, trace::time_point when) {
        take_whole(ip, number, when);
      }} {}

/// 0 for a name that is none, or the hundred thousandth.
std::uint32_t frame_reader::number_of(std::string_view name) {
  if (name.empty()) return 0;
  const auto found = name_numbers_.find(name);
  if (found != name_numbers_.end()) return found->second;
  if (server_names_.size() >= most_names) return 0;
  server_names_.emplace_back(name);
  const auto number = static_cast<std::uint32_t>(server_names_.size());
  name_numbers_.emplace(name, number);
  return number;
}

void frame_reader::hand_on(trace::packet& p) {
  ++seen_.tcp;
  if (!p.tcp.payload.empty()) {
    const trace::speech said = trace::spoken_in(p.tcp.payload);
    p.tcp.says = said.what;
    p.tcp.name = number_of(said.name);
  }
  to_.take();
}

/// An IP packet that came in fragments.
void frame_reader::take_whole(std::span<const std::byte> ip, std::uint64_t number, trace::time_point when) {
  trace::packet& p = to_.next();
  if (trace::decode_into(p, ip, trace::link::raw_ip, number, when) && p.what != trace::packet::kind::other)
    hand_on(p);
}

void frame_reader::note_time(const trace::captured_frame& f) {
  if (f.when == trace::time_point{}) ++seen_.without_time;
  if (!seen_.first) seen_.first = seen_.last = f.when;
  if (f.when < *seen_.last) {
    ++seen_.backwards;
    seen_.furthest_back = std::max(seen_.furthest_back, *seen_.last - f.when);
  } else
    seen_.last = f.when;
}

void frame_reader::note_carriers(const trace::packet& p, bool was_read) {
  if (p.carried_in == 0) return;
  for (std::size_t i = 0; i < trace::carriers; ++i) {
    if ((p.carried_in >> i & 1U) == 0) continue;
    ++seen_.carried[i];
    if (!was_read || i == static_cast<std::size_t>(trace::carrier::encrypted)) ++seen_.not_read[i];
  }
}

void frame_reader::take(const trace::capture_reader& reader, const trace::captured_frame& f) {
  ++seen_.frames;
  const std::uint64_t number = base_ + f.number;
  note_time(f);
  if (options_.comments && !f.options.empty() && seen_.comments.size() < most_comments)
    for (std::string& text : reader.comments(f)) seen_.comments.push_back({number, f.when, std::move(text)});
  if (!f.type) {
    ++seen_.unknown_links[f.linktype];
    return;
  }
  if (options_.wanted && !options_.wanted(f)) {
    ++seen_.filtered;
    return;
  }
  trace::packet& p = to_.next();
  const auto read = trace::decode_into(p, f.bytes, *f.type, number, f.when);
  note_carriers(p, read.has_value());
  if (!read) {
    const trace::decode_error why = read.error();
    ++(why == trace::decode_error::not_ip      ? seen_.not_ip
       : why == trace::decode_error::truncated ? seen_.cut
                                               : seen_.odd);
    return;
  }
  if (!p.fragment.empty()) {
    ++seen_.fragments;
    fragments_.take(p.fragment, number, f.when);
    return;
  }
  if (!p.datagram.empty())
    trace::read_dns_answer(p.datagram, [this](const trace::ip_address& a, const std::string& name) {
      if (seen_.names.size() < most_names) seen_.names.try_emplace(a, name);
    });
  if (p.what != trace::packet::kind::other) hand_on(p);
}

void frame_reader::run() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    base_ = seen_.frames;
    seen_.begins.push_back(base_ + 1);
    trace::capture_reader reader{std::move(sources_[i])};
    while (to_.wants_more()) {
      const trace::captured_frame* f = reader.next();
      if (f == nullptr) break;
      take(reader, *f);
    }
    if (reader.error() && !seen_.error) {
      seen_.error = reader.error();
      seen_.error_file = i;
    }
    for (const auto& [address, name] : reader.names()) seen_.names[address] = name;  // before DNS's
    seen_.dropped += reader.dropped();
    seen_.damaged_blocks += reader.damaged_blocks();
  }
  fragments_.finish();
  seen_.incomplete = fragments_.given_up();
}

}  // namespace halfopen::autopsy
