#ifndef HALFOPEN_SRC_TLS_TEST_CERTIFICATES_HPP
#define HALFOPEN_SRC_TLS_TEST_CERTIFICATES_HPP

/// For tests and measurements: certificates that are made now.

#include <string>

namespace halfopen::tls::test {

/// Files in PEM, in a folder that goes with the process. Made once.
struct certificates {
  std::string authority;               ///< whom to trust
  std::string server, server_key;      ///< of "server" and 127.0.0.1
  std::string expired, expired_key;    ///< the same, until yesterday
  std::string client, client_key;      ///< of "client"
  std::string stranger, stranger_key;  ///< of "server", signed by itself
  std::string empty;                   ///< a file with nothing in it
};
[[nodiscard]] const certificates& made();

}  // namespace halfopen::tls::test

#endif
