// From OpenSSL's error queue to an ending. Three kinds of failure look alike there, and are not:
//
// - The peer's fatal alert: it has closed, and said why (RFC 8446 section 6.2). peer_closed.
// - A certificate that is not accepted here: the peer did nothing wrong by the protocol, and another
//   try may well do if the configuration is another one. local_failure.
// - All else that TLS calls an error is in the bytes that came: another protocol on that port, a
//   record that was changed on its way, no version or cipher that both know. malformed.
//
// A fate's detail must live for ever. OpenSSL's own texts do, so what is made of them is kept for
// ever too, once each.

#include "tls/failure.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <mutex>
#include <set>
#include <string>

namespace halfopen::tls {
namespace {

constexpr int most_alert = 255;  // it is a byte; its error is that and SSL_AD_REASON_OFFSET

/// The first that TLS itself has reported, else the first of all; 0 if there is none.
unsigned long take_error() noexcept {
  unsigned long first = 0;
  while (const unsigned long next = ERR_get_error())
    if (first == 0 || (ERR_GET_LIB(first) != ERR_LIB_SSL && ERR_GET_LIB(next) == ERR_LIB_SSL)) first = next;
  return first;
}

std::string_view text_of(unsigned long error) noexcept {
  const char* text = ERR_reason_error_string(error);
  return text != nullptr ? text : "an error without a name";
}

/// OpenSSL 3.0 has no text for two of TLS 1.3's (RFC 8446 section 6).
std::string_view alert_text(int number) noexcept {
  switch (number) {
    case SSL_AD_MISSING_EXTENSION:
      return "missing extension";
    case SSL_AD_CERTIFICATE_REQUIRED:
      return "certificate required";
    default:
      return SSL_alert_desc_string_long(number);
  }
}

}  // namespace

std::string_view forever(std::string_view first, std::string_view second) {
  static std::mutex guard;
  static auto& kept = *new std::set<std::string>;  // not destroyed: other threads may still have fates
  const std::scoped_lock lock(guard);
  return *kept.insert(std::string(first).append(second)).first;
}

net::layer::failure take_failure(const SSL* connection) {
  const unsigned long error = take_error();
  const int reason = ERR_GET_REASON(error);
  if (error == 0) return {ending::local_failure, "no memory"};
  // ERR_RFLAG_FATAL: no memory, an error within OpenSSL, a call that must not be made.
  if (ERR_GET_LIB(error) != ERR_LIB_SSL || (reason & ERR_RFLAG_FATAL) != 0)
    return {ending::local_failure, forever("OpenSSL: ", text_of(error))};
  if (const int alert = reason - SSL_AD_REASON_OFFSET; alert >= 0 && alert <= most_alert)
    return {ending::peer_closed, forever("the peer's TLS alert: ", alert_text(alert))};
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    return {ending::local_failure, forever("the peer's certificate is not accepted: ",
                                           X509_verify_cert_error_string(SSL_get_verify_result(connection)))};
  if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    return {ending::local_failure, "the peer has shown no certificate"};
  return {ending::malformed, forever("TLS: ", text_of(error))};
}

}  // namespace halfopen::tls
