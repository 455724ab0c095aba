#ifndef HALFOPEN_SRC_AUDIT_WORDS_HPP
#define HALFOPEN_SRC_AUDIT_WORDS_HPP

/// \file
/// Everything that is said of what an audit found: made last, of what was found.

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "halfopen/audit.hpp"
#include "halfopen/fate.hpp"

namespace halfopen::audit {

/// "350 ms", "12.0 s", "15 min 25 s", "2 h 11 min", "3 days".
[[nodiscard]] std::string in_words(milliseconds d);

/// "15 min 25 s", "never", "not known".
[[nodiscard]] std::string in_words(const notice& n);

/// "tcp_retries2", "SO_KEEPALIVE is off": the option or the setting.
[[nodiscard]] std::string_view option_of(rule r) noexcept;

/// What each wrong is, in a few words: "does not close after its peer did".
[[nodiscard]] std::string_view title_of(wrong w) noexcept;

/// One fault of `many` sockets alike: "3 sent again 5 times, peer silent for 12.0 s; given up in 15 min".
[[nodiscard]] std::string in_words(const fault& f, std::size_t many);

/// "python3 4711", "nobody (closed by its program)".
[[nodiscard]] std::string owner_of(const group& g, const snapshot& s);

/// "40 to 10.0.3.7:5432 (PostgreSQL)", "3 from 10.0.3.7 at port 80".
[[nodiscard]] std::string place_of(const group& g);

/// What may be done that somebody who may not look can: "as root, or with CAP_SYS_PTRACE".
[[nodiscard]] std::string in_words(obstacle what);

/// Why the kernel sends a reset, with its own word for that: "TCP_ABORT_ON_CLOSE: closed with data unread".
[[nodiscard]] std::string in_words_of_reset(std::string_view reason);

/// Why, and what to do, as `halfopen explain` shows it. The texts live for ever.
[[nodiscard]] explanation explain(wrong w) noexcept;

}  // namespace halfopen::audit

#endif
