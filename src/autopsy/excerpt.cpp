// The second reading of a capture: stories are told when their packets are long gone.

#include "autopsy/excerpt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "autopsy/filter.hpp"
#include "report/pcapng.hpp"

namespace halfopen::autopsy {
namespace {

using ends = std::pair<trace::endpoint, trace::endpoint>;

ends ends_of(const trace::endpoint& a, const trace::endpoint& b) {
  return a < b ? ends{a, b} : ends{b, a};
}

class excerpt {
 public:
  excerpt(report::pcapng_writer& out, std::span<const trace::file_entry> chosen) : out_{out} {
    for (const trace::file_entry& c : chosen) {
      wanted_[ends_of(c.story.what.opener, c.story.what.responder)].push_back(&c);
      for (const std::uint64_t number : c.story.proof) comments_.emplace(number, &c);
    }
  }

  bool take(const trace::captured_frame& f, std::uint64_t number) {
    if (!f.type || !trace::decode_into(p_, f.bytes, *f.type, number, f.when)) return true;
    if (p_.what == trace::packet::kind::other && p_.fragment.empty()) return true;
    const auto found = wanted_.find(ends_of(p_.tcp.source, p_.tcp.destination));
    if (found == wanted_.end()) return true;
    const bool inside = std::ranges::any_of(found->second, [&](const trace::file_entry* c) {
      return number >= c->story.what.first.number && number <= c->story.what.last.number;
    });
    if (!inside) return true;
    const auto [place, is_new] = interfaces_.try_emplace(f.linktype, 0);
    if (is_new) place->second = out_.add_interface(fmt::format("link type {}", f.linktype), "", *f.type);
    std::vector<std::string> said;
    const auto [from, to] = comments_.equal_range(number);
    for (auto it = from; it != to; ++it) {
      const trace::story& s = it->second->story;
      said.push_back(fmt::format("#{} {}: {}", it->second->number, ending_word(s), s.why));
      for (const auto& m : s.manners)
        if (m.why != s.why) said.push_back(fmt::format("{}: {}", to_string(m.what), m.why));
    }
    ++written;
    return out_.packet(place->second, f.when, f.bytes, said, report::direction::unknown, f.original_length);
  }

  std::uint64_t written = 0;

 private:
  report::pcapng_writer& out_;
  std::map<ends, std::vector<const trace::file_entry*>> wanted_;
  std::multimap<std::uint64_t, const trace::file_entry*> comments_;
  std::map<std::uint16_t, std::uint32_t> interfaces_;
  trace::packet p_;
};

}  // namespace

std::expected<std::uint64_t, std::string> write_excerpt(std::vector<trace::capture_reader::source> from,
                                                        std::span<const trace::file_entry> chosen,
                                                        const reading& r, const std::filesystem::path& to) {
  auto out = report::pcapng_writer::create(
      to,
      "packets of the connections that were chosen; the numbers in comments are those of the capture read");
  if (!out) return std::unexpected{out.error()};
  for (const auto& [address, name] : r.names) out->name(address, name);
  excerpt e{*out, chosen};
  std::uint64_t base = 0;
  for (auto& source : from) {
    trace::capture_reader reader{std::move(source)};
    std::uint64_t frames = 0;
    while (const trace::captured_frame* f = reader.next()) {
      ++frames;
      if (!e.take(*f, base + f->number)) return std::unexpected{out->error()};
    }
    base += frames;
  }
  if (const auto closed = out->close(); !closed) return std::unexpected{closed.error()};
  return e.written;
}

}  // namespace halfopen::autopsy
