#ifndef HALFOPEN_SRC_TLS_FAILURE_HPP
#define HALFOPEN_SRC_TLS_FAILURE_HPP

#include <string_view>

#include "net/layer.hpp"
#include "tls/openssl.hpp"

namespace halfopen::tls {

/// What OpenSSL's error queue says of an operation on this connection that failed; empties it.
[[nodiscard]] net::layer::failure take_failure(const SSL* connection);

/// One text of two, which lives for ever. Both are from a finite number of texts.
[[nodiscard]] std::string_view forever(std::string_view first, std::string_view second);

}  // namespace halfopen::tls

#endif
