#ifndef HALFOPEN_SRC_FATE_MAKE_FATE_HPP
#define HALFOPEN_SRC_FATE_MAKE_FATE_HPP

/// The fates of net and pair: diagnose(), and what it cannot know. Texts must outlive the fate.

#include "halfopen/fate.hpp"

namespace halfopen {

/// Where a connection stood, which its owner knows and the kernel does not.
struct standing {
  operation during = operation::read;
  phase when = phase::idle;
  retry again = retry::unknown;
  int fd = -1;  ///< whom to ask for evidence; -1: nobody
};
constexpr standing opening(int fd = -1) noexcept {
  return {operation::connect, phase::connecting, retry::safe, fd};
}
inline constexpr standing accepting{operation::accept, phase::connecting, retry::safe};

/// The peer has said its last word, by a FIN or by TLS close_notify. Error 0 alone does not say so: a limit
/// that passed, a stop and malformed bytes have no errno either.
[[nodiscard]] bool is_end_of_file(const fate& f) noexcept;

/// A call that failed. 0 is read's end-of-file: completed where nothing is owed (phase::idle).
[[nodiscard]] fate of_error(const standing& at, int error) noexcept;
// The rest is our own doing, and no end-of-file though it may have error 0: is_end_of_file().
[[nodiscard]] fate of_deadline(const standing& at,
                               std::string_view detail = "the time limit passed") noexcept;
[[nodiscard]] fate of_stop(const standing& at) noexcept;
[[nodiscard]] fate of_local_failure(const standing& at, std::string_view detail, int error = 0) noexcept;
[[nodiscard]] fate of_completion(const standing& at, std::string_view detail) noexcept;
/// Never worth another try, whatever `at` says.
[[nodiscard]] fate of_malformed(standing at, std::string_view what) noexcept;

/// The end of a connection as that of one request on it, whose phase this is: it is no completion
/// where a reply is owed. A failed write keeps its phase, malformed bytes stay pointless.
[[nodiscard]] fate for_request(fate end, phase when, retry again) noexcept;

/// The end of a connection in what is said before its first request: it is in the phase connecting, and
/// nothing was asked. Malformed bytes stay pointless.
[[nodiscard]] fate before_request(fate end) noexcept;

}  // namespace halfopen

#endif
