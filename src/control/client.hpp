#ifndef HALFOPEN_SRC_CONTROL_CLIENT_HPP
#define HALFOPEN_SRC_CONTROL_CLIENT_HPP

#include <expected>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "control/place.hpp"
#include "control/request.hpp"

namespace halfopen::control {

/// Sends the request and waits for its answer, the object with "ok". What comes before it, parts of what a
/// command says, goes to `part`. The error is a sentence: the line ended, or what came is no answer.
[[nodiscard]] std::expected<nlohmann::json, std::string> ask_system(
    const line_to_system& line, const request& r,
    const std::function<void(const nlohmann::json&)>& part = {});

/// Waits until that process, which need not be a child, is gone.
void until_gone(pid_t process);

}  // namespace halfopen::control

#endif
