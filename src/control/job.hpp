#ifndef HALFOPEN_SRC_CONTROL_JOB_HPP
#define HALFOPEN_SRC_CONTROL_JOB_HPP

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "judge/system/asker.hpp"
#include "judge/system/scene.hpp"

namespace halfopen::control {

/// Something that takes a while.
class job {
 public:
  virtual ~job() = default;
  job() = default;
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  /// The answer, with "ok", once it is over. Called now and then while the world stands still.
  [[nodiscard]] virtual std::optional<nlohmann::json> look() = 0;
  /// Nobody wants to know any more.
  virtual void give_up() {}
};

/// Over already.
[[nodiscard]] std::unique_ptr<job> done(nlohmann::json answer);
/// A deed that is done, with what came of it in words.
[[nodiscard]] std::unique_ptr<job> done(const std::string& says);

/// The host's command is ready, or it ends before, or so long has passed.
[[nodiscard]] std::unique_ptr<job> until_ready(judge::scene& s, std::string host, std::string role);
/// No program is left on the host; after `grace`, if there is one, they are killed.
[[nodiscard]] std::unique_ptr<job> until_empty(lab::host& h, std::optional<judge::milliseconds> grace);
/// One ask.
[[nodiscard]] std::unique_ptr<job> one_ask(judge::scene& s, judge::probe_kind what,
                                           const std::optional<judge::usual_answer>& usual);
/// A command on a host; what it says goes to `tell` as it comes.
[[nodiscard]] std::unique_ptr<job> command_on(lab::host& h, std::vector<std::string> argv,
                                              std::vector<std::string> environment, const std::string& input,
                                              std::function<void(const nlohmann::json&)> tell);

/// RFC 4648 section 4.
[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Nothing for what is none.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace halfopen::control

#endif
