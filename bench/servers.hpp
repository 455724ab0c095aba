#ifndef HALFOPEN_BENCH_SERVERS_HPP
#define HALFOPEN_BENCH_SERVERS_HPP

// The servers that are compared: the one place that knows which there are and how
// each is started.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace halfopen::bench {

enum class role { ours, limit, library };

struct server_kind {
  std::string name;
  role is{};
  std::vector<std::string> command{};  ///< serves on a free port of 127.0.0.1 and says which, or
                                       ///< on the socket handed to it (server_setting::listener)
};

/// Those of them that are built. The first call names those that are not.
[[nodiscard]] inline std::vector<server_kind> built_of(std::vector<server_kind> all) {
  static bool told = false;
  std::erase_if(all, [](const server_kind& kind) {
    if (std::filesystem::exists(kind.command.front())) return false;
    if (!told) fmt::print(stderr, "{} is not built (is its library installed?) and left out\n", kind.name);
    return true;
  });
  told = true;
  return all;
}

/// Those with TLS, the limit first, then ours.
[[nodiscard]] inline std::vector<server_kind> tls_servers(const std::string& certificate,
                                                          const std::string& key) {
  const std::string peers = HALFOPEN_BENCH_FOLDER "/peer_";
  return built_of({
      {"asio-ssl", role::limit, {peers + "asio_ssl", "0", certificate, key}},
      {"halfopen", role::ours, {peers + "halfopen_tls", "0", certificate, key}},
  });
}

/// The limit first, then ours.
[[nodiscard]] inline std::vector<server_kind> servers() {
  const std::string peers = HALFOPEN_BENCH_FOLDER "/peer_";
  return built_of({
      {"bare", role::limit, {peers + "bare_epoll", "0"}},
      {"halfopen", role::ours, {peers + "halfopen", "0"}},
      {"halfopen-messages", role::ours, {peers + "halfopen_messages", "0"}},
      {"asio-callbacks", role::library, {peers + "asio_callbacks", "0"}},
      {"asio-coroutines", role::library, {peers + "asio_coroutines", "0"}},
      {"libevent", role::library, {peers + "libevent", "0"}},
      {"libuv", role::library, {peers + "libuv", "0"}},
  });
}

}  // namespace halfopen::bench

#endif
