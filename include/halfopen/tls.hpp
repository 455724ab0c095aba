#ifndef HALFOPEN_TLS_HPP
#define HALFOPEN_TLS_HPP

/// \file
/// TLS 1.2 and 1.3 (RFC 5246, RFC 8446) for the streams of this library, by OpenSSL: library
/// halfopen::tls. A client or a server is given a context, and its exchanges and handlers stay as
/// they are:
///
///     auto trusted = halfopen::tls_client();            // whom the system trusts
///     if (!trusted) return report(trusted.error());
///     halfopen::client c(executor, "server", "443", {.tls = *trusted});
///
///     auto ours = halfopen::tls_server({.certificate = "server.pem", .key = "server.key"});
///     if (!ours) return report(ours.error());
///     halfopen::server s({.service = "443", .tls = *ours}, echo);
///
/// A stream that is there already: stream::secure().
///
/// The peer is verified unless it is told otherwise. Renegotiation, compression and early data
/// (0-RTT, whose bytes can be replayed: RFC 8446 section 8) are off.

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace halfopen {

class tls_context;

enum class tls_version : std::uint8_t { v1_2, v1_3 };

struct tls_client_options {
  /// A file of certificates in PEM: these authorities are trusted; empty: those of the system
  /// (SSL_CTX_set_default_verify_paths(3), which heeds SSL_CERT_FILE and SSL_CERT_DIR).
  std::string trust{};
  /// The server's certificate must come from somebody trusted, be valid now, and name whom we wanted
  /// (RFC 9525). False: anybody may be the server. For experiments.
  bool verify = true;
  /// Application protocols in the order of preference, such as "h2" (ALPN, RFC 7301).
  std::vector<std::string> protocols{};
  /// Our own certificate with its chain and its key, files in PEM, for a server that asks for it.
  std::string certificate{}, key{};
  tls_version least = tls_version::v1_2;
  /// Sessions are kept, so that the next handshake with the same name is a short one (RFC 8446
  /// section 2.2). Each is used once (section C.4).
  bool resume = true;
};

struct tls_server_options {
  /// The certificate, and after it those between it and the root; its key without a passphrase: files in PEM.
  std::string certificate{}, key{};
  /// Those that we speak, the most wanted first. A client that offers protocols and none of these is
  /// refused (RFC 7301 section 3.2). None: a client's wish is ignored.
  std::vector<std::string> protocols{};
  /// Clients must show a certificate of one of these authorities, a file in PEM; empty: none is asked for.
  std::string trust{};
  tls_version least = tls_version::v1_2;
};

/// The error is a sentence for a person: which file, and what is wrong with it. Files are read now
/// and not again. Thread-safe.
[[nodiscard]] std::expected<std::shared_ptr<const tls_context>, std::string> tls_client(
    const tls_client_options& options = {});
[[nodiscard]] std::expected<std::shared_ptr<const tls_context>, std::string> tls_server(
    const tls_server_options& options);

}  // namespace halfopen

#endif
