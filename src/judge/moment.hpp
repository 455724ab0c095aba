#ifndef HALFOPEN_SRC_JUDGE_MOMENT_HPP
#define HALFOPEN_SRC_JUDGE_MOMENT_HPP

#include <cstddef>
#include <cstdint>
#include <optional>

namespace halfopen::judge {

/// How a peer is lost (loss.cpp does it and proves it). Whether for good, or until it is back, is part of it.
enum class loss : std::uint8_t {
  kill,    ///< its processes, by SIGKILL
  reset,   ///< its connections, by an RST; it lives on
  crash,   ///< its host
  reboot,  ///< its host, which comes back at once; a server is started again
  cut,     ///< its cable: both programs live on, and nothing gets through
  // Of a server, as seen by the client.
  host_reboot,          ///< its host comes back, and the program does not
  host_unreachable,     ///< its cable is cut, and a router says that the host cannot be reached
  network_unreachable,  ///< ... or the network
  forgotten,            ///< something in between forgets the connection, and drops its packets
  disowned,             ///< ... or answers the packet at hand with an RST
  close_and_reset,      ///< FIN, then RST
  stop,                 ///< SIGTERM to its processes
};

/// How far the judged client has come.
enum class moment : std::uint8_t {
  before_connect,
  connected,       ///< and nothing is said
  idle,            ///< it pauses between two requests
  about_to_write,  ///< it has been answered once, and is to ask again
  on_its_way,      ///< the first bytes of its request are on the cable
  requested,       ///< its request is acknowledged, and nothing of the reply is said
  mid_reply,       ///< a part of the reply has arrived
};

/// A case of a client that is a moment and a loss.
struct client_row {
  moment when{};
  loss how{};
  std::optional<std::size_t> bytes;  ///< of the reply, that have arrived in the middle of it; nothing: half
};

}  // namespace halfopen::judge

#endif
