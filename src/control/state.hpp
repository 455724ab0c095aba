#ifndef HALFOPEN_SRC_CONTROL_STATE_HPP
#define HALFOPEN_SRC_CONTROL_STATE_HPP

/// \file
/// What a running system is like at one moment: typed facts, and their two forms, JSON and a table.

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/liveness.hpp"
#include "judge/decide/client.hpp"
#include "judge/system/system.hpp"
#include "report/table.hpp"

namespace halfopen::control {

using judge::milliseconds;

struct program_state {
  bool running = false;
  milliseconds since{};      ///< of its start, or of its end
  int code = 0, signal = 0;  ///< if it has ended
};

struct host_state {
  std::string name, address;
  bool up = true, frozen = false;
  std::string name_moved_to{};             ///< its name gives that host's address
  std::string instead_of{};                ///< it runs the program of that host
  std::optional<program_state> program{};  ///< nothing if it has none, or none was started
  std::vector<std::string> listens{};      ///< "tcp 0.0.0.0:6379"
};

struct link_condition_state {
  judge::link which;
  bool cut = false, unreachable = false;
  milliseconds delay{};
  double lost_share = 0;
  std::optional<std::uint64_t> cut_after_bytes{};
  std::size_t connections = 0;
};

/// One end of a connection: a socket of a host's.
struct end_state {
  int tcp_state = 0;  ///< TCP_ESTABLISHED... of <netinet/tcp.h>
  std::uint32_t unread = 0, unsent = 0;
  bool owned = true;  ///< a process has it
  judge::waiting waits_for{};
  /// How long it would wait if its peer were gone, and by which options; nothing if the socket could not be
  /// looked at.
  std::optional<hang> lengths{};
  std::optional<liveness> options{};
};

/// What stands in the way of a connection now.
enum class obstruction : std::uint8_t {
  none,
  host_down,
  link_cut,
  frozen,     ///< the peer's programs stand still
  forgotten,  ///< half-open: the peer has no such socket
};
[[nodiscard]] std::string_view to_string(obstruction o) noexcept;

struct connection_state {
  std::array<std::string, 2> host;     ///< the opener's, the responder's
  std::array<std::string, 2> address;  ///< "10.0.0.2:41000"
  std::array<std::optional<end_state>, 2> end;
  obstruction in_the_way = obstruction::none;
  /// One side believes that it is open, and the other one has no such socket (RFC 9293 section 3.5.1).
  [[nodiscard]] bool is_half_open() const noexcept;
};

struct published_state {
  std::string outside, host;
  std::uint16_t port = 0;
  std::size_t connections = 0;
};

struct system_state {
  std::vector<host_state> hosts;
  std::vector<link_condition_state> links;
  std::vector<connection_state> connections;
  std::vector<published_state> published;
  std::string settings, capture;
  milliseconds up_for{};
  std::uint64_t packets = 0;
  bool steady = true;  ///< the probe was served at the start
};

/// How long the program at that end would wait for what it waits for now; nothing inside: for ever; nothing
/// at all: the socket could not be looked at.
[[nodiscard]] std::optional<std::optional<milliseconds>> would_hang_for(const end_state& e);

[[nodiscard]] nlohmann::json to_json_value(const system_state& s);
/// Of JSON as above; nothing if it is none.
[[nodiscard]] std::optional<std::string> to_text(const nlohmann::json& state, const report::canvas& where);

}  // namespace halfopen::control

#endif
