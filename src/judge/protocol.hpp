#ifndef HALFOPEN_SRC_JUDGE_PROTOCOL_HPP
#define HALFOPEN_SRC_JUDGE_PROTOCOL_HPP

/// \file
/// What is spoken on a connection, as far as its bytes make sure of it. It accuses nobody: it labels what a
/// reader sees, chooses the hint that fits, and tells where a message ends, so that no part of one is taken
/// for more. Pure functions; thread-safe. Any bytes may be given.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/trace/packet.hpp"
#include "judge/recording.hpp"

namespace halfopen::judge {

/// By the first bytes of either side.
[[nodiscard]] trace::protocol spoken(const recorded_connection& c) noexcept;

/// "TLS 1.3 to server, wanted with h2", "SSH"; empty if it is not known. What was chosen by ALPN is hidden in
/// TLS 1.3.
[[nodiscard]] std::string spoken_in_words(const recorded_connection& c);

/// Of a command that speaks it, or of its driver: the limit that ends a wait for a peer that is gone, by the
/// name that its documentation has. Empty if none is known.
[[nodiscard]] std::string_view limit_of_its_own(trace::protocol p) noexcept;

/// A record as RFC 8446 section 5.1 has it; offsets in what the side says.
struct tls_record {
  std::uint8_t type = 0;
  std::size_t begin = 0, end = 0;  ///< its header is counted in
};
/// Up to the first that is not whole, or no record.
[[nodiscard]] std::vector<tls_record> tls_records(std::string_view said_by_a_side);
/// An alert: as such (TLS 1.2 and the handshake), or as long as an encrypted one is in TLS 1.3 (two bytes,
/// the content type and a tag of 16 bytes: RFC 8446 sections 5.2 and 6).
[[nodiscard]] bool is_an_alert(const tls_record& r) noexcept;

/// Where a reply of TLS records can be broken off, in bytes of the reply.
struct places_in_reply {
  std::size_t in_its_last_record = 0;            ///< the last that is no alert
  std::optional<std::size_t> between_records{};  ///< before it; nothing if it is the only one
  bool ends_with_an_alert = false;               ///< close_notify, if nothing is wrong
};
/// Of the server's turn that follows the request's; nothing if it is not made of TLS records.
[[nodiscard]] std::optional<places_in_reply> places_in_tls_reply(const recorded_connection& c,
                                                                 std::size_t request_turn);

/// Where a request can be cut so that its program has read a part of it. Of TLS records that is before the
/// last one, as nothing is known of a record before it is whole (RFC 8446 section 5.2). Nothing if there is
/// no such place: it is one record of data, or of the handshake, as which a client's first encrypted record
/// in TLS 1.3 counts; or it is of SSH, where not even a packet's length can be read before it (RFC 4253
/// section 6).
[[nodiscard]] std::optional<std::size_t> place_in_request(const recorded_connection& c, std::size_t turn);
/// Why the client's FIN after that turn ends more than what it says; empty if its protocol has no other end.
[[nodiscard]] std::string_view no_half_close(const recorded_connection& c, std::size_t turn);

}  // namespace halfopen::judge

#endif
