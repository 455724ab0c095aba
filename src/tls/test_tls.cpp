#include "tls/test_tls.hpp"

#include <openssl/err.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace halfopen::tls::test {
namespace {

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

int take_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char*, unsigned,
                  void* mine) {
  const auto& protocol = *static_cast<const std::string*>(mine);
  *chosen = reinterpret_cast<const unsigned char*>(protocol.data());
  *size = static_cast<unsigned char>(protocol.size());
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::shared_ptr<const tls_context> our_client(tls_client_options options) {
  if (options.trust.empty()) options.trust = made().authority;
  return tls_client(options).value();
}

std::shared_ptr<const tls_context> our_server(tls_server_options options) {
  if (options.certificate.empty()) {
    options.certificate = made().server;
    options.key = made().server_key;
  }
  return tls_server(options).value();
}

peer::peer(unique_fd socket, role who, const peer_options& options)
    : fd(std::move(socket)), context_(SSL_CTX_new(TLS_method())), options_(options) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to its socket with write(2)
  SSL_CTX* c = context_.get();
  SSL_CTX_set_min_proto_version(c, options.least);
  SSL_CTX_set_max_proto_version(c, options.most);
  if (!options.certificate.empty()) {
    must(SSL_CTX_use_certificate_chain_file(c, options.certificate.c_str()) == 1, "certificate");
    must(SSL_CTX_use_PrivateKey_file(c, options.key.c_str(), SSL_FILETYPE_PEM) == 1, "key");
  }
  if (!options.trust.empty()) {
    SSL_CTX_load_verify_file(c, options.trust.c_str());
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  if (!options.protocols.empty())
    SSL_CTX_set_alpn_protos(c, reinterpret_cast<const unsigned char*>(options.protocols.data()),
                            static_cast<unsigned>(options.protocols.size()));
  if (!options_.protocol.empty()) SSL_CTX_set_alpn_select_cb(c, take_protocol, &options_.protocol);
  ssl_.reset(SSL_new(c));
  SSL_set_fd(ssl_.get(), fd.get());
  who == role::server ? SSL_set_accept_state(ssl_.get()) : SSL_set_connect_state(ssl_.get());
}

bool peer::shake_hands() {
  ERR_clear_error();
  if (SSL_do_handshake(ssl_.get()) == 1) return true;
  error_ = ERR_peek_error();
  return false;
}

bool peer::write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t written = 0;
  return bytes.empty() || SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) == 1;
}

std::string peer::read(std::size_t enough) {
  std::string all;
  std::array<char, 16384> buffer{};
  std::size_t got = 0;
  ERR_clear_error();
  while (all.size() < enough &&
         SSL_read_ex(ssl_.get(), buffer.data(), std::min(buffer.size(), enough - all.size()), &got) == 1)
    all.append(buffer.data(), got);
  if (all.size() < enough) error_ = ERR_peek_error();
  return all;
}

void peer::close_notify() {
  SSL_shutdown(ssl_.get());
}

bool peer::was_told_of_the_end() {
  static_cast<void>(read(SIZE_MAX));
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

std::string peer::alert() const {
  const int reason = ERR_GET_REASON(error_);
  if (ERR_GET_LIB(error_) != ERR_LIB_SSL || reason < SSL_AD_REASON_OFFSET ||
      reason > SSL_AD_REASON_OFFSET + 255)
    return {};
  return SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
}

}  // namespace halfopen::tls::test
