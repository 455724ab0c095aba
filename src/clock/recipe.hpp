#ifndef HALFOPEN_SRC_CLOCK_RECIPE_HPP
#define HALFOPEN_SRC_CLOCK_RECIPE_HPP

#include <string_view>

namespace halfopen::clock {

// What a kernel is made with; its name has their hash.
extern const std::string_view build_script;
extern const std::string_view kernel_options;
extern const std::string_view kernel_patch;

// What installs the packages for it, which changes no kernel, and so no name.
extern const std::string_view package_script;
extern const std::string_view package_functions;
extern const std::string_view package_list;

}  // namespace halfopen::clock

#endif
