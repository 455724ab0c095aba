#include "judge/case.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string>

#include "judge/torture.hpp"

namespace halfopen::judge {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

}  // namespace

std::span<const family* const> catalogue() noexcept {
  static constexpr std::array all{&abort_family,    &exit_family,     &sigpipe_family, &crash_family,
                                  &reboot_family,   &shutdown_family, &format_family,  &connect_family,
                                  &overload_family, &idle_family,     &outage_family};
  return all;
}

const family* family_of(std::string_view id) noexcept {
  const auto name = id.substr(0, id.find('/'));
  const auto all = catalogue();
  const auto found = std::ranges::find(all, name, [](const family* f) { return f->name; });
  return found == all.end() ? nullptr : *found;
}

std::vector<const judge_case*> all_cases() {
  std::vector<const judge_case*> all;
  for (const family* f : catalogue())
    for (const judge_case& c : f->cases)
      if (!c.outage) all.push_back(&c);
  return all;
}

std::vector<const judge_case*> all_outages() {
  std::vector<const judge_case*> all;
  for (const judge_case& c : outage_family.cases) all.push_back(&c);
  return all;
}

const judge_case& on_link(const judge_case& c, std::string_view from, std::string_view to) {
  struct kept {
    std::string id, from, to, done;
    judge_case made;
  };
  static std::map<std::string, kept> all;  // nothing in a map ever moves
  const std::string id = std::string(c.id) + "@" + std::string(from) + "-" + std::string(to);
  kept& k = all[id];
  if (!k.id.empty()) return k.made;
  k = {id, std::string(from), std::string(to), {}, c};
  k.done = c.done;
  replace_all(k.done, "the dependency", k.to);
  replace_all(k.done, "the service", k.from);
  k.made.id = k.id;
  k.made.done = k.done;
  k.made.link_from = k.from;
  k.made.link_to = k.to;
  return k.made;
}

namespace {

/// The case with other words behind its id and its sentence; `change` makes the rest. Made once.
template <class Change>
const judge_case& derived(const judge_case& c, const std::string& place, const std::string& in_words,
                          Change change) {
  struct kept {
    std::string id, done;
    judge_case made;
  };
  static std::map<std::string, kept> all;  // nothing in a map ever moves
  kept& k = all[std::string(c.id) + "@" + place];
  if (!k.id.empty()) return k.made;
  k = {std::string(c.id) + "@" + place, std::string(c.done) + " (" + in_words + ")", c};
  k.made.id = k.id;
  k.made.done = k.done;
  change(k.made);
  return k.made;
}

/// A number from 1 on, and nothing else.
std::optional<std::size_t> parse_place_number(std::string_view text) {
  std::size_t n = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || n == 0) return std::nullopt;
  return n;
}

}  // namespace

const judge_case& at_request(const judge_case& c, std::size_t n) {
  return derived(c, std::to_string(n), "request " + std::to_string(n),
                 [n](judge_case& made) { made.request = n; });
}

bool falls_on_a_connection(const judge_case& c) noexcept {
  return c.at_a_request || (c.row && c.row->when != moment::before_connect);
}

const judge_case& at_connection(const judge_case& c, std::size_t n) {
  return derived(c, "c" + std::to_string(n), "connection " + std::to_string(n),
                 [n](judge_case& made) { made.connection = n; });
}

const judge_case* parse_case_at(std::string_view id) {
  const auto at = id.rfind('@');
  if (at == std::string_view::npos || id.find('/') > at) return nullptr;
  const auto all = all_cases();
  const std::string_view before = id.substr(0, at), place = id.substr(at + 1);
  const auto plain = std::ranges::find(all, before, [](const judge_case* c) { return c->id; });
  if (place.starts_with('c')) {
    const auto n = parse_place_number(place.substr(1));
    const judge_case* c = plain != all.end() ? *plain : parse_case_at(before);
    return n && c != nullptr && c->connection == 0 && falls_on_a_connection(*c) ? &at_connection(*c, *n)
                                                                                : nullptr;
  }
  const auto n = parse_place_number(place);
  return n && plain != all.end() && (*plain)->at_a_request ? &at_request(**plain, *n) : nullptr;
}

std::vector<const judge_case*> find_cases(std::string_view pattern,
                                          std::span<const judge_case* const> among) {
  const std::string wanted(pattern);
  const auto fits = [&](std::string_view id) {
    return ::fnmatch(wanted.c_str(), std::string(id).c_str(), 0) == 0;
  };
  const auto fits_place = [&](std::string_view id) { return fits(id) || fits(without_link(id).first); };
  std::vector<const judge_case*> found;
  for (const judge_case* c : among)
    if (wanted == c->id.substr(0, c->id.find('/')) || fits(c->id) ||
        (c->id.starts_with(torture_prefix)
             ? fits_place(c->id) || fits_place(c->id.substr(torture_prefix.size()))
             : c->outage && fits(c->id.substr(0, c->id.find('@')))))
      found.push_back(c);
  return found;
}

}  // namespace halfopen::judge
