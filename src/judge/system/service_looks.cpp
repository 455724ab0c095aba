#include "judge/system/service_looks.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "judge/waits.hpp"

namespace halfopen::judge {

namespace fs = std::filesystem;

possessions possessions_of(const lab::host& service) {
  possessions p;
  for (const lab::socket_view& v : service.sockets())
    if (v.inode != 0 && v.state != TCP_LISTEN) ++p.sockets;
  for (const pid_t pid : service.pids()) {
    const fs::path proc = "/proc/" + std::to_string(pid);
    std::error_code why;
    for (const char* what : {"fd", "task"})
      for (const auto& entry : fs::directory_iterator(proc / what, why)) {
        (void)entry;
        ++(*what == 'f' ? p.descriptors : p.threads);
      }
    std::ifstream file(proc / "statm");
    std::uint64_t size = 0, resident = 0;
    if (file >> size >> resident) p.memory += resident * 4096;
  }
  return p;
}

std::optional<waiting_socket> longest_wait(const lab::host& service, const trace::ip_address& to) {
  const auto longer = [](const wait_length& a, const wait_length& b) {
    if (!a.by_kernel || !b.by_kernel) return !a.by_kernel && b.by_kernel.has_value();
    return *a.by_kernel > *b.by_kernel;
  };
  std::optional<waiting_socket> longest;
  for (const lab::socket_view& v : service.sockets()) {
    if (v.remote.address != to || v.inode == 0) continue;
    const waiting what_for = waits_for(v);
    const auto found = length_of_wait(service, v.inode, what_for);
    if (found && (!longest || longer(*found, longest->length))) longest = {what_for, *found};
  }
  return longest;
}

std::vector<milliseconds> attempts_since(trace::time_point fault, const judged_link& on) {
  std::vector<milliseconds> all;
  for (const trace::connection* c : on.world.lab.traffic().connections()) {
    const auto& syn = c->of(trace::side::opener).syn;
    if (!syn || syn->when <= fault || c->opener.address != on.service().address() ||
        c->responder.address != on.dependency().address())
      continue;
    all.push_back(std::chrono::round<milliseconds>(syn->when - fault));
  }
  std::ranges::sort(all);
  return all;
}

std::vector<dependency_connection> connections_since(trace::time_point fault, const judged_link& on,
                                                     const trace::ip_address& also_to) {
  constexpr std::ptrdiff_t kept = 500;  // at either end
  const std::set<trace::ip_address> to{on.dependency().address(), also_to};
  std::vector<dependency_connection> all;
  for (const trace::connection* c : on.world.lab.traffic().connections()) {
    if (c->opener.address != on.service().address() || !to.contains(c->responder.address)) continue;
    const auto told = told_of(*c, fault);
    if (!told.ended || *told.ended >= milliseconds::zero()) all.push_back(told);
  }
  if (std::ssize(all) > 2 * kept) all.erase(all.begin() + kept, all.end() - kept);
  return all;
}

}  // namespace halfopen::judge
