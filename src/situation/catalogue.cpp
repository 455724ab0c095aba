#include "situation/catalogue.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>

namespace halfopen::situation {

std::span<const situation* const> all_situations() noexcept {
  static constexpr std::array all{&abort_situation, &exit_situation,   &sigpipe_situation,
                                  &crash_situation, &reboot_situation, &shutdown_situation,
                                  &format_situation};
  return all;
}

std::string heading_of(const situation& s) {
  const auto all = all_situations();
  const auto number = std::ranges::find(all, &s) - all.begin() + 1;
  return std::to_string(number) + ". " + std::string(s.title) + " (" + std::string(s.name) + ")";
}

std::vector<choice> find(std::string_view pattern) {
  const std::string wanted(pattern);
  std::vector<choice> found;
  for (const situation* s : all_situations())
    for (const variant& v : s->variants) {
      const std::string id = std::string(s->name) + "/" + std::string(v.name);
      if (wanted == s->name || ::fnmatch(wanted.c_str(), id.c_str(), 0) == 0) found.push_back({s, &v});
    }
  return found;
}

}  // namespace halfopen::situation
