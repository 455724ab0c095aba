#ifndef HALFOPEN_SRC_TLS_SESSION_HPP
#define HALFOPEN_SRC_TLS_SESSION_HPP

#include <string>
#include <string_view>

#include "net/layer.hpp"
#include "tls/openssl.hpp"
#include "tls/session_store.hpp"

namespace halfopen::tls {

/// TLS on one connection. Not synchronised.
class session final : public net::layer {
 public:
  /// That of a server.
  explicit session(SSL_CTX* context);

  struct client_setting {
    std::string name;                        ///< whom we want
    bool verify = true;                      ///< the certificate must be that name's
    std::shared_ptr<session_store> store{};  ///< where sessions are kept; none: nowhere
  };
  session(SSL_CTX* context, client_setting how);

  void take(std::string_view came, wire::byte_queue& plain) override;
  [[nodiscard]] std::size_t wrap(std::string_view plain) override;
  void finish() override;
  [[nodiscard]] bool in_mid_record() const override;
  [[nodiscard]] tls_facts facts() const override;

  /// To be set at a client's SSL_CTX that keeps sessions: SSL_CTX_sess_set_new_cb(3).
  static int keep(SSL* connection, SSL_SESSION* made);

 private:
  struct memory;  // the BIO

  [[nodiscard]] bool make(SSL_CTX* context);
  [[nodiscard]] bool look_for(const client_setting& how);
  void on_error(int result);
  void fail(const failure& how);

  connection_handle ssl_;
  std::string_view came_;  // during take(): what OpenSSL has not read
  std::string name_;
  std::shared_ptr<session_store> store_;
};

}  // namespace halfopen::tls

#endif
