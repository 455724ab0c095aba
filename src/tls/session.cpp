// OpenSSL between two pieces of memory. It reads from the bytes that were just received, where they
// lie, and writes into the queue of what is to be sent: a BIO of a few lines. OpenSSL's own memory
// BIOs copy both once more and keep their buffers, 34 KiB for a pair of BIOs as Asio uses it, as long
// as the connection lives; here an idle connection has what OpenSSL itself keeps and no more
// (SSL_MODE_RELEASE_BUFFERS).
//
// OpenSSL reads all that it is given: what is left of a record stays with it. A write never has to
// wait, since memory takes all; hence no operation is ever to be repeated, and SSL_ERROR_WANT_WRITE
// does not occur.
//
// The kernel's TLS (kTLS) is not used. OpenSSL 3.0 turns it on only where it reads and writes the
// socket itself (SSL_OP_ENABLE_KTLS, SSL_set_fd), which would be a second way to read and write
// beside the one on which all fates rest; docs/library.md says what it would take.

#include "tls/session.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "tls/failure.hpp"

namespace halfopen::tls {
namespace {

constexpr std::size_t record_size = SSL3_RT_MAX_PLAIN_LENGTH;  // 2^14, RFC 8446 section 5.1

bool is_address(const std::string& name) noexcept {
  std::array<unsigned char, sizeof(in6_addr)> address;
  return ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

/// SSL_set_tlsext_host_name(3), without its old cast.
bool ask_for(SSL* connection, std::string& name) noexcept {
  return SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

}  // namespace

struct session::memory {
  static session& of(BIO* b) noexcept { return *static_cast<session*>(BIO_get_data(b)); }

  static int read(BIO* b, char* into, int size) noexcept {
    session& s = of(b);
    BIO_clear_retry_flags(b);
    if (s.came_.empty()) {
      BIO_set_retry_read(b);
      return -1;
    }
    const std::size_t n = std::min(s.came_.size(), static_cast<std::size_t>(size));
    std::memcpy(into, s.came_.data(), n);
    s.came_.remove_prefix(n);
    return static_cast<int>(n);
  }

  static int write(BIO* b, const char* from, int size) noexcept {
    BIO_clear_retry_flags(b);
    try {
      of(b).to_send.append({from, static_cast<std::size_t>(size)});
      return size;
    } catch (const std::bad_alloc&) {  // not through C
      return -1;
    }
  }

  static long control(BIO*, int what, long, void*) noexcept { return what == BIO_CTRL_FLUSH ? 1 : 0; }

  /// For all; OpenSSL's end frees nothing of it.
  static const BIO_METHOD* method() noexcept {
    static const BIO_METHOD* const only = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "halfopen");
      if (m != nullptr) {
        BIO_meth_set_read(m, read);
        BIO_meth_set_write(m, write);
        BIO_meth_set_ctrl(m, control);
      }
      return m;
    }();
    return only;
  }
};

session::session(SSL_CTX* context) {
  if (make(context)) SSL_set_accept_state(ssl_.get());
}

session::session(SSL_CTX* context, client_setting how)
    : name_(std::move(how.name)), store_(std::move(how.store)) {
  if (!make(context) || !look_for(how)) return;
  SSL_set_connect_state(ssl_.get());
  if (store_)
    if (const session_handle before = store_->take(name_)) SSL_set_session(ssl_.get(), before.get());
  ERR_clear_error();
  if (const int result = SSL_do_handshake(ssl_.get()); result != 1) on_error(result);  // says hello
}

bool session::make(SSL_CTX* context) {
  ERR_clear_error();
  ssl_.reset(SSL_new(context));
  BIO* both = ssl_ && memory::method() != nullptr ? BIO_new(memory::method()) : nullptr;
  if (both == nullptr) {
    fail({ending::local_failure, "no memory"});
    return false;
  }
  BIO_set_data(both, this);
  BIO_set_init(both, 1);
  SSL_set_bio(ssl_.get(), both, both);
  SSL_set_ex_data(ssl_.get(), 0, this);  // SSL_set_app_data(), without its old cast
  return true;
}

bool session::look_for(const client_setting& how) {
  if (name_.ends_with('.')) name_.pop_back();  // the root's, which no certificate has
  const bool address = is_address(name_);
  bool good = name_.empty() || address || ask_for(ssl_.get(), name_);
  if (how.verify) {
    SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    // An empty name would match any certificate.
    good = good && !name_.empty() &&
           (address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name_.c_str())
                    : SSL_set1_host(ssl_.get(), name_.c_str())) == 1;
  }
  if (!good) fail({ending::local_failure, "no name that a certificate could be for"});
  return good;
}

void session::take(std::string_view came, wire::byte_queue& plain) {
  static thread_local std::array<char, record_size> buffer;
  if (over()) return;
  came_ = came;
  ERR_clear_error();
  std::size_t got = 0;
  int result = 0;
  while ((result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &got)) == 1)
    plain.append({buffer.data(), got});
  if (now == course::opening && SSL_is_init_finished(ssl_.get()) == 1) now = course::open;
  on_error(result);
  came_ = {};
}

std::size_t session::wrap(std::string_view plain) {
  ERR_clear_error();
  std::size_t taken = 0;
  const std::size_t size = std::min(plain.size(), record_size);
  const int result = SSL_write_ex(ssl_.get(), plain.data(), size, &taken);
  if (result == 1) return taken;
  on_error(result);
  if (now != course::failed) fail({ending::local_failure, "a write before the TLS handshake was over"});
  return 0;
}

void session::finish() {
  if (now != course::open && now != course::finished) return;
  ERR_clear_error();
  if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) static_cast<void>(SSL_shutdown(ssl_.get()));
  ERR_clear_error();
}

void session::on_error(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
      return;
    case SSL_ERROR_ZERO_RETURN:
      if (now == course::opening)
        fail({ending::peer_closed, "TLS close_notify in the handshake"});
      else
        now = course::finished;
      return;
    default:
      fail(take_failure(ssl_.get()));
  }
}

void session::fail(const failure& how) {
  now = course::failed;
  why = how;
}

bool session::in_mid_record() const {
  return SSL_has_pending(ssl_.get()) == 1;
}

tls_facts session::facts() const {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  return {.version = SSL_get_version(ssl_.get()),
          .cipher = SSL_get_cipher_name(ssl_.get()),
          .application_protocol = {reinterpret_cast<const char*>(protocol), size},
          .resumed = SSL_session_reused(ssl_.get()) == 1};
}

int session::keep(SSL* connection, SSL_SESSION* made) {
  const session* s = static_cast<const session*>(SSL_get_app_data(connection));
  if (s == nullptr || !s->store_ || SSL_SESSION_is_resumable(made) != 1) return 0;
  try {
    s->store_->put(s->name_, session_handle(made));
  } catch (const std::bad_alloc&) {  // the handle has freed it
  }
  return 1;
}

}  // namespace halfopen::tls
