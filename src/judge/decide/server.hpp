#ifndef HALFOPEN_SRC_JUDGE_DECIDE_SERVER_HPP
#define HALFOPEN_SRC_JUDGE_DECIDE_SERVER_HPP

/// \file
/// What a server did after a fault, from what was seen of it: does it live, is the next client
/// answered, are the dead connection's sockets given back, did it burn time while it should wait?

#include <cstddef>
#include <cstdint>
#include <optional>

#include "halfopen/lab/process.hpp"
#include "judge/decide/client.hpp"
#include "judge/decide/finding.hpp"

namespace halfopen::judge {

/// What the next client got.
enum class answer : std::uint8_t { as_ever, another, none };

/// A client beside the one on which the fault fell.
struct other_client {
  std::optional<lab::exit_status> server_ended{};  ///< by itself, before this client was done
  answer got = answer::as_ever;
  bool came = true;            ///< a segment of it was on the cable
  bool unpredictable = false;  ///< it ended well, and nobody knows what its output should have been
  milliseconds limit{};        ///< so long it was waited for
};

/// Of a server that lives: it fails if it does not answer.
[[nodiscard]] finding decide(const other_client& seen) noexcept;
/// Of one that has ended.
[[nodiscard]] finding decide_end(const lab::exit_status& end) noexcept;

/// Sockets of the dead connection that a server has at the end of the limit.
struct held_sockets {
  int state = 0;          ///< of the first, as netinet/tcp.h numbers them
  std::size_t count = 1;  ///< in all
  milliseconds patience{};
  milliseconds still_at{};            ///< they were looked at then, from the fault on
  std::optional<wait_length> wait{};  ///< of the first; nothing if it cannot be looked at
  std::optional<bool> endless{};      ///< every thread of the server waits without a limit
  // Under the virtual clock they are watched on.
  std::optional<milliseconds> watched{};  ///< from the fault to the end of the watch
  bool released = false;                  ///< within that
  bool to_the_end = false;                ///< of all the kernel's own timers
};
[[nodiscard]] finding decide(const held_sockets& seen) noexcept;

/// How much of one processor its programs used while they should wait; nothing if others had it, and
/// nobody can tell.
struct load_seen {
  std::optional<double> share{};
};
[[nodiscard]] finding decide(const load_seen& seen) noexcept;

/// A request that was on its way on a kept-alive connection when the server was told to stop, while another
/// one of it listened beside it.
struct request_at_stop {
  std::uint64_t number = 0;  ///< its last packet
  /// The FIN or RST by which the server ended the connection before the request arrived; nothing: it waited.
  std::optional<std::uint64_t> closed_in{};
  bool told = false;  ///< it said something of its own before that end, such as GOAWAY of HTTP/2
  std::optional<std::uint64_t> reset_in{};  ///< the RST that the request got
  bool answered = false;                    ///< whole
  bool unpredictable = false;               ///< replies are not always as long
};
[[nodiscard]] finding decide(const request_at_stop& seen) noexcept;

/// A process of the judged program that a signal ended.
struct death_seen {
  int signal = 0;
  bool by_its_pipe = false;  ///< of a client whose command is a pipeline, so that SIGPIPE is right
};
[[nodiscard]] finding decide(const death_seen& seen) noexcept;

}  // namespace halfopen::judge

#endif
