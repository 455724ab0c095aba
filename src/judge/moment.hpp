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
  freeze,               ///< its processes stand still, and its kernel goes on acknowledging
};

/// How far the judged client has come.
enum class moment : std::uint8_t {
  before_connect,
  connecting,      ///< its SYN is on the cable
  connected,       ///< and nothing is said
  idle,            ///< it pauses between two requests
  about_to_write,  ///< it has been answered once, and is to ask again
  on_its_way,      ///< the first bytes of its request are on the cable
  requested,       ///< its request is acknowledged, and nothing of the reply is said
  mid_reply,       ///< a part of the reply has arrived
};

/// How a service loses a dependency. Whether and how it comes back is part of it.
enum class outage : std::uint8_t {
  killed,        ///< its processes, by SIGKILL; its program is started again
  vanished,      ///< its host, which comes back without memory
  link_cut,      ///< both live on, and nothing gets through
  unreachable,   ///< ... and a router says so
  frozen,        ///< its programs stand still, and its kernel goes on acknowledging
  mute,          ///< it accepts connections, and nobody speaks
  stopped,       ///< connections are refused
  forgotten,     ///< a middlebox forgets every connection, and drops its packets
  disowned,      ///< ... or answers them with RST
  reset,         ///< every connection is reset; it lives on
  moved,         ///< its host is gone for good, and its name gives another one's address
  terminated,    ///< SIGTERM; its program is started again
  lost_again,    ///< killed, and killed again while the service reconnects
  ten_times,     ///< killed, or its connections reset, ten times
  not_there_yet  ///< the service is started before it
};

/// When a service loses a dependency.
enum class outage_moment : std::uint8_t {
  idle,       ///< nothing is on its way between the two
  in_flight,  ///< a request is on the cable
  mid_reply,  ///< a part of a reply has arrived
  at_start
};

/// For how long.
enum class outage_length : std::uint8_t {
  none,   ///< it is not away
  brief,  ///< a second
  some,   ///< five
  half_minute,
  lasting  ///< longer than every timer of the kernel's, if the clock allows it
};

/// The dependency is lost once more, at a packet between it and the service that reconnects.
struct lost_once_more {
  outage how{};
  std::size_t at = 0;  ///< counted from 1, the first one after it came back, either way; it is on the cable
};

struct outage_row {
  outage how{};
  outage_moment when{};
  outage_length length{};
  std::optional<lost_once_more> again{};
  bool unasked = false;  ///< nobody asks until it is back
};

/// A case of a client that is a moment and a loss.
struct client_row {
  moment when{};
  loss how{};
  std::optional<std::size_t> bytes;  ///< of the reply, that have arrived in the middle of it; nothing: half
};

}  // namespace halfopen::judge

#endif
