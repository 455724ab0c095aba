// What all connections of one side have in common: keys, trust, and what is allowed. OpenSSL's own
// defaults decide about ciphers and curves, so that the system's policy (openssl.cnf) holds.

#include <openssl/err.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "halfopen/stream.hpp"
#include "halfopen/tls.hpp"
#include "tls/openssl.hpp"
#include "tls/session.hpp"
#include "tls/session_store.hpp"

namespace halfopen {
namespace {

using tls::context_handle;

using wrong = std::unexpected<std::string>;

wrong cannot(const std::string& what) {
  const unsigned long error = ERR_peek_error();  // the first is the cause
  const char* reason = error != 0 ? ERR_reason_error_string(error) : nullptr;
  if (reason == nullptr && ERR_SYSTEM_ERROR(error)) reason = std::strerror(ERR_GET_REASON(error));
  ERR_clear_error();
  return wrong(what + ": " + (reason != nullptr ? reason : "OpenSSL does not say why"));
}

/// A passphrase is not asked for, least of all at the terminal (OpenSSL's default).
int no_passphrase(char*, int, int, void*) noexcept {
  return -1;
}

std::expected<context_handle, std::string> new_context(const SSL_METHOD* method, tls_version least) {
  ERR_clear_error();
  context_handle c(SSL_CTX_new(method));
  if (!c) return cannot("no TLS");
  SSL_CTX_set_min_proto_version(c.get(), least == tls_version::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(c.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(c.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(c.get(), no_passphrase);
  return c;
}

std::expected<void, std::string> use_certificate(SSL_CTX* c, const std::string& chain,
                                                 const std::string& key) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(c, chain.c_str()) != 1)
    return cannot("cannot take a certificate from '" + chain + "'");
  if (SSL_CTX_use_PrivateKey_file(c, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return cannot("cannot take a private key from '" + key + "'");
  if (SSL_CTX_check_private_key(c) != 1)
    return cannot("the key in '" + key + "' is not that of the certificate in '" + chain + "'");
  return {};
}

std::expected<void, std::string> use_trust(SSL_CTX* c, const std::string& file) {
  ERR_clear_error();
  if (file.empty()) {
    if (SSL_CTX_set_default_verify_paths(c) != 1) return cannot("cannot read whom the system trusts");
  } else if (SSL_CTX_load_verify_file(c, file.c_str()) != 1) {
    return cannot("cannot take certificates to trust from '" + file + "'");
  }
  return {};
}

/// As on the wire: each with its length before it (RFC 7301 section 3.1).
std::expected<std::string, std::string> protocol_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& p : protocols) {
    if (p.empty() || p.size() > 255) return wrong("an application protocol's name has 1 to 255 bytes");
    list += static_cast<char>(p.size());
    list += p;
  }
  if (list.size() > 65535) return wrong("too many application protocols");
  return list;
}

class client_context final : public tls_context {
 public:
  client_context(context_handle c, bool verify, bool resume)
      : context_(std::move(c)),
        sessions_(resume ? std::make_shared<tls::session_store>() : nullptr),
        verify_(verify) {}

 private:
  [[nodiscard]] std::unique_ptr<net::layer> begin(const std::string& peer_name) const override {
    return std::make_unique<tls::session>(
        context_.get(),
        tls::session::client_setting{.name = peer_name, .verify = verify_, .store = sessions_});
  }

  context_handle context_;
  std::shared_ptr<tls::session_store> sessions_;
  bool verify_;
};

class server_context final : public tls_context {
 public:
  server_context(context_handle c, std::string protocols)
      : protocols_(std::move(protocols)), context_(std::move(c)) {
    if (!protocols_.empty()) SSL_CTX_set_alpn_select_cb(context_.get(), choose, this);
  }

 private:
  [[nodiscard]] std::unique_ptr<net::layer> begin(const std::string&) const override {
    return std::make_unique<tls::session>(context_.get());
  }

  /// Ours that comes first and is among theirs.
  static int choose(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void* self) noexcept {
    const std::string& ours = static_cast<const server_context*>(self)->protocols_;
    unsigned char* found = nullptr;
    const int result =
        SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, offered_size);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  std::string protocols_;
  context_handle context_;
};

}  // namespace

std::expected<std::shared_ptr<const tls_context>, std::string> tls_client(const tls_client_options& options) {
  auto c = new_context(TLS_client_method(), options.least);
  if (!c) return wrong(c.error());
  const auto protocols = protocol_list(options.protocols);
  if (!protocols) return wrong(protocols.error());
  if (!protocols->empty() &&
      SSL_CTX_set_alpn_protos(c->get(), reinterpret_cast<const unsigned char*>(protocols->data()),
                              static_cast<unsigned>(protocols->size())) != 0)  // here 0 is success
    return cannot("the application protocols");
  if (options.verify) {
    if (const auto used = use_trust(c->get(), options.trust); !used) return wrong(used.error());
    SSL_CTX_set_verify(c->get(), SSL_VERIFY_PEER, nullptr);
  }
  if (!options.certificate.empty())
    if (const auto used = use_certificate(c->get(), options.certificate, options.key); !used)
      return wrong(used.error());
  if (options.resume) {
    SSL_CTX_set_session_cache_mode(c->get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c->get(), tls::session::keep);
  }
  return std::make_shared<const client_context>(std::move(*c), options.verify, options.resume);
}

std::expected<std::shared_ptr<const tls_context>, std::string> tls_server(const tls_server_options& options) {
  auto c = new_context(TLS_server_method(), options.least);
  if (!c) return wrong(c.error());
  auto protocols = protocol_list(options.protocols);
  if (!protocols) return wrong(protocols.error());
  if (const auto used = use_certificate(c->get(), options.certificate, options.key); !used)
    return wrong(used.error());
  SSL_CTX_set_session_cache_mode(c->get(), SSL_SESS_CACHE_OFF);  // tickets need no memory here
  if (!options.trust.empty()) {
    if (const auto used = use_trust(c->get(), options.trust); !used) return wrong(used.error());
    SSL_CTX_set_client_CA_list(c->get(), SSL_load_client_CA_file(options.trust.c_str()));
    SSL_CTX_set_verify(c->get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    constexpr std::string_view scope = "halfopen";  // SSL_CTX_set_session_id_context(3): for resumption
    SSL_CTX_set_session_id_context(c->get(), reinterpret_cast<const unsigned char*>(scope.data()),
                                   static_cast<unsigned>(scope.size()));
  }
  return std::make_shared<const server_context>(std::move(*c), std::move(*protocols));
}

}  // namespace halfopen
