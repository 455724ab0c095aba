#ifndef HALFOPEN_BENCH_PLAIN_PAIR_HPP
#define HALFOPEN_BENCH_PLAIN_PAIR_HPP

#include <sys/types.h>

#include <string>
#include <vector>

#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::bench {

/// What the cable is held against: two network namespaces with a veth pair
/// straight between them, and the same addresses, settings and programs. Only
/// the cable is missing. Needs a world from lab::enter() and one thread.
class plain_pair {
 public:
  plain_pair();
  ~plain_pair();
  plain_pair(const plain_pair&) = delete;
  plain_pair& operator=(const plain_pair&) = delete;

  /// Runs this program with these arguments on the server's side until the end.
  void start_server(const std::vector<std::string>& arguments);
  /// Runs it on the client's side to its end; gives what it printed.
  [[nodiscard]] std::string run_client(const std::vector<std::string>& arguments);

 private:
  lab::unique_fd client_, server_;  // network namespaces
  pid_t running_ = -1;
};

inline constexpr const char* client_address = "10.0.0.1";
inline constexpr const char* server_address = "10.0.0.2";

}  // namespace halfopen::bench

#endif
