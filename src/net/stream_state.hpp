#ifndef HALFOPEN_SRC_NET_STREAM_STATE_HPP
#define HALFOPEN_SRC_NET_STREAM_STATE_HPP

#include <asio/ip/tcp.hpp>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "fate/make_fate.hpp"
#include "halfopen/stream.hpp"
#include "halfopen/wire/byte_queue.hpp"
#include "net/bulk.hpp"
#include "net/channel.hpp"
#include "net/layer.hpp"

namespace halfopen::net {

/// On a connected socket, or on a listening one, whose connections inherit them.
void set_connection_options(int fd, const stream_options& options) noexcept;

/// What a stream is, behind its pointer: the descriptor, what was read and not used, and
/// enough of the past to say what an ending means. stream.cpp says how it reads.
class stream_state {
 public:
  stream_state(const asio::any_io_executor& executor, unique_fd fd);
  /// Takes over what connected, with its place in the reactor.
  explicit stream_state(std::shared_ptr<channel> connected);

  [[nodiscard]] static stream_state& of(stream& open) noexcept { return *open.state_; }
  [[nodiscard]] static stream make(std::unique_ptr<stream_state> state) { return stream(std::move(state)); }

  /// Nothing was asked on it yet, as far as the next fate is concerned: the exchange that begins is another
  /// caller's than those before it.
  static void begin_anew(stream& idle) noexcept { idle.state_->answered = false; }

  void set_options(const stream_options& options) noexcept;
  /// Of an accepted connection: it has what the listener had at its handshake, which are the options
  /// unless it is older than they are there (made just after listen(), or in a queue of systemd's).
  void inherit_options(const stream_options& options) noexcept;
  void set_peer(const asio::ip::tcp::endpoint& address) noexcept { peer = address; }
  /// Kept as long as the connection: the listener's count of it.
  void hold(std::shared_ptr<void> ticket) noexcept { ticket_ = std::move(ticket); }

  /// One attempt to read.
  enum class pull : std::uint8_t {
    bytes,  ///< at least one is in the queue now
    wait,   ///< nothing is here: wait for an edge
    over,   ///< ended says how
  };
  [[nodiscard]] pull try_read() noexcept;
  /// The same into `into`, which is not empty: what is in the queue, or else what is in the socket, which
  /// does not go through the queue if there is no layer. `got` says how many.
  [[nodiscard]] pull try_read_into(std::span<char> into, std::size_t& got) noexcept;

  /// Writes until the kernel takes no more; false if write_failed says why. The peer's FIN
  /// is no reason not to: it may only have shut its writing side.
  [[nodiscard]] bool try_write(std::string_view& bytes) noexcept;
  [[nodiscard]] bool try_write(pieces& rest) noexcept;
  /// False too if the file says why.
  [[nodiscard]] bool try_send_file(file_part& rest) noexcept;
  /// What try_write() left is nothing, in the layer neither.
  [[nodiscard]] bool is_sent(std::string_view rest) const noexcept {
    return rest.empty() && (!layer_ || layer_->to_send.empty());
  }

  // TLS over the socket: stream_tls.cpp.

  /// From here on all bytes go through it, those that were read already too.
  void put_over(std::unique_ptr<layer> over);
  /// A step of its handshake: what to wait for before the next; nothing when there is no next.
  [[nodiscard]] std::optional<direction> shake_hands() noexcept;
  /// What secure() gives after the last step, or a wait that ended so.
  [[nodiscard]] stream::result<void> secured(wake last) noexcept;
  /// Its farewell; true while the kernel does not take it.
  [[nodiscard]] bool say_goodbye() noexcept;
  [[nodiscard]] std::optional<tls_facts> tls() const;

  /// What write() gives after the last try_write().
  [[nodiscard]] stream::result<void> written(bool all, wake last);
  /// What send_file() gives after the last try_send_file().
  [[nodiscard]] stream::result<void> sent_file(const file_part& rest, wake last);
  /// How often one may read, 64 KiB at a time, before other connections get their turn.
  static constexpr int reads_at_once = 16;

  /// A step of next_message(), after settle(): whether one must wait before the next, which is one with
  /// idle_wait set, and message_wait_ended() after it. `last` is how the last wait ended, at first `ready`.
  [[nodiscard]] bool must_wait_for_message(wake& last) noexcept;
  void message_wait_ended(wake& why) noexcept;
  /// What next_message() gives once a byte is here, or none will be: a wait ended so.
  [[nodiscard]] stream::result<void> begun(wake last) const;
  /// The fate of a wait that was not ended by its descriptor.
  [[nodiscard]] fate stopped(wake why, operation during) const noexcept;
  [[nodiscard]] fate malformed(std::string_view what) const noexcept;
  [[nodiscard]] const fate& end(const fate& f) noexcept;

  void settle() noexcept;
  /// Reads and drops what is here; false when there is no more to come.
  [[nodiscard]] bool drop_unread(std::uint64_t& budget) noexcept;

  channel& wire() noexcept { return *channel_; }
  [[nodiscard]] int fd() const noexcept { return channel_->fd(); }

  wire::byte_queue in;
  std::unique_ptr<fate> ended;         ///< the first fate
  std::unique_ptr<fate> write_failed;  ///< that of writing
  asio::ip::tcp::endpoint peer;
  std::uint64_t handed_over = 0;
  std::uint64_t request_began = 0;  ///< of handed_over
  std::size_t scanned = 0;          ///< of in, by read_line: without an LF
  phase where = phase::idle;
  bool wire_over = false;  ///< the peer's FIN is here, or the connection is dead
  int unbroken = 0;        ///< reads since others had their turn
  bool answered = false;   ///< something was asked, and settled
  bool draining = false;
  bool writing = false;    ///< in write()
  bool idle_wait = false;  ///< in next_message()
  bool read_over = false;  ///< ended says how; a write that failed leaves something to read
  /// The last read left nothing in the kernel: the next edge will tell of anything new, and no read need ask.
  bool drained = true;

 private:
  [[nodiscard]] pull receive_some(std::span<char> into, std::size_t& got) noexcept;
  /// How many bytes the kernel takes; 0: none now, or write_failed says why.
  [[nodiscard]] std::size_t send(std::string_view bytes) noexcept;
  /// ... of those that this call sends, which gives what send(2) does.
  template <class Call>
  [[nodiscard]] std::size_t sent_by(Call call) noexcept {
    for (;;) {
      const ssize_t sent = call();
      if (sent >= 0) return static_cast<std::size_t>(sent);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) fail_to_write(errno);
      return 0;
    }
  }
  void fail_to_write(int error) noexcept;
  [[nodiscard]] bool try_write_joined(pieces& rest) noexcept;
  [[nodiscard]] bool try_send_copied(file_part& rest) noexcept;
  void count(std::size_t bytes) noexcept;
  void end_of_wire(int error) noexcept;

  [[nodiscard]] bool take_through_layer(std::string_view came);
  [[nodiscard]] bool try_write_through_layer(std::string_view& bytes) noexcept;
  bool flush() noexcept;
  void end_of_layer() noexcept;
  [[nodiscard]] fate fate_of_layer() const noexcept;
  [[nodiscard]] fate end_of_file_below_layer(fate end) const noexcept;

  [[nodiscard]] retry again() const noexcept;
  [[nodiscard]] standing at(operation during) const noexcept { return {during, where, again(), fd()}; }

  bool short_read_is_last_ = false;  // of TCP
  std::shared_ptr<channel> channel_;
  std::shared_ptr<void> ticket_;
  std::unique_ptr<layer> layer_;  // none: the bytes are the socket's
};

}  // namespace halfopen::net

#endif
