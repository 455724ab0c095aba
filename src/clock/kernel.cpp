// Which kernels there are.
//
// The key has two parts. The recipe (options, patch, script) must be this program's own: a
// kernel of another one may lack what it needs. How packages get onto the machine is no part
// of it. The source's version need not be the installed one: Debian updates the package every
// few weeks, and a kernel that was there yesterday should not be missing today. So the newest
// is taken, and `halfopen clock build` makes the one of the installed source.

#include "clock/kernel.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <tuple>
#include <vector>

#include "clock/recipe.hpp"

namespace halfopen::clock {

const std::string_view build_script =
#include "build-kernel.inc"
    ;
const std::string_view kernel_options =
#include "kernel.options.inc"
    ;
const std::string_view kernel_patch =
#include "kernel.patch.inc"
    ;
const std::string_view package_script =
#include "kernel-packages.inc"
    ;
const std::string_view package_functions =
#include "debian-packages.inc"
    ;
const std::string_view package_list =
#include "packages.txt.inc"
    ;

namespace {

namespace fs = std::filesystem;

/// FNV-1a: a name, not a signature; who can write into the user's cache can do worse.
std::uint64_t hash(std::uint64_t h, std::string_view text) {
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h;
}

/// The number after `name` in a kernel's file of symbols.
std::uintptr_t symbol(const fs::path& file, std::string_view name) {
  std::ifstream in(file);
  for (std::string found, value; in >> found >> value;)
    if (found == name) return std::strtoull(value.c_str(), nullptr, 0);
  return 0;
}

/// For whoever has no HOME in the environment: services, cron, `docker exec`.
std::string home_in_passwd() {
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::geteuid(), &entry, room.data(), room.size(), &found);
  return found != nullptr && found->pw_dir != nullptr ? found->pw_dir : "";
}

std::optional<kernel> kernel_in(const fs::path& folder) {
  kernel k{folder.filename(), folder / "linux", symbol(folder / "symbols", "time_travel_time")};
  if (k.time_travel_time == 0 || ::access(k.executable.c_str(), X_OK) < 0) return std::nullopt;
  return k;
}

}  // namespace

fs::path kernel_cache() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return fs::path(cache) / "halfopen/kernel";
  const char* home = std::getenv("HOME");
  const std::string known = home != nullptr && *home == '/' ? home : home_in_passwd();
  return known.starts_with('/') ? fs::path(known) / ".cache/halfopen/kernel" : fs::path();
}

std::string recipe() {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const std::string_view part : {build_script, kernel_options, kernel_patch}) h = hash(h, part);
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(h));
  return text;
}

std::optional<std::string> source_version() {
  const std::string command =
      "dpkg-query -W -f '${db:Status-Status} ${Version}' " + std::string(source_package) + " 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(::popen(command.c_str(), "re"), ::pclose);
  char status[32] = {};
  char version[128] = {};
  if (!out || std::fscanf(out.get(), "%31s %127s", status, version) != 2) return std::nullopt;
  if (std::string_view(status) != "installed") return std::nullopt;
  return version;
}

std::optional<kernel> find_kernel(const fs::path& folder) {
  std::optional<kernel> newest;
  fs::file_time_type made{};
  std::error_code why;
  for (const auto& entry : fs::directory_iterator(folder, why)) {
    const std::string name = entry.path().filename();
    if (name.starts_with('.') || !name.ends_with("-" + recipe())) continue;
    auto found = kernel_in(entry.path());
    if (!found) continue;
    const auto when = fs::last_write_time(found->executable, why);
    if (!newest || when > made) std::tie(newest, made) = std::pair(std::move(found), when);
  }
  return newest;
}

std::optional<kernel> find_kernel() {
  auto own = find_kernel(kernel_cache());
  return own ? own : find_kernel(kernels_of_the_system);
}

}  // namespace halfopen::clock
