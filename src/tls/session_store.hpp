#ifndef HALFOPEN_SRC_TLS_SESSION_STORE_HPP
#define HALFOPEN_SRC_TLS_SESSION_STORE_HPP

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tls/openssl.hpp"

namespace halfopen::tls {

/// A client's sessions that may go on, by the name that their certificate was verified for. Bounded.
/// Thread-safe.
class session_store {
 public:
  void put(const std::string& name, session_handle s);
  /// The newest of that name, and it is the caller's; none if there is none.
  [[nodiscard]] session_handle take(const std::string& name);

 private:
  static constexpr std::size_t most_names = 256, most_of_a_name = 8;

  std::mutex guard_;
  std::map<std::string, std::vector<session_handle>> kept_;
};

}  // namespace halfopen::tls

#endif
