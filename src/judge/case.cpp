#include "judge/case.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
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

const judge_case& at_request(const judge_case& c, std::size_t n) {
  struct kept {
    std::string id, done;
    judge_case made;
  };
  static std::map<std::string, kept> all;  // nothing in a map ever moves
  kept& k = all[std::string(c.id) + "@" + std::to_string(n)];
  if (!k.id.empty()) return k.made;
  k.id = std::string(c.id) + "@" + std::to_string(n);
  k.done = std::string(c.done) + " (request " + std::to_string(n) + ")";
  k.made = c;
  k.made.id = k.id;
  k.made.done = k.done;
  k.made.request = n;
  return k.made;
}

const judge_case* parse_case_at_request(std::string_view id) {
  const auto at = id.find('@');
  if (at == std::string_view::npos || id.find('/') > at) return nullptr;
  std::size_t n = 0;
  const auto read = std::from_chars(id.data() + at + 1, id.data() + id.size(), n);
  if (read.ec != std::errc() || read.ptr != id.data() + id.size() || n == 0) return nullptr;
  for (const judge_case* c : all_cases())
    if (c->id == id.substr(0, at) && c->at_a_request) return &at_request(*c, n);
  return nullptr;
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
