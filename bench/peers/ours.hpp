#ifndef HALFOPEN_BENCH_PEERS_OURS_HPP
#define HALFOPEN_BENCH_PEERS_OURS_HPP

#include <stdexcept>
#include <utility>

#include "bench/peers/service.hpp"
#include "halfopen/server.hpp"

namespace halfopen::bench {

/// The library's server with a handler of either kind, until SIGTERM. Throws std::runtime_error.
template <class Handler>
void serve_until_told(server_options options, Handler serve) {
  const server* listening = nullptr;
  options.ready = [&] { announce(listening->local().port()); };
  server s(std::move(options), std::move(serve));
  listening = &s;
  if (const auto opened = s.open(); !opened) throw std::runtime_error(to_string(opened.error()));
  if (const auto served = s.run(); !served) throw std::runtime_error(to_string(served.error()));
}

}  // namespace halfopen::bench

#endif
