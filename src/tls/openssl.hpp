#ifndef HALFOPEN_SRC_TLS_OPENSSL_HPP
#define HALFOPEN_SRC_TLS_OPENSSL_HPP

#include <openssl/ssl.h>

#include <memory>

namespace halfopen::tls {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};

using context_handle = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using connection_handle = std::unique_ptr<SSL, freed_by<SSL_free>>;
using session_handle = std::unique_ptr<SSL_SESSION, freed_by<SSL_SESSION_free>>;

}  // namespace halfopen::tls

#endif
