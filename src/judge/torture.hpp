#ifndef HALFOPEN_SRC_JUDGE_TORTURE_HPP
#define HALFOPEN_SRC_JUDGE_TORTURE_HPP

/// \file
/// The catalogue loses a peer where it matters most; torture loses it everywhere: at every
/// packet of a clean run between the two programs, and if wanted at every byte of the reply.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "judge/case.hpp"
#include "judge/pair.hpp"

namespace halfopen::judge {

/// Where, and who. Written "kill-server@7" for packet 7, "crash-server@b12" for 12 bytes of the reply; of a
/// service's dependency, which has come back and is lost again, "kill-again@7", or "kill-again@7@app-db" on
/// one link.
struct place {
  loss how{};
  subject lost{};         ///< the peer; the other one is judged
  bool in_reply = false;  ///< `at` counts bytes of the reply that have arrived
  std::size_t at = 0;     ///< else packets from the first SYN on: that one is on the cable, not yet delivered
  bool again = false;     ///< `lost` is a service's dependency: packets are those of a reconnection

  friend bool operator==(const place&, const place&) = default;
};

/// Ids of such cases are this and the place.
inline constexpr std::string_view torture_prefix = "torture/";

/// Of an id, with its prefix or without; nothing if it is none.
[[nodiscard]] std::optional<place> parse_place(std::string_view id);
[[nodiscard]] std::string id_of(const place& p);
/// "kill-server"
[[nodiscard]] std::string name_of(const place& p);
/// "the server's host vanishes"
[[nodiscard]] std::string_view what_is_lost(const place& p) noexcept;

/// Of "kill-again@7@app-db" what is in front of the link, and the link's name; else all of it, and nothing.
[[nodiscard]] std::pair<std::string_view, std::string_view> without_link(std::string_view id) noexcept;

/// The case that plays it, of a service on no link yet: on_link() gives one. It lives as long as the program.
/// Not thread-safe.
[[nodiscard]] const judge_case& case_at(const place& p);

/// Every loss of either peer at each of that many packets and, of the server, at each byte of
/// a reply of that size (nothing: at none).
[[nodiscard]] std::vector<place> all_places(std::size_t packets, std::optional<std::size_t> reply_bytes);

/// Every second loss of a service's dependency at each of the packets of a reconnection.
[[nodiscard]] std::vector<place> all_places_again(std::size_t packets);

/// `count` of them by chance, in their order; the same seed chooses the same.
[[nodiscard]] std::vector<const judge_case*> sample(const std::vector<const judge_case*>& cases,
                                                    std::size_t count, std::uint64_t seed);

/// Neighbouring places at which the same happened.
struct stretch {
  const case_result* first = nullptr;
  const case_result* last = nullptr;
  std::size_t places = 0;
};

/// Of each loss, in the order of the places. Results of other cases are left out.
[[nodiscard]] std::vector<stretch> stretches_of(std::span<const case_result> results);

}  // namespace halfopen::judge

#endif
