#include "audit/proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

#include "halfopen/unique_fd.hpp"

namespace halfopen::audit {
namespace {

struct closer {
  void operator()(DIR* d) const noexcept { ::closedir(d); }
};
using folder = std::unique_ptr<DIR, closer>;

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number n{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

/// "socket:[123]" or "net:[123]".
std::uint64_t inode_in(std::string_view link, std::string_view kind) {
  if (!link.starts_with(kind) || !link.ends_with(']')) return 0;
  link.remove_prefix(kind.size());
  link.remove_suffix(1);
  return number_of<std::uint64_t>(link).value_or(0);
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/// The first run of so many hexadecimal digits: ids have 64, or 32 with a part after it.
std::string_view id_in(std::string_view part) {
  constexpr std::size_t least = 32;
  for (std::size_t i = 0; i < part.size();) {
    std::size_t n = i;
    while (n < part.size() && is_hex(part[n])) ++n;
    if (n - i >= least) return part.substr(i, n - i);
    i = n + 1;
  }
  return {};
}

std::string_view between(std::string_view part, std::string_view before, std::string_view after) {
  if (!part.starts_with(before) || !part.ends_with(after) || part.size() < before.size() + after.size())
    return {};
  part.remove_prefix(before.size());
  part.remove_suffix(after.size());
  return part;
}

/// Calls with each part of each path, the innermost first.
std::string_view named_by(std::string_view path) {
  std::string_view after;
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    const std::string_view part = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
    if (const auto id = id_in(part); !id.empty()) return id;
    if (const auto name = between(part, "machine-", ".scope"); !name.empty()) return name;
    if (const auto name = between(part, "lxc.payload.", ""); !name.empty()) return name;
    if (part == "lxc" && !after.empty()) return after;
    after = part;
    if (slash == std::string_view::npos) return {};
    path = path.substr(0, slash);
  }
  return {};
}

}  // namespace

std::string text_of(const std::string& path) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> some{};
  for (;;) {
    const ssize_t n = file ? ::read(file.get(), some.data(), some.size()) : 0;
    if (n <= 0) return text;
    text.append(some.data(), static_cast<std::size_t>(n));
  }
}

std::string container_of(std::string_view cgroups) {
  while (!cgroups.empty()) {
    const auto end = std::min(cgroups.find('\n'), cgroups.size());
    const std::string_view line = cgroups.substr(0, end);
    cgroups.remove_prefix(std::min(end + 1, cgroups.size()));
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    if (const auto name = named_by(line.substr(second + 1)); !name.empty()) return std::string(name);
  }
  return {};
}

std::vector<process> all_processes() {
  std::vector<process> all;
  const folder proc(::opendir("/proc"));
  if (!proc) return all;
  while (const dirent* entry = ::readdir(proc.get())) {
    const auto pid = number_of<pid_t>(entry->d_name);
    if (!pid) continue;
    const std::string path = std::string("/proc/") + entry->d_name;
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0) continue;
    process p;
    p.pid = *pid;
    p.user = about.st_uid;
    std::array<char, 64> link{};
    const ssize_t n = ::readlink((path + "/ns/net").c_str(), link.data(), link.size());
    if (n > 0) p.network = inode_in({link.data(), static_cast<std::size_t>(n)}, "net:[");
    all.push_back(std::move(p));
  }
  std::ranges::sort(all, {}, &process::pid);
  return all;
}

void describe(process& p) {
  const std::string path = "/proc/" + std::to_string(p.pid);
  p.name = text_of(path + "/comm");
  if (p.name.ends_with('\n')) p.name.pop_back();
  p.container = container_of(text_of(path + "/cgroup"));
}

bool is_in_user_namespace_of(pid_t pid, uid_t user) {
  const unique_fd there(::open(("/proc/" + std::to_string(pid) + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
  uid_t owner{};
  return there && ::ioctl(there.get(), NS_GET_OWNER_UID, &owner) == 0 && owner == user;
}

std::expected<std::vector<open_socket>, int> open_sockets(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  const folder fds(::opendir(path.c_str()));
  if (!fds) return std::unexpected(errno);
  std::vector<open_socket> found;
  while (const dirent* entry = ::readdir(fds.get())) {
    if (entry->d_type != DT_LNK) continue;
    std::array<char, 64> link{};
    const ssize_t n = ::readlinkat(::dirfd(fds.get()), entry->d_name, link.data(), link.size());
    if (n <= 0) continue;
    const std::uint64_t inode = inode_in({link.data(), static_cast<std::size_t>(n)}, "socket:[");
    if (inode != 0) found.push_back({number_of<int>(entry->d_name).value_or(-1), inode});
  }
  return found;
}

std::optional<std::uint64_t> netstat(std::string_view text, std::string_view section, std::string_view name) {
  const auto line_at = [&](std::size_t from) {
    return text.substr(from, std::min(text.find('\n', from), text.size()) - from);
  };
  const auto names_at = text.find(section);
  if (names_at == std::string_view::npos) return std::nullopt;
  const auto values_at = text.find(section, names_at + section.size());
  if (values_at == std::string_view::npos) return std::nullopt;
  std::string_view names = line_at(names_at);
  std::string_view values = line_at(values_at);
  const auto take = [](std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::string_view word = line.substr(0, std::min(line.find(' '), line.size()));
    line.remove_prefix(word.size());
    return word;
  };
  for (;;) {
    const std::string_view word = take(names);
    const std::string_view value = take(values);
    if (word.empty()) return std::nullopt;
    if (word == name) return number_of<std::uint64_t>(value);
  }
}

}  // namespace halfopen::audit
