#ifndef HALFOPEN_SRC_TRACE_VERDICTS_HPP
#define HALFOPEN_SRC_TRACE_VERDICTS_HPP

/// The decisions that accuse somebody, each a function of the evidence alone. What each
/// takes for evidence, and what against it, is written down in docs/autopsy.md. Private to
/// this folder.

#include <chrono>
#include <cstdint>
#include <optional>

#include "halfopen/trace/story.hpp"

namespace halfopen::trace {

/// Who sent an RST that bears a host's address.
enum class author : std::uint8_t {
  host,              ///< nothing speaks against it
  unknown,           ///< something does, and has harmless explanations
  middlebox_likely,  ///< somebody else, by one sign that has hardly any other explanation
  middlebox,         ///< somebody else, by two signs
};
struct reset_signs {
  bool other_ttl = false;        ///< one that no other packet of the host in this connection had
  std::uint64_t ttl_behind = 0;  ///< how many those are
  bool ttl_steady = false;       ///< and they had one and the same
  bool ahead = false;            ///< its number is beyond all that the host had said
  std::uint64_t went_on = 0;     ///< segments with the host's next bytes that followed it
  bool not_heeded = false;       ///< and the other side acknowledged them
  bool answers = false;          ///< it has no ACK, and the number that a segment asked for
  bool id_in_row = false;        ///< its IPv4 identification is the host's next
};
[[nodiscard]] author author_of(const reset_signs& s) noexcept;

/// Whether a side that repeats itself in vain talks to nobody, and how sure that is.
struct silence_signs {
  std::uint64_t repeats = 0;          ///< of its oldest unacknowledged byte, or keepalive probes
  std::chrono::nanoseconds lasted{};  ///< from its first unanswered segment to the end
  std::chrono::nanoseconds gap{};     ///< between its last repeat and the segment before
  std::chrono::nanoseconds quiet{};   ///< from its last repeat to the end
  bool gave_up = false;               ///< the end is its own RST, and not that of the capture
  bool connecting = false;            ///< what it repeats is its SYN
  bool capture_lacks = false;         ///< packets of the other side are missing from the capture
  bool every_packet = false;          ///< it is known that none is
};
[[nodiscard]] std::optional<confidence> vanished(const silence_signs& s) noexcept;

/// Whether a side that closed with FIN owed the other something.
struct debt_signs {
  std::optional<bool> known{};  ///< the caller knows how much was owed
  bool opener_seen = false;     ///< else who asked whom is a guess, and what was said before unknown
  bool capture_lacks = false;
  std::uint64_t asked = 0;     ///< bytes of the other side that it had acknowledged when it closed
  std::uint64_t answered = 0;  ///< its own bytes
};
[[nodiscard]] std::optional<confidence> owed(const debt_signs& s) noexcept;

/// Whether a host without memory of the connection could have sent the RST.
struct amnesia_signs {
  bool answers = false;      ///< see reset_signs: such a host only answers
  bool established = false;  ///< there was something to forget
  bool said_fin = false;     ///< then the socket went away in good order
};
[[nodiscard]] bool may_have_rebooted(const amnesia_signs& s) noexcept;

/// Whether an RST says that nobody would read what had come.
struct unread_signs {
  bool closed = false;        ///< its sender had sent FIN
  bool came_later = false;    ///< and new data came after that
  std::uint64_t unheard = 0;  ///< bytes of it that the sender of the RST never acknowledged
  bool answers = false;       ///< see reset_signs
};
[[nodiscard]] std::optional<confidence> unread(const unread_signs& s) noexcept;

/// Whether a SYN took a four-tuple that one of its ends must have had in TIME_WAIT.
struct reuse_signs {
  bool both_fins_acked = false;
  bool reset = false;  ///< by either: an RST ends TIME_WAIT
  bool capture_lacks = false;
  std::chrono::nanoseconds since{};  ///< the last packet of the one before
};
[[nodiscard]] bool took_time_wait(const reuse_signs& s) noexcept;

}  // namespace halfopen::trace

#endif
