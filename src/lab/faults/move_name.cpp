#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/fault.hpp"
#include "lab/access.hpp"

namespace halfopen::lab {
namespace {

/// The lines of hosts(5) with `name` at another address.
std::string with_name_at(const std::string& hosts, const std::string& name, const std::string& address) {
  std::string text;
  for (std::size_t begin = 0; begin < hosts.size();) {
    const auto end = std::min(hosts.find('\n', begin), hosts.size());
    const std::string line = hosts.substr(begin, end - begin);
    text += (line.ends_with(" " + name) ? address + " " + name : line) + "\n";
    begin = end + 1;
  }
  return text;
}

bool write_over(const std::string& path, const std::string& text) {
  const auto size = static_cast<ssize_t>(text.size());
  const unique_fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == size && ::ftruncate(file.get(), size) == 0;
}

}  // namespace

/// The file that covers /etc/hosts in a host's mount namespace is written over in its place, so that no
/// program sees a moment without it; through /proc/PID/root, which leads into that namespace (proc(5)).
void move_name(const host& of, const host& to) {
  experiment& lab = of.lab();
  lab.note("the name " + of.name() + " now gives the address of the " + to.name() + " host");
  for (const auto& h : lab.hosts()) {
    auto& s = host_access::of(*h);
    s.files.hosts = with_name_at(s.files.hosts, of.name(), to.address().to_string());
    if (!s.up) continue;
    if (!write_over("/proc/" + std::to_string(s.init) + "/root/etc/hosts", s.files.hosts))
      throw error("writing /etc/hosts of the " + h->name() + " host", errno);
  }
}

}  // namespace halfopen::lab
