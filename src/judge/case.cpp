#include "judge/case.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "judge/torture.hpp"

namespace halfopen::judge {

std::span<const family* const> catalogue() noexcept {
  static constexpr std::array all{&abort_family,    &exit_family,     &sigpipe_family, &crash_family,
                                  &reboot_family,   &shutdown_family, &format_family,  &connect_family,
                                  &overload_family, &idle_family};
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
    for (const judge_case& c : f->cases) all.push_back(&c);
  return all;
}

std::vector<const judge_case*> find_cases(std::string_view pattern,
                                          std::span<const judge_case* const> among) {
  const std::string wanted(pattern);
  const auto fits = [&](std::string_view id) {
    return ::fnmatch(wanted.c_str(), std::string(id).c_str(), 0) == 0;
  };
  std::vector<const judge_case*> found;
  for (const judge_case* c : among)
    if (wanted == c->id.substr(0, c->id.find('/')) || fits(c->id) ||
        (c->id.starts_with(torture_prefix) && fits(c->id.substr(torture_prefix.size()))))
      found.push_back(c);
  return found;
}

}  // namespace halfopen::judge
