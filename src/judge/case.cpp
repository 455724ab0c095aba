#include "judge/case.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>

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

std::vector<const judge_case*> find_cases(std::string_view pattern) {
  const std::string wanted(pattern);
  std::vector<const judge_case*> found;
  for (const family* f : catalogue())
    for (const judge_case& c : f->cases)
      if (wanted == f->name || ::fnmatch(wanted.c_str(), std::string(c.id).c_str(), 0) == 0)
        found.push_back(&c);
  return found;
}

}  // namespace halfopen::judge
