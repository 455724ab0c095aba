#include "tls/test_tls.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace halfopen::tls::test {
namespace {

namespace fs = std::filesystem;

using key_handle = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_handle = std::unique_ptr<X509, freed_by<X509_free>>;

constexpr long day = 24L * 3600;

void check(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

struct identity {
  key_handle key{EVP_EC_gen("P-256")};
  certificate_handle certificate{X509_new()};
};

void extend(X509* c, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, c, nullptr, nullptr, 0);
  X509_EXTENSION* e = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  check(e != nullptr && X509_add_ext(c, e, -1) == 1, "extension");
  X509_EXTENSION_free(e);
}

/// Signed by itself without an issuer; alternative names such as "DNS:server"; valid until so many seconds
/// from now.
identity make(const std::string& name, const std::string& alternatives, const identity* issuer,
              bool authority, long until) {
  static long serial = 1;
  identity made;
  X509* c = made.certificate.get();
  X509_set_version(c, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(c), serial++);
  X509_gmtime_adj(X509_getm_notBefore(c), -30 * day);
  X509_gmtime_adj(X509_getm_notAfter(c), until);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  const identity& by = issuer != nullptr ? *issuer : made;
  X509_set_issuer_name(c, X509_get_subject_name(by.certificate.get()));
  X509_set_pubkey(c, made.key.get());
  extend(c, by.certificate.get(), NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!alternatives.empty()) extend(c, by.certificate.get(), NID_subject_alt_name, alternatives);
  check(X509_sign(c, by.key.get(), EVP_sha256()) > 0, "sign");
  return made;
}

struct folder {
  folder() : path(fs::temp_directory_path() / "halfopen-tls-test-XXXXXX") {
    check(::mkdtemp(path.data()) != nullptr, "mkdtemp");
  }
  ~folder() {
    std::error_code ignored;
    if (::getpid() == owner) fs::remove_all(path, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  template <class F>
  std::string file(const std::string& name, F&& write) const {
    const std::string where = path + "/" + name;
    std::FILE* f = std::fopen(where.c_str(), "w");
    check(f != nullptr, "fopen");
    write(f);
    std::fclose(f);
    return where;
  }
  [[nodiscard]] std::string certificate(const std::string& name, const identity& i) const {
    return file(name + ".pem", [&](std::FILE* f) { PEM_write_X509(f, i.certificate.get()); });
  }
  [[nodiscard]] std::string key(const std::string& name, const identity& i) const {
    return file(name + ".key", [&](std::FILE* f) {
      PEM_write_PrivateKey(f, i.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

  std::string path;
  pid_t owner = ::getpid();
};

certificates make_all(const folder& in) {
  const std::string names = "DNS:server,IP:127.0.0.1";
  const identity authority = make("authority", {}, nullptr, true, 30 * day);
  const identity server = make("server", names, &authority, false, 30 * day);
  const identity expired = make("server", names, &authority, false, -day);
  const identity client = make("client", "DNS:client", &authority, false, 30 * day);
  const identity stranger = make("server", names, nullptr, false, 30 * day);
  return {.authority = in.certificate("authority", authority),
          .server = in.certificate("server", server),
          .server_key = in.key("server", server),
          .expired = in.certificate("expired", expired),
          .expired_key = in.key("expired", expired),
          .client = in.certificate("client", client),
          .client_key = in.key("client", client),
          .stranger = in.certificate("stranger", stranger),
          .stranger_key = in.key("stranger", stranger),
          .empty = in.file("empty", [](std::FILE*) {})};
}

int take_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char*, unsigned,
                  void* mine) {
  const auto& protocol = *static_cast<const std::string*>(mine);
  *chosen = reinterpret_cast<const unsigned char*>(protocol.data());
  *size = static_cast<unsigned char>(protocol.size());
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

const certificates& made() {
  static const folder here;
  static const certificates all = make_all(here);
  return all;
}

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
    check(SSL_CTX_use_certificate_chain_file(c, options.certificate.c_str()) == 1, "certificate");
    check(SSL_CTX_use_PrivateKey_file(c, options.key.c_str(), SSL_FILETYPE_PEM) == 1, "key");
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
