#ifndef HALFOPEN_SRC_CLOCK_RECIPE_HPP
#define HALFOPEN_SRC_CLOCK_RECIPE_HPP

#include <string_view>

namespace halfopen::clock {

// The files of this folder that a kernel is made with.
extern const std::string_view build_script;
extern const std::string_view kernel_options;
extern const std::string_view kernel_patch;

}  // namespace halfopen::clock

#endif
