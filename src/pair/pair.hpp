#ifndef HALFOPEN_PAIR_PAIR_HPP
#define HALFOPEN_PAIR_PAIR_HPP

/// The built-in pairs: an echo and a sum service, each with a client and a server
/// of two kinds. The naive kind is what one writes first; the robust kind survives
/// the seven situations. The verbs `serve` and `call` are these two functions.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace halfopen::pair {

enum class service : std::uint8_t { echo, sum };
enum class kind : std::uint8_t { naive, robust };

/// How the sum's numbers travel: a structure as it lies in memory (naive only), decimal text
/// lines, or the frames of docs/wire-format.md (robust only). Echo is always text.
///
/// raw is `struct { long a; long b; }`; record is what one writes next, with numbers of a
/// fixed width: `struct { char operation; std::int64_t a; std::int64_t b; }`.
enum class format : std::uint8_t { raw, record, text, binary };

/// Of which what is sent is the memory itself.
[[nodiscard]] constexpr bool is_memory(format how) noexcept {
  return how == format::raw || how == format::record;
}

/// How a declared machine lays out `struct { long a; long b; }`: each member has
/// long_size bytes and starts at a multiple of alignment; so does the next structure.
struct layout {
  bool big_endian = false;
  std::size_t long_size = 8;  ///< 4 or 8
  std::size_t alignment = 8;  ///< 4, 8 or 16, at least long_size
  friend bool operator==(const layout&, const layout&) = default;
};

/// The machine this program was compiled for.
[[nodiscard]] layout native_layout() noexcept;

/// What a request for a + b is on this machine, a line each, of a word and what it says:
///
///     long 4                     bytes in a long
///     order little-endian
///     raw eaffffff b3ffffff      the structure in memory, a member a word; padding as dots
///     record 2b...... eaffffffffffffff b3ffffffffffffff
///     text 2d3232202d37370a      what is sent in that format
///     binary 00000013f50101ffffffffffffffeaffffffffffffffb3
[[nodiscard]] std::string bytes_here(long a, long b);

/// The names that parse_layout() knows, for a help text.
inline constexpr std::array<std::string_view, 9> layout_names{
    "native", "le64", "be64", "le32", "be32", "le64-padded", "be64-padded", "le32-padded", "be32-padded"};

/// "le32" is little-endian with 4-byte longs, packed; "-padded" puts each into a slot
/// of twice its size. Nothing for another name.
[[nodiscard]] std::optional<layout> parse_layout(std::string_view name) noexcept;

inline constexpr std::uint16_t default_port = 7007;

struct serve_options {
  pair::service service = pair::service::echo;
  pair::kind kind = pair::kind::robust;
  format how = format::text;                 ///< of the sum
  layout machine = native_layout();          ///< of format::raw; format::record is native
  std::string listen_address = "127.0.0.1";  ///< an address or a name; the first address counts
  std::uint16_t port = default_port;         ///< 0: one that is free

  // What follows is for the robust kind.
  std::chrono::milliseconds notice_within{10'000};  ///< a dead peer is noticed within this; 0: never
  std::chrono::milliseconds grace{4'000};           ///< from SIGTERM to the exit
  std::size_t max_line = 16 << 20;                  ///< bytes of a text line without its LF
  std::size_t high_water = 256 << 10;               ///< unsent reply bytes above which it stops reading
  std::chrono::milliseconds timeout{60'000};        ///< from a request's first byte to its last; 0: none
  bool tell_endings = false;                        ///< also those in good order, on stderr
};

struct call_options {
  pair::service service = pair::service::echo;
  pair::kind kind = pair::kind::robust;
  format how = format::text;
  layout machine = native_layout();
  std::vector<std::string> targets;  ///< "host", "host:port", "[v6]" or "[v6]:port"
  int pipeline = 1;                  ///< requests that may wait for their replies

  // What follows is for the robust kind.
  std::chrono::milliseconds timeout{15'000};         ///< from a request to its whole reply; 0: none
  std::chrono::milliseconds connect_timeout{5'000};  ///< for all addresses of a name together; 0: none
  std::chrono::milliseconds notice_within{10'000};   ///< a dead peer is noticed within this; 0: never
  std::size_t max_line = 16 << 20;
  bool tell_endings = false;  ///< also those in good order, on stderr
};

/// Prints "listening on ADDRESS:PORT" on stdout when it is ready and serves until it
/// is told to stop: the robust kind by SIGTERM or SIGINT, after which it answers what
/// it was asked, within the grace. Returns the exit status: 0 stopped, 1 could not
/// serve, 2 the options contradict each other. Problems go to stderr as "serve: ...".
///
/// The robust kind handles SIGTERM and SIGINT while it runs, and puts them back. The naive
/// kind leaves all signals as they are: it dies of them.
[[nodiscard]] int serve(const serve_options& options);

/// Reads requests from stdin, one a line, sends each to every target, and prints the
/// replies to stdout, one a line: the naive kind target by target, the robust kind as
/// they arrive. Returns the exit status: 0 every request was answered, 1 a connection
/// failed, 2 the options contradict each other. Problems go to stderr as "call: ...".
///
/// The naive kind can be killed by SIGPIPE; the robust kind does not raise it for its
/// sockets, and neither touches the dispositions of signals.
[[nodiscard]] int call(const call_options& options);

}  // namespace halfopen::pair

#endif
