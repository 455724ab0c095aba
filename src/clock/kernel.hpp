#ifndef HALFOPEN_SRC_CLOCK_KERNEL_HPP
#define HALFOPEN_SRC_CLOCK_KERNEL_HPP

/// \file
/// The guest's kernel: User-Mode Linux, made once from Debian's kernel source package and
/// kept in the user's cache, in a folder whose name says what it is made of.

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace halfopen::clock {

struct kernel {
  std::string key;                   ///< "6.12.117-1~deb12u1-9c0ffee123456789"
  std::filesystem::path executable;  ///< .../linux
  /// Where its clock is in its memory (a variable of arch/um/kernel/time.c, in ns).
  std::uintptr_t time_travel_time = 0;
};

/// Debian's package of the source.
inline constexpr std::string_view source_package = "linux-source-6.12";

/// $XDG_CACHE_HOME/halfopen/kernel, or ~/.cache/halfopen/kernel; empty for a user without a home.
[[nodiscard]] std::filesystem::path kernel_cache();

/// What options, patch and the way of building are, in 16 hexadecimal digits.
[[nodiscard]] std::string recipe();

/// The installed source package's version; nothing if it is not installed.
[[nodiscard]] std::optional<std::string> source_version();

/// Where a package puts a kernel for every user.
inline constexpr const char* kernels_of_the_system = "/usr/lib/halfopen/kernel";

/// The newest kernel of this recipe in that folder, of whatever version. Thread-safe.
[[nodiscard]] std::optional<kernel> find_kernel(const std::filesystem::path& folder);
/// The user's own, else one that a package brought.
[[nodiscard]] std::optional<kernel> find_kernel();

/// Builds one of the installed (or installable) source version, if there is none; takes
/// minutes. Several at once wait for each other. It appears in the cache whole or not at
/// all, and what a killed build leaves is removed by the next one.
/// `tell` gets what goes on, a line each: "compiling, 120 files so far".
[[nodiscard]] std::expected<kernel, std::string> build_kernel(
    const std::function<void(std::string_view)>& tell, const std::filesystem::path& cache = kernel_cache());

}  // namespace halfopen::clock

#endif
