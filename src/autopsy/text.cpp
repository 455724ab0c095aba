// The terminal's form.

#include <fmt/format.h>

#include <algorithm>

#include "autopsy/filter.hpp"
#include "autopsy/report.hpp"
#include "autopsy/timeline.hpp"
#include "report/utf8.hpp"
#include "report/wrap.hpp"

namespace halfopen::autopsy {

std::string by_whom(const trace::story& s) {
  switch (s.sure_by) {
    case trace::confidence::certain:
      return fmt::format(" by {}", to_string(s.by));
    case trace::confidence::likely:
      return fmt::format(", probably by {}", to_string(s.by));
    case trace::confidence::possible:
      break;
  }
  return ", by whom is unknown";
}

namespace {

using report::colour;
using report::readable;
using trace::culprit;
using trace::side;

colour tint_of(int badness) {
  return badness >= 75   ? colour::red
         : badness >= 30 ? colour::yellow
         : badness >= 5  ? colour::none
                         : colour::green;
}

std::string name_of(const trace::ip_address& a, const reading& r) {
  const auto found = r.names.find(a);
  return found == r.names.end() ? a.to_string() : fmt::format("{} ({})", a.to_string(), found->second);
}

std::string ended_how(const trace::story& s) {
  std::string text{ending_word(s)};
  if (s.ended) text += by_whom(s);
  for (const ending e : s.also_possible) text += fmt::format("\nor {}", to_string(e));
  for (const auto& m : s.manners) text += fmt::format("\n{}", to_string(m.what));
  return text;
}

std::string known(const trace::story& s) {
  const auto one = [&](side who) -> std::string {
    const auto& m = s.could_know[static_cast<std::size_t>(who)];
    if (!m) return "not";
    return fmt::format("{} in ({})", readable(m->when - s.what.first.when), m->number);
  };
  return fmt::format("opener {}, responder {}", one(side::opener), one(side::responder));
}

std::string because(const trace::story& s) {
  std::string text = s.why;
  for (const auto& m : s.manners)
    if (m.why != s.why) text += "\n" + m.why;
  for (const auto& d : s.doubts)
    if (d.what != trace::doubt::still_open) text += "\nuncertain: " + d.why;
  if (!s.proof.empty()) text += fmt::format("\nproof: {}", fmt::join(s.proof, ", "));
  if (s.ended && s.how != ending::completed) text += "\ncould know: " + known(s);
  return text;
}

std::string counted(std::uint64_t n, const char* thing) {
  return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s");
}

}  // namespace

/// LINKTYPE_ numbers that captures have and that hold no IP, or none that is read here.
std::string link_name(std::uint16_t type) {
  struct known {
    std::uint16_t type;
    const char* name;
  };
  constexpr std::array names{
      known{3, "AX.25"},
      known{6, "Token Ring"},
      known{7, "ARCNET"},
      known{99, "Symantec"},
      known{114, "LocalTalk"},
      known{122, "Fibre Channel"},
      known{138, "IP over FireWire"},
      known{140, "SS7 MTP2"},
      known{141, "SS7 MTP3"},
      known{142, "SS7 SCCP"},
      known{143, "DOCSIS"},
      known{144, "IrDA"},
      known{163, "802.11 AVS"},
      known{177, "LAPD"},
      known{187, "Bluetooth HCI"},
      known{189, "USB"},
      known{190, "CAN"},
      known{195, "IEEE 802.15.4"},
      known{201, "Bluetooth HCI"},
      known{215, "IEEE 802.15.4"},
      known{220, "USB"},
      known{227, "CAN"},
      known{230, "IEEE 802.15.4"},
      known{247, "InfiniBand"},
      known{249, "USBPcap"},
      known{251, "Bluetooth LE"},
      known{252, "Wireshark's exported PDUs"},
      known{253, "netlink"},
      known{283, "IEEE 802.15.4 TAP"},
  };
  const auto found = std::ranges::find(names, type, &known::type);
  if (found != names.end()) return fmt::format("{} ({})", type, found->name);
  return type >= 147 && type <= 162 ? fmt::format("{} (for private use)", type) : fmt::format("{}", type);
}

std::vector<std::string> remarks_on(const reading& r) {
  std::vector<std::string> lines;
  std::string head = fmt::format("{}, {} of TCP, {}", counted(r.frames, "packet"), r.tcp,
                                 counted(r.connections, "connection"));
  if (r.first && r.last)
    head += fmt::format("; from {} on for {}", utc(*r.first), readable(*r.last - *r.first));
  lines.push_back(std::move(head));
  const auto say = [&](std::uint64_t n, const std::string& what) {
    if (n > 0) lines.push_back(fmt::format("{} {}", counted(n, "packet"), what));
  };
  say(r.cut, "cut off inside a header (a short snaplen), and so not read");
  say(r.odd, "whose length fields contradict each other, and so not read");
  for (const auto& [type, n] : r.unknown_links)
    say(n, fmt::format("of link type {}, which is not read", link_name(type)));
  for (std::size_t i = 0; i < trace::carriers; ++i) {
    const std::string_view name = to_string(static_cast<trace::carrier>(i));
    say(r.carried[i] - r.not_read[i], fmt::format("inside {}", name));
    say(r.not_read[i], fmt::format("inside {}, and so not read", name));
  }
  say(r.fragments,
      "are fragments of IP packets" +
          (r.incomplete > 0 ? fmt::format("; of {} some were not captured", counted(r.incomplete, "packet"))
                            : std::string{}));
  if (r.damaged_blocks > 0)
    lines.push_back(counted(r.damaged_blocks, "block") + " of the file damaged, and left out");
  say(r.without_time, "without a time");
  say(r.backwards, fmt::format("earlier than one before, by up to {}{}", readable(r.furthest_back),
                               r.furthest_back > std::chrono::seconds{1}
                                   ? ": files that overlap, or were written one behind the other?"
                                   : ""));
  say(r.dropped, "lost by the capture, as it says itself: silence may be theirs");
  return lines;
}

namespace {

/// "12 completed, 3 refused"
std::string endings_in_words(const summary& all) {
  std::vector<std::pair<std::string, ending_count>> sorted(all.endings().begin(), all.endings().end());
  std::ranges::stable_sort(sorted, std::ranges::greater{},
                           [](const auto& e) { return e.second.connections; });
  std::string text;
  for (const auto& [word, e] : sorted)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", e.connections, word);
  return text;
}

std::string host_in_words(const trace::ip_address& a, const host_count& h, const reading& r) {
  std::string text = fmt::format("{}: {} of {} died", name_of(a, r), h.died, h.opened + h.answered);
  if (h.killed > 0) text += fmt::format(", {} by its hand", h.killed);
  if (h.silent > 0) text += fmt::format(", {} by its silence", h.silent);
  return text;
}

/// "10.0.0.2:443 (tls, api.example.com)"
std::string called(const trace::file_entry& of, const reading& r) {
  const trace::connection& c = of.story.what;
  std::string what;
  if (c.spoken != trace::protocol::unknown) what = to_string(c.spoken);
  std::string name = of.server_name;
  if (const auto named = r.names.find(c.responder.address); name.empty() && named != r.names.end())
    name = named->second;
  if (!name.empty()) what += (what.empty() ? "" : ", ") + name;
  return c.responder.to_string() + (what.empty() ? what : " (" + what + ")");
}

std::string to_whom(const story_group& g, const reading& r) {
  if (g.several_responders) return "several hosts";
  const trace::connection& c = g.example.story.what;
  return g.several_ports ? name_of(c.responder.address, r) + ", several ports" : called(g.example, r);
}

/// When connections died, in a row of little bars.
std::string deaths_in_time(const summary& all, const reading& r) {
  const auto steps = all.deaths().steps();
  if (steps.size() < 2 || !r.first) return {};
  const auto most = std::ranges::max_element(steps, {}, &timeline::bucket::events);
  const auto after = [&](trace::time_point t) {
    return readable(std::max(t - *r.first, std::chrono::nanoseconds{0}));
  };
  return fmt::format("deaths {} from {} to {}; most, {}, at {}", sparkline(steps),
                     after(steps.front().begins), after(steps.back().begins + all.deaths().step()),
                     most->events, after(most->begins));
}

/// "slowest: first byte 3.20 s #7, pause 30.00 s #9": what and in which connection.
std::string slowest_in_words(const summary& all) {
  const summary::slowness& s = all.slowest();
  std::string text;
  const auto add = [&](const char* what, const summary::slow_one& one) {
    if (one.lasted < std::chrono::milliseconds{200}) return;
    text += fmt::format("{}{} {} #{}", text.empty() ? "slowest: " : ", ", what, readable(one.lasted),
                        one.connection);
  };
  add("handshake", s.handshake);
  add("first byte", s.first_byte);
  add("pause", s.pause);
  add("closed window", s.window);
  return text;
}

std::string one_way(const trace::story& s) {
  std::string text{ending_word(s)};
  if (s.ended) text += by_whom(s);
  for (const auto& m : s.manners)
    if (to_string(m.what) != text) text += fmt::format(", {}", to_string(m.what));
  return text;
}

}  // namespace

std::string first_screen(const summary& all, const reading& r, const report::canvas& where) {
  const auto line = [&](const std::string& text) {
    return report::clip(report::clean(text), std::max<std::size_t>(where.width, 40)) + "\n";
  };
  std::string text = line("ended: " + endings_in_words(all));
  std::vector<std::pair<trace::ip_address, host_count>> hosts(all.hosts().begin(), all.hosts().end());
  std::ranges::stable_sort(hosts, [](const auto& a, const auto& b) {
    const auto guilt = [](const host_count& h) { return h.killed + h.silent; };
    if (guilt(a.second) != guilt(b.second)) return guilt(a.second) > guilt(b.second);
    return a.second.died > b.second.died;
  });
  constexpr std::size_t hosts_shown = 3, groups_shown = 5;
  std::size_t shown = 0;
  for (const auto& [address, h] : hosts)
    if (h.died > 0 && shown++ < hosts_shown) text += line("  " + host_in_words(address, h, r));
  for (const std::string& extra : {deaths_in_time(all, r), slowest_in_words(all)})
    if (!extra.empty()) text += line(extra);
  const auto groups = all.groups();
  text += groups.empty() ? "\nnobody suffered from any of them\n" : "\nworst first:\n";
  for (std::size_t i = 0; i < std::min(groups.size(), groups_shown); ++i) {
    const story_group& g = *groups[i];
    const trace::story& s = g.example.story;
    const auto since = r.first ? g.first - *r.first : std::chrono::nanoseconds{0};
    std::string when = "after " + readable(std::max(since, std::chrono::nanoseconds{0}));
    if (g.connections > 1)
      when += " to " + readable(std::max(g.last - *r.first, std::chrono::nanoseconds{0}));
    const std::string head = fmt::format("{:>5} x {} to {}", g.connections, one_way(s), to_whom(g, r));
    text += where.tinted(report::clip(report::clean(head), std::max<std::size_t>(where.width, 40)),
                         tint_of(badness(s))) +
            "\n";
    const std::string reason =
        fmt::format("{} from {}, #{}: {}", when, g.several_openers ? "several hosts" : name_of(g.opener, r),
                    g.example.number, s.why);
    const std::size_t width = std::max<std::size_t>(where.width, 40) - 8;
    const std::vector<std::string> wrapped = report::wrap(report::clean(reason), width);
    text += line("        " + wrapped.front());
    if (wrapped.size() > 1) text += line("        " + wrapped[1] + (wrapped.size() > 2 ? " …" : ""));
  }
  if (groups.size() > groups_shown)
    text += fmt::format("and {}\n", counted(groups.size() - groups_shown, "group"));
  return text;
}

std::string story_table(std::span<const trace::file_entry> worst, const reading& r,
                        const report::canvas& where) {
  report::text_table table({{.heading = "#", .min_width = 1, .align = report::alignment::right},
                            {.heading = "opener -> responder", .min_width = 16},
                            {.heading = "began", .min_width = 7, .align = report::alignment::right},
                            {.heading = "bytes > <", .min_width = 9},
                            {.heading = "ended", .min_width = 14},
                            {.heading = "half-open", .min_width = 9, .align = report::alignment::right},
                            {.heading = "why", .min_width = 24, .weight = 4}});
  for (const trace::file_entry& c : worst) {
    const trace::connection& what = c.story.what;
    const auto began = r.first ? what.first.when - *r.first : std::chrono::nanoseconds{0};
    table.add_row({fmt::format("{}", c.number),
                   fmt::format("{} ->\n{}", what.opener.to_string(), called(c, r)),
                   fmt::format("{:.3f}", std::chrono::duration<double>(began).count()),
                   fmt::format("{} >\n{} <", what.of(side::opener).bytes, what.of(side::responder).bytes),
                   {ended_how(c.story), tint_of(badness(c.story))},
                   c.story.half_open_for ? readable(*c.story.half_open_for) : std::string{},
                   because(c.story)});
  }
  return table.render(where);
}

std::string summary_tables(const summary& all, const reading& r, std::size_t hosts,
                           const report::canvas& where) {
  report::text_table endings({{.heading = "ending"},
                              {.heading = "connections", .align = report::alignment::right},
                              {.heading = "ended by"},
                              {.heading = "longest half-open", .align = report::alignment::right}});
  endings.make_compact();
  std::vector<std::pair<std::string, ending_count>> sorted(all.endings().begin(), all.endings().end());
  std::ranges::sort(sorted, std::ranges::greater{}, [](const auto& e) { return e.second.connections; });
  for (const auto& [word, e] : sorted) {
    std::string by;
    for (std::size_t i = 0; i < e.by.size(); ++i)
      if (e.by[i] > 0 && static_cast<culprit>(i) != culprit::unknown)
        by += fmt::format("{}{} {}", by.empty() ? "" : ", ", to_string(static_cast<culprit>(i)), e.by[i]);
    endings.add_row({word, fmt::format("{}", e.connections), by,
                     e.longest_half_open.count() > 0 ? readable(e.longest_half_open) : ""});
  }
  std::string text = endings.render(where);
  std::string manners;
  for (const auto& [word, n] : all.manners())
    manners += fmt::format("{}{} {}", manners.empty() ? "" : ", ", n, word);
  if (!manners.empty()) text += "among them: " + manners + "\n";

  std::vector<std::pair<trace::ip_address, host_count>> by_host(all.hosts().begin(), all.hosts().end());
  const auto order = [](const auto& a, const auto& b) {
    if (a.second.died != b.second.died) return a.second.died > b.second.died;
    return a.second.opened + a.second.answered > b.second.opened + b.second.answered;
  };
  std::ranges::stable_sort(by_host, order);
  report::text_table table({{.heading = "host"},
                            {.heading = "opened", .align = report::alignment::right},
                            {.heading = "answered", .align = report::alignment::right},
                            {.heading = "died", .align = report::alignment::right},
                            {.heading = "by its hand", .align = report::alignment::right},
                            {.heading = "by its silence", .align = report::alignment::right}});
  table.make_compact();
  const auto row = [&](const std::string& name, const host_count& h) {
    table.add_row({name, fmt::format("{}", h.opened), fmt::format("{}", h.answered),
                   fmt::format("{}", h.died), fmt::format("{}", h.killed), fmt::format("{}", h.silent)});
  };
  for (const auto& [address, h] : std::span{by_host}.first(std::min(hosts, by_host.size())))
    row(name_of(address, r), h);
  text += "\n" + table.render(where);
  if (by_host.size() > hosts) text += fmt::format("and {}\n", counted(by_host.size() - hosts, "more host"));
  return text;
}

std::string one_line(const trace::file_entry& c) {
  const trace::connection& what = c.story.what;
  std::string how{ending_word(c.story)};
  if (c.story.ended) how += by_whom(c.story);
  return fmt::format("{} #{} {} -> {}: {}; {}", utc(what.last.when), c.number, what.opener.to_string(),
                     what.responder.to_string(), how, c.story.why);
}

report::ladder ladder_of(const trace::file_entry& c, const reading& r) {
  const trace::connection& what = c.story.what;
  const auto name = [&](const trace::endpoint& e) {
    const auto found = r.names.find(e.address);
    return found == r.names.end() ? std::string{} : found->second;
  };
  report::ladder l = report::ladder_of(c, {name(what.opener), name(what.responder)});
  for (const comment& said : r.comments)
    if (said.packet >= what.first.number && said.packet <= what.last.number)
      l.marks.push_back({said.when - what.first.when, said.text, std::nullopt});
  return l;
}

std::string portrait(const trace::file_entry& c, const reading& r, const report::canvas& where) {
  std::string text;
  for (const std::string& line : trace::describe(c.story)) text += report::clean(line) + "\n";
  const trace::connection& what = c.story.what;
  if (const std::string to = called(c, r); to != what.responder.to_string())
    text += report::clean("  the responder is " + to) + "\n";
  return text + "\n" + report::to_text(ladder_of(c, r), where);
}

}  // namespace halfopen::autopsy
