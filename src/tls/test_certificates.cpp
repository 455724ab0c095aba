#include "tls/test_certificates.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "tls/openssl.hpp"

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

}  // namespace

const certificates& made() {
  static const folder here;
  static const certificates all = make_all(here);
  return all;
}

}  // namespace halfopen::tls::test
