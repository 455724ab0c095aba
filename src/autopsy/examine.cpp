// The loop from bytes to stories. One thread: decoding a packet and following its
// connection takes about as long as handing it to another thread would.

#include "autopsy/examine.hpp"

#include <algorithm>
#include <utility>

namespace halfopen::autopsy {

examiner::examiner(std::vector<trace::capture_reader::source> from, examine_options options,
                   trace::story_stream::sink to)
    : sources_{std::move(from)},
      options_{std::move(options)},
      stories_{std::move(to), options_.limits, options_.steps, options_.owed},
      fragments_{[this](std::span<const std::byte> ip, std::uint64_t number, trace::time_point when) {
        take_whole(ip, number, when);
      }} {}

/// An IP packet that came in fragments.
void examiner::take_whole(std::span<const std::byte> ip, std::uint64_t number, trace::time_point when) {
  trace::packet& p = stories_.next();
  if (!trace::decode_into(p, ip, trace::link::raw_ip, number, when) || p.what == trace::packet::kind::other)
    return;
  ++seen_.tcp;
  stories_.take();
}

void examiner::take(const trace::capture_reader& reader, const trace::captured_frame& f) {
  ++seen_.frames;
  const std::uint64_t number = base_ + f.number;
  if (f.when == trace::time_point{}) ++seen_.without_time;
  if (!seen_.first) seen_.first = seen_.last = f.when;
  if (f.when < *seen_.last) {
    ++seen_.backwards;
    seen_.furthest_back = std::max(seen_.furthest_back, *seen_.last - f.when);
  } else
    seen_.last = f.when;
  if (options_.comments && !f.options.empty() && seen_.comments.size() < 10'000)
    for (std::string& text : reader.comments(f)) seen_.comments.push_back({number, f.when, std::move(text)});
  if (!f.type) {
    ++seen_.unknown_links[f.linktype];
    return;
  }
  if (options_.wanted && !options_.wanted(f)) {
    ++seen_.filtered;
    return;
  }
  trace::packet& p = stories_.next();
  const auto read = trace::decode_into(p, f.bytes, *f.type, number, f.when);
  if (p.carried_in != 0)
    for (std::size_t i = 0; i < trace::carriers; ++i)
      if ((p.carried_in >> i & 1U) != 0) {
        ++seen_.carried[i];
        if (!read || i == static_cast<std::size_t>(trace::carrier::encrypted)) ++seen_.not_read[i];
      }
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
  if (p.what == trace::packet::kind::other) return;
  ++seen_.tcp;
  stories_.take();
  seen_.most_held = std::max(seen_.most_held, stories_.held());
}

const reading& examiner::run() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    base_ = seen_.frames;
    seen_.begins.push_back(base_ + 1);
    trace::capture_reader reader{std::move(sources_[i])};
    while (const trace::captured_frame* f = reader.next()) take(reader, *f);
    if (reader.error() && !seen_.error) {
      seen_.error = reader.error();
      seen_.error_file = i;
    }
    seen_.names.insert(reader.names().begin(), reader.names().end());
    seen_.dropped += reader.dropped();
    seen_.damaged_blocks += reader.damaged_blocks();
  }
  fragments_.finish();
  seen_.incomplete = fragments_.given_up();
  // The capture runs on to its last frame, whatever that is.
  if (seen_.last) stories_.advance(*seen_.last);
  stories_.finish();
  seen_.connections = stories_.begun();
  return seen_;
}

void examiner::passed(std::chrono::nanoseconds since_last_packet) {
  if (seen_.last) stories_.advance(*seen_.last + since_last_packet);
}

}  // namespace halfopen::autopsy
