#ifndef HALFOPEN_SRC_TLS_TEST_TLS_HPP
#define HALFOPEN_SRC_TLS_TEST_TLS_HPP

/// For tests: the other end of a connection as OpenSSL on a
/// blocking socket, which shares no code with what is tested.

#include <future>
#include <string>
#include <string_view>

#include "halfopen/stream.hpp"
#include "halfopen/tls.hpp"
#include "net/test_peer.hpp"
#include "tls/openssl.hpp"
#include "tls/test_certificates.hpp"

namespace halfopen::tls::test {

using namespace net::test;

/// The contexts of ours that most tests use.
[[nodiscard]] std::shared_ptr<const tls_context> our_client(tls_client_options options = {});
[[nodiscard]] std::shared_ptr<const tls_context> our_server(tls_server_options options = {});

enum class role : std::uint8_t { client, server };

struct peer_options {
  int least = TLS1_2_VERSION, most = TLS1_3_VERSION;
  std::string certificate = made().server, key = made().server_key;
  std::string trust{};      ///< empty: everybody
  std::string protocols{};  ///< of a client, as on the wire: "\2h2"
  std::string protocol{};   ///< of a server: the one that it takes
};

class peer {
 public:
  peer(unique_fd fd, role who, const peer_options& options = {});

  bool shake_hands();
  bool write(std::string_view bytes);
  /// Until so many bytes are there, or the end.
  std::string read(std::size_t enough);
  void close_notify();
  /// It has said close_notify.
  [[nodiscard]] bool was_told_of_the_end();
  /// Its fatal alert, such as "unknown CA"; empty if it sent none. After a failure.
  [[nodiscard]] std::string alert() const;

  [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }
  unique_fd fd;

 private:
  context_handle context_;
  connection_handle ssl_;
  peer_options options_;
  unsigned long error_ = 0;
};

/// A stream of ours and a peer in a thread of its own.
struct secured {
  explicit secured(role ours = role::client, const peer_options& options = {})
      : secured(ours, options, connection()) {}
  secured(role ours, const peer_options& options, ends e)
      : s(context.get_executor(), std::move(e.here)),
        other(std::move(e.there), ours == role::client ? role::server : role::client, options),
        mine(ours) {}

  template <class T>
  T play(asio::awaitable<T> what) {
    return net::test::play(context, std::move(what));
  }
  stream::result<void> secure(const tls_context& how, deadline limit = ample) {
    return play(s.secure(how, mine == role::client ? "server" : "", limit));
  }
  /// The handshake of both.
  stream::result<void> begin() {
    const auto theirs = std::async(std::launch::async, [this] { return other.shake_hands(); });
    return secure(mine == role::client ? *our_client() : *our_server());
  }
  auto line(deadline limit = ample) { return play(s.read_line(1000, limit)); }
  auto write(std::string_view bytes, deadline limit = ample) { return play(s.write(bytes, limit)); }

  asio::io_context context{1};
  stream s;
  peer other;
  role mine;
};

/// What the peer gets of a stream: `play` runs ours while it does that.
template <class F>
[[nodiscard]] auto meanwhile(F&& what) {
  return std::async(std::launch::async, std::forward<F>(what));
}

}  // namespace halfopen::tls::test

#endif
