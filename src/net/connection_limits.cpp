// Limits that several listeners share, one a thread: so one lock, taken twice a connection.

#include "net/connection_limits.hpp"

#include <utility>

namespace halfopen {

connection_limits::connection_limits(std::size_t in_total, std::size_t from_one_address)
    : ledger_(std::make_shared<ledger>(in_total, from_one_address)) {}
connection_limits::~connection_limits() = default;

std::size_t connection_limits::open() const {
  const std::scoped_lock lock(ledger_->mutex);
  return ledger_->open;
}

bool connection_limits::ledger::reserve() {
  const std::scoped_lock lock(mutex);
  if (most != 0 && open >= most) return false;
  ++open;
  return true;
}

std::shared_ptr<void> connection_limits::ledger::admit(const asio::ip::address& from) {
  bool too_many = false;
  if (most_from_one != 0 && !from.is_unspecified()) {
    const std::scoped_lock lock(mutex);
    std::size_t& here = by_address[from];
    too_many = here >= most_from_one;
    if (!too_many) ++here;
  }
  if (too_many) {
    give_back_reserved();
    return nullptr;
  }
  return {this, [self = shared_from_this(), from](void*) { self->give_back(from); }};
}

void connection_limits::ledger::when_there_is_room(std::function<void()> room) {
  {
    const std::scoped_lock lock(mutex);
    if (most != 0 && open >= most) return waiting.push_back(std::move(room));
  }
  room();
}

void connection_limits::ledger::give_back(const asio::ip::address& from) {
  if (most_from_one != 0 && !from.is_unspecified()) {
    const std::scoped_lock lock(mutex);
    if (const auto here = by_address.find(from); --here->second == 0) by_address.erase(here);
  }
  give_back_reserved();
}

void connection_limits::ledger::give_back_reserved() {
  std::vector<std::function<void()>> told;
  {
    const std::scoped_lock lock(mutex);
    --open;
    told = std::exchange(waiting, {});
  }
  for (const auto& room : told) room();
}

}  // namespace halfopen
