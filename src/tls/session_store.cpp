// A pool that reconnects has as many handshakes at one time as it has connections, and TLS 1.3
// servers give about two tickets for each: so a few are kept of each name, the newest used first.

#include "tls/session_store.hpp"

#include <utility>

namespace halfopen::tls {

void session_store::put(const std::string& name, session_handle s) {
  const std::scoped_lock lock(guard_);
  if (kept_.size() >= most_names && !kept_.contains(name)) kept_.erase(kept_.begin());
  auto& of_it = kept_[name];
  if (of_it.size() >= most_of_a_name) of_it.erase(of_it.begin());
  of_it.push_back(std::move(s));
}

session_handle session_store::take(const std::string& name) {
  const std::scoped_lock lock(guard_);
  const auto found = kept_.find(name);
  if (found == kept_.end()) return {};
  session_handle newest = std::move(found->second.back());
  found->second.pop_back();
  if (found->second.empty()) kept_.erase(found);
  return newest;
}

}  // namespace halfopen::tls
