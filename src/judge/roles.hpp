#ifndef HALFOPEN_SRC_JUDGE_ROLES_HPP
#define HALFOPEN_SRC_JUDGE_ROLES_HPP

/// \file
/// A client with a pool opens its connections side by side, and in no order that it promises. Which of the
/// recorded ones is this? What it says tells, as far as that is the same in each run; else the order in which
/// they were opened. Pure functions; thread-safe.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "judge/recording.hpp"

namespace halfopen::judge {

/// One text is the beginning of the other; nothing is the beginning of all.
[[nodiscard]] bool begins_alike(std::string_view one, std::string_view other) noexcept;

/// For each live connection the index of the recorded one whose part it plays; nothing: there are more than
/// were recorded. No two play the same part. `said`: what the client has said so far on each, in the order in
/// which they were opened.
[[nodiscard]] std::vector<std::optional<std::size_t>> roles_of(std::span<const std::string> recorded,
                                                               std::span<const std::string> said);

/// What the client says on each, up to so many bytes.
inline constexpr std::size_t enough_to_tell = 16384;
[[nodiscard]] std::vector<std::string> said_by_client(const recording& r);

/// The other run's connections in the order of the first one's parts; as they were, if there are not as many.
[[nodiscard]] recording in_order_of(const recording& first, recording other);

/// Whoever plays the server by the recording can tell at a connection's first words which one it is: no two
/// begin alike and go on differently.
[[nodiscard]] bool told_apart_by_first_words(const recording& r);

/// Two runs shared out the same work to the same connections, by what each said or, where that is
/// never the same, by how much.
[[nodiscard]] bool share_out_alike(const recording& one, const recording& other);

}  // namespace halfopen::judge

#endif
