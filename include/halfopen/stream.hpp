#ifndef HALFOPEN_STREAM_HPP
#define HALFOPEN_STREAM_HPP

/// \file
/// One TCP connection, whose every operation has a deadline and ends in a value or in a
/// fate.
///
///     auto s = co_await halfopen::connect("server", "7", 5s);     // connect.hpp
///     if (auto sent = co_await s->write("1 2\n", 5s); !sent) co_return report(sent.error());
///     auto reply = co_await s->read_line(100, 5s);
///     s->settle();                                                // the reply was whole
///     co_await s->close(2s);
///
/// On Asio (standalone), in asio::awaitable coroutines. One reader and one writer at a
/// time may wait on a stream: a second one gets std::logic_error. It is otherwise not
/// synchronised: its executor is that of an io_context which one thread runs, or a strand. An open
/// stream is work for that io_context, whose run() does not return before it is closed.
/// Cancellation of a coroutine that waits here (Asio's cancellation slots) ends the operation
/// with the fate shut_down. A stream may be moved while somebody waits on it, not destroyed.
///
/// A Unix socket does as well (unix(7)): it has the same operations and fates, but no RST, no silence and
/// no liveness options; docs/library.md says what is different.
///
/// SIGPIPE is never raised (MSG_NOSIGNAL, send(2)), whatever the program does with it.

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "halfopen/deadline.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/unique_fd.hpp"

namespace halfopen {

struct stream_options {
  /// A dead peer is noticed within this, idle or not (liveness.hpp); 0: as the kernel is set.
  std::chrono::milliseconds notice_within{10'000};
  /// ICMP unreachable ends the connection at once. If not, it is only the reason given when
  /// retransmission has given up (RFC 1122 section 4.2.3.9).
  bool heed_icmp = true;
};

namespace net {
class layer;
class stream_state;
}  // namespace net

/// What one side of TLS needs for all its connections: made by tls_client() and tls_server() of
/// tls.hpp. Thread-safe; has to live until the last handshake is over.
class tls_context {
 public:
  tls_context() = default;
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;
  virtual ~tls_context() = default;

 private:
  friend class stream;
  [[nodiscard]] virtual std::unique_ptr<net::layer> begin(const std::string& peer_name) const = 0;
};

/// What the two sides agreed upon. The texts live as long as the stream.
struct tls_facts {
  std::string_view version;               ///< "TLSv1.3"
  std::string_view cipher;                ///< "TLS_AES_256_GCM_SHA384"
  std::string_view application_protocol;  ///< by ALPN (RFC 7301); empty if none was agreed
  bool resumed = false;                   ///< an earlier session went on (RFC 8446 section 2.2)
};

class stream {
 public:
  template <class T>
  using result = std::expected<T, fate>;

  /// No connection: the only things to do are to ask for one (operator bool) and to assign one.
  stream() noexcept;
  /// Takes a connected socket over, and sets its options: nonblocking, TCP_NODELAY, and
  /// those above as far as the kernel has them.
  /// Throws std::system_error if it cannot be watched (ENOMEM, or not a socket).
  stream(const asio::any_io_executor& executor, unique_fd connected, const stream_options& options = {});
  stream(stream&&) noexcept;
  stream& operator=(stream&&) noexcept;
  /// Closes at once. What has come meanwhile is read and dropped first, since close(2) with
  /// unread bytes sends an RST, which may destroy a reply on its way (RFC 2525 section
  /// 2.17); only close() guards against bytes that are still to come.
  ~stream();

  [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

  // Reading. A view is valid until the next read. Bytes that a failed operation had read
  // stay; after end-of-file or an error every read gives the same fate.

  /// At least one byte: all that is here and was not consumed. They stay until consume().
  [[nodiscard]] asio::awaitable<result<std::string_view>> read(deadline limit);
  /// The next line without its LF. malformed if it has a NUL, or more than `most` bytes
  /// before its LF; memory is bounded by that and one read.
  [[nodiscard]] asio::awaitable<result<std::string_view>> read_line(std::size_t most, deadline limit);
  /// Exactly `size` bytes. malformed if that is more than `most`: say how much you would
  /// believe when a size comes from the other side.
  [[nodiscard]] asio::awaitable<result<std::string_view>> read_exactly(std::size_t size, std::size_t most,
                                                                       deadline limit);
  /// At least one byte into the caller's memory, and how many: what is here already and was not consumed,
  /// or else what comes next, which without TLS the kernel puts there itself. 0 for no memory. The memory
  /// lives until it has ended.
  [[nodiscard]] asio::awaitable<result<std::size_t>> read_into(std::span<char> into, deadline limit);
  /// Read and not consumed.
  [[nodiscard]] std::string_view unread() const noexcept;
  void consume(std::size_t size) noexcept;

  /// The next message that a framer of wire/ cuts out of the stream; valid until the framer is
  /// fed again. The framer takes all bytes that came: when its mid_message() is true a further
  /// message may be here already, and next_message() would wait for another one.
  template <class Framer>
  [[nodiscard]] auto read_message(Framer& framer, deadline limit)
      -> asio::awaitable<result<typename std::remove_cvref_t<decltype(*framer.next())>::value_type>>;

  // Writing.

  /// Hands all bytes to the kernel, which is not to say that the peer has them. Works after
  /// the peer's FIN too. After a write that failed, reads still give what came before.
  [[nodiscard]] asio::awaitable<result<void>> write(std::string_view bytes, deadline limit);
  /// The same of several pieces, in one sendmsg(2) as far as the kernel takes them. They and the list of
  /// them live until it has ended.
  ///
  ///     const std::array<std::string_view, 2> parts{head, body};
  ///     co_await s.write(parts, 5s);
  [[nodiscard]] asio::awaitable<result<void>> write(std::span<const std::string_view> parts, deadline limit);
  /// The same of `size` bytes of a file from `offset` on: sendfile(2), or read and wrapped with TLS. The
  /// file's own position stays; it is read on this thread, which waits for the disk. local_failure if the
  /// file ends before that (error 0) or cannot be read: a part may be sent then, and nothing is left but
  /// to close. SIGPIPE is not raised either.
  [[nodiscard]] asio::awaitable<result<void>> send_file(int file, std::uint64_t offset, std::uint64_t size,
                                                        deadline limit);

  // Messages: where one exchange ends and the next begins decides what a fate means.

  /// All that was asked is answered: the connection is idle, and its end is now `completed`.
  void settle() noexcept;
  /// For a server: settles, and waits for the first byte of the next request. The peer's FIN
  /// here is `completed`; `shut_down` if drain() was called and no request has come.
  [[nodiscard]] asio::awaitable<result<void>> next_message(deadline limit);
  /// Ends a wait in next_message(), now or later, once nothing has come that it could give.
  /// On the stream's own thread, as all that is here.
  void drain() noexcept;
  /// For a client that waits for something else: how the peer ended the connection, as soon
  /// as its FIN or RST is here. Bytes that nobody asked for are `malformed`. Reads, and so
  /// excludes other reads.
  [[nodiscard]] asio::awaitable<fate> ended();
  /// For a client with a pool: how it has ended by now; nothing if it is alive as far as this
  /// host knows, and may be used. One system call.
  [[nodiscard]] std::optional<fate> ended_by_now();

  // TLS.

  /// Puts TLS over the connection: the handshake within the limit, as client or as server by what
  /// the context is. connect() and server do it themselves if they are given one. All other
  /// operations are the same afterwards, and their bytes are plaintext. Bytes that were read before
  /// and not consumed are taken for the handshake's.
  ///
  /// `peer_name` is for a client: whom the certificate must name, and the name that is asked for
  /// (SNI, RFC 6066 section 3; not for an address). The phase is connecting until it is done, and no
  /// byte of a request was handed over. After a fate nothing is left but to close. Of the fates:
  /// - local_failure: the certificate is not accepted here; `detail` says why;
  /// - peer_closed: the peer's alert, which `detail` names, or a FIN;
  /// - malformed: no TLS, or nothing that both sides know.
  [[nodiscard]] asio::awaitable<result<void>> secure(const tls_context& how, std::string peer_name,
                                                     deadline limit);
  /// What was agreed; nothing on a connection without TLS, or during the handshake.
  [[nodiscard]] std::optional<tls_facts> tls() const;

  // Ending.

  /// Says FIN, with TLS close_notify before it (RFC 8446 section 6.1), reads and drops what still
  /// comes until the peer's FIN or the limit (at most 64 MiB), and closes: a reply on its way
  /// arrives. The stream is empty then.
  [[nodiscard]] asio::awaitable<void> close(deadline limit);
  /// Closes with an RST: what the other side does not have yet is lost. On a Unix socket it is a close.
  void reset() noexcept;

  // What is known.

  /// The first fate that was not only our own limit; nothing while it goes on.
  [[nodiscard]] const fate* how_it_ended() const noexcept;
  /// What is wrong with bytes that were received, as a fate of this connection.
  [[nodiscard]] fate malformed(std::string_view what) const noexcept;
  /// The phase of the exchange that is under way.
  [[nodiscard]] phase where() const noexcept;
  /// Bytes of write() that the kernel has taken, in the connection's life. With TLS those of each
  /// record of which it has taken a byte.
  [[nodiscard]] std::uint64_t handed_over() const noexcept;
  [[nodiscard]] const asio::ip::tcp::endpoint& peer() const noexcept;
  /// For socket options and diagnose(). It stays the stream's: nonblocking, and not to be closed.
  [[nodiscard]] int native_handle() const noexcept;
  [[nodiscard]] asio::any_io_executor get_executor() const noexcept;

 private:
  friend class net::stream_state;
  explicit stream(std::unique_ptr<net::stream_state> state) noexcept;

  std::unique_ptr<net::stream_state> state_;
};

template <class Framer>
auto stream::read_message(Framer& framer, deadline limit)
    -> asio::awaitable<result<typename std::remove_cvref_t<decltype(*framer.next())>::value_type>> {
  for (;;) {
    const auto message = framer.next();
    if (!message) co_return std::unexpected(malformed(describe(message.error())));
    if (*message) co_return **message;
    const auto bytes = co_await read(limit);
    if (!bytes) co_return std::unexpected(bytes.error());
    framer.feed(*bytes);
    consume(bytes->size());
  }
}

}  // namespace halfopen

#endif
