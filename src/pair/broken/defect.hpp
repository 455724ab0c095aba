#ifndef HALFOPEN_PAIR_BROKEN_DEFECT_HPP
#define HALFOPEN_PAIR_BROKEN_DEFECT_HPP

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace halfopen::broken {

/// What is wrong with the program. What each means, and which cases tell, is in defects().
enum class defect : std::uint8_t {
  none,
  // Of the server.
  ends_when_accept_is_aborted,
  ends_when_out_of_descriptors,
  spins_when_out_of_descriptors,
  blocks_in_accept,
  no_reuse_address,
  forgets_ended_connections,
  forgets_reset_connections,
  spins_at_end_of_file,
  ends_with_a_reset_connection,
  closes_at_half_close,
  waits_for_a_slow_writer,
  waits_for_a_slow_reader,
  repeats_failed_writes,
  server_dies_of_sigpipe,
  server_without_liveness,
  server_without_user_timeout,
  signed_length,
  server_reads_once,
  drops_what_follows,
  ignores_sigterm,
  ends_at_sigterm,
  drains_for_ever,
  takes_and_drops_in_drain,
  one_client_at_a_time,
  // Of the client.
  end_of_file_ends_the_reply,
  client_reads_once,
  client_drops_what_follows,
  exit_0_after_a_reset,
  exit_0_after_any_failure,
  waits_after_end_of_file,
  client_spins_at_end_of_file,
  client_dies_of_sigpipe,
  client_without_liveness,
  client_without_user_timeout,
  no_reply_limit,
  no_connect_timeout,
  first_address_only,
  reconnects_for_ever,
  asks_again,
  uses_the_reply_unchecked,
};

enum class program : std::uint8_t { server, client };

struct defect_entry {
  defect what{};
  program whose{};
  std::string_view name;
  std::string_view sentence;
  /// Cases of halfopen test, "exit/1 exit/2"; all others pass, or do not apply.
  std::string_view fails, warns;
  /// Where a case is played at the first request too ("exit/7@1"), what is said of it there is said of that
  /// too, but for these, which pass.
  std::string_view passes{};
};

[[nodiscard]] std::span<const defect_entry> defects() noexcept;
/// "none" is a defect of both.
[[nodiscard]] std::optional<defect> find_defect(program whose, std::string_view name) noexcept;

/// The one that this process has.
inline defect the_defect = defect::none;  // NOLINT: set once, before anything else
[[nodiscard]] inline bool has(defect d) noexcept {
  return the_defect == d;
}

int serve(std::uint16_t port);
int call(const char* host, const char* port);

}  // namespace halfopen::broken

#endif
