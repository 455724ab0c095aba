#include "judge/system/service_looks.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
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

std::vector<lab::socket_view> sockets_to_dependency(const lab::host& of, const judged_link& on) {
  std::vector<lab::socket_view> all = of.sockets();
  std::erase_if(all, [&](const lab::socket_view& v) {
    return v.remote.address != on.dependency().address() || v.inode == 0;
  });
  return all;
}

std::optional<waits_seen> waits_since(trace::time_point since, const judged_link& on) {
  const auto said = on.packets.said_on(since);
  const auto all = on.world.lab.traffic().connections();
  const auto connects_since = [&](const lab::socket_view& v) {
    return v.state == TCP_SYN_SENT && std::ranges::any_of(all, [&](const trace::connection* c) {
             return c->opener == v.local && c->first.when >= since;
           });
  };
  const auto how_it_waits = [&](const lab::socket_view& v) {
    if (connects_since(v)) return waits_on::unanswered;
    const auto found = said.find(v.local);
    if (found == said.end()) return waits_on::open;
    return found->second ? waits_on::answered : waits_on::unanswered;
  };
  std::map<waits_on, std::vector<lab::socket_view>> found;
  for (const lab::socket_view& v : sockets_to_dependency(on.service(), on))
    found[how_it_waits(v)].push_back(v);
  waits_seen seen;
  if (found.empty()) return seen;
  const auto& [how, surest] = *found.begin();
  seen.how = how;
  for (const lab::socket_view& v : surest) {
    const auto what_for = waits_for(v);
    const auto length = length_of_wait(on.service(), v.inode, what_for);
    if (!length) return std::nullopt;
    seen.sockets.push_back({what_for, *length});
  }
  return seen;
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
