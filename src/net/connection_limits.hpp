#ifndef HALFOPEN_SRC_NET_CONNECTION_LIMITS_HPP
#define HALFOPEN_SRC_NET_CONNECTION_LIMITS_HPP

#include <asio/ip/address.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "halfopen/listener.hpp"

namespace halfopen {

/// Who has how many connections. A connection holds a ticket, which gives its place back.
struct connection_limits::ledger : std::enable_shared_from_this<ledger> {
  ledger(std::size_t in_total, std::size_t from_one_address)
      : most(in_total), most_from_one(from_one_address) {}

  /// A place for the next connection; false if there is none. It is given back, or admitted.
  [[nodiscard]] bool reserve();
  void give_back_reserved();
  /// In the place reserved. The unspecified address is nobody's: of a Unix socket. Null if that address has
  /// as many as it may; the place is given back then.
  [[nodiscard]] std::shared_ptr<void> admit(const asio::ip::address& from);
  /// Calls `room` once, from whatever thread, when a place becomes free; at once if one is.
  void when_there_is_room(std::function<void()> room);
  void give_back(const asio::ip::address& from);

  const std::size_t most, most_from_one;
  std::mutex mutex;
  std::size_t open = 0;
  std::map<asio::ip::address, std::size_t> by_address;  // only with most_from_one
  std::vector<std::function<void()>> waiting;
};

}  // namespace halfopen

#endif
