// Two tellers of one end. The tracepoints say why, while the connection ends; sock_diag says that the socket
// is destroyed, which is after all that the tracepoints have to say of it. So the notifications are read
// first, then the tracepoints' ring, and then each notification finds what was told of its socket.
//
// Where a connection ends long before its program closes the descriptor, it is told of at once, if nothing
// can follow that would change it.

#include "audit/ends.hpp"

namespace halfopen::audit {
namespace {

/// Notifications that the kernel dropped leave entries behind.
constexpr std::size_t most_kept = 1 << 18;

}  // namespace

void ends::follow(const snapshot& s) {
  notices_.follow(s);
  networks_.clear();
  for (const network& n : s.networks)
    if (n.listed) networks_.emplace(n.inode, n.name);
}

void ends::wait(milliseconds most, std::vector<int> others) const {
  if (kernel_) others.push_back(kernel_->descriptor());
  notices_.wait(most, others);
}

void ends::take_traced(traced&& t, const take_end& take) {
  const auto network = networks_.find(t.network);
  if (network == networks_.end()) return;
  if (known_.size() >= most_kept) known_.clear();
  known& k = known_[t.cookie];
  k.what = std::move(t);
  if (k.was_told || !is_final(k.what)) return;
  k.was_told = true;
  take({.told = &k.what, .network = &network->second});
}

void ends::take_notice(const tcp_socket& last, const std::string& network, const take_end& take) {
  const auto found = known_.find(last.cookie);
  const bool was_told = found != known_.end() && found->second.was_told;
  const traced* told = found != known_.end() ? &found->second.what : nullptr;
  if (!was_told && (last.remote.port != 0 || told != nullptr))  // else it listened, or was never connected
    take({.last = &last, .told = told, .network = &network});
  if (found != known_.end()) known_.erase(found);
}

void ends::drain(const take_end& take) {
  destroyed_.clear();
  notices_.drain(
      [&](const tcp_socket& s, const std::string& network) { destroyed_.emplace_back(s, network); });
  if (kernel_) kernel_->drain([&](traced&& t) { take_traced(std::move(t), take); });
  for (const auto& [last, network] : destroyed_) take_notice(last, network, take);
}

std::uint64_t ends::losses() const {
  return notices_.losses() + (kernel_ ? kernel_->losses() : 0);
}

}  // namespace halfopen::audit
