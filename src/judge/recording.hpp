#ifndef HALFOPEN_SRC_JUDGE_RECORDING_HPP
#define HALFOPEN_SRC_JUDGE_RECORDING_HPP

/// \file
/// What a client and a server said to each other when nothing was wrong. No protocol is
/// known here: a recording is played back to a client in its server's place, and to a
/// server in its client's place, and that is where faults can be put at any byte.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/trace/connection.hpp"
#include "halfopen/trace/packet.hpp"

namespace halfopen::judge {

enum class speaker : std::uint8_t { client, server };

/// What one side said until the other one spoke.
struct turn {
  speaker by{};
  std::string bytes;
  std::chrono::milliseconds pause{};  ///< silence on the connection before its first byte
  /// Where its segments ended, in bytes from its begin: a reader that takes what one read gives
  /// for the whole message sees them.
  std::vector<std::size_t> segments{};
};

struct recorded_connection {
  std::vector<turn> turns;
  std::optional<speaker> closed_first;  ///< whose FIN or RST came first
  bool was_reset = false;
  bool beside_another = false;  ///< it was opened while another one was open

  /// The turns of the client that the server answered, by their index, in order; a goodbye of TLS is no
  /// answer.
  [[nodiscard]] std::vector<std::size_t> requests() const;
  /// The last of them; nothing if there is none.
  [[nodiscard]] std::optional<std::size_t> request() const noexcept;
  /// Bytes that a side said before that turn.
  [[nodiscard]] std::size_t said_before(speaker who, std::size_t turn_index) const noexcept;
  [[nodiscard]] std::size_t said(speaker who) const noexcept { return said_before(who, turns.size()); }
};

/// All connections to the server's port, in the order in which they were opened.
struct recording {
  std::uint16_t port = 0;
  std::vector<recorded_connection> connections;
  std::optional<std::size_t> chosen{};  ///< faults are put there; it is no part of the JSON

  /// The one on which faults are put: unless one is chosen, that on which most was said.
  [[nodiscard]] std::size_t main_index() const noexcept;
  [[nodiscard]] const recorded_connection& main() const { return connections.at(main_index()); }
};

/// JSON knows text only: two hexadecimal digits a byte. from_hex throws std::invalid_argument.
[[nodiscard]] std::string to_hex(const std::string& bytes);
[[nodiscard]] std::string from_hex(const std::string& text);

void to_json(nlohmann::json& j, const recording& r);
void from_json(const nlohmann::json& j, recording& r);

/// Makes recordings of the frames that pass a cable. Bytes that are repeated count once; a
/// gap (a capture that missed a segment) ends what is recorded of that side.
class recorder {
 public:
  recorder() = default;
  /// Until it is told which host is the server it takes nothing.
  void of_server(const trace::ip_address& server) { server_ = server; }

  void take(const trace::packet& p);

  /// Of the server port on which most bytes crossed; nothing if no connection was established.
  [[nodiscard]] std::optional<recording> made() const;

  /// What that client's end has said so far, as far as it crossed the cable; up to so many bytes.
  [[nodiscard]] std::string said_by(const trace::endpoint& client, std::size_t most = SIZE_MAX) const;

 private:
  struct side {
    std::optional<std::uint32_t> next;  ///< sequence number of the next byte
    bool broken = false;
  };
  struct live {
    std::uint16_t port = 0;
    recorded_connection what;
    side client, server;
    bool established = false;
    trace::time_point last{};
  };
  void note_end(live& c, const trace::tcp_segment& s, speaker who);
  void append(live& c, const trace::packet& p, speaker who);

  std::optional<trace::ip_address> server_;
  std::vector<live> all_;
  std::map<trace::endpoint, std::size_t> by_client_;
};

}  // namespace halfopen::judge

#endif
