#include "control/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace halfopen::control {
namespace {

using nlohmann::json;
using kind = refusal::kind;

/// The members of a request, each taken by name and kind; what is not as it should be is said once.
class member_reader {
 public:
  explicit member_reader(const json& object) : object_(object) {}

  std::optional<std::string> text(const char* key, bool needed = true) {
    const json* v = find(key, needed);
    if (v == nullptr) return std::nullopt;
    if (v->is_string()) return v->get<std::string>();
    return wrong(key, "a text"), std::nullopt;
  }
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> made;
    const json* v = find(key, true);
    if (v == nullptr) return made;
    const bool fits = v->is_array() && !v->empty() && std::ranges::all_of(*v, [](const json& one) {
                        return one.is_string() && !one.get_ref<const std::string&>().contains('\0');
                      });
    if (!fits) return wrong(key, "a list of texts, none of them with a zero byte"), made;
    for (const json& one : *v) made.push_back(one.get<std::string>());
    return made;
  }
  bool flag(const char* key, bool otherwise) {
    const json* v = find(key, false);
    if (v == nullptr) return otherwise;
    if (v->is_boolean()) return v->get<bool>();
    return wrong(key, "true or false"), otherwise;
  }
  std::optional<std::int64_t> whole(const char* key) {
    const json* v = find(key, false);
    if (v == nullptr) return std::nullopt;
    if (v->is_number_integer()) return v->get<std::int64_t>();
    return wrong(key, "a whole number"), std::nullopt;
  }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  const json* find(const char* key, bool needed) {
    const auto found = object_.find(key);
    if (found != object_.end()) return &*found;
    if (needed) wrong(key, "it is missing");
    return nullptr;
  }
  void wrong(const char* key, const char* expected) {
    if (problem_.empty())
      problem_ = fmt::format("\"{}\": {}{}", key,
                             std::string_view(expected).starts_with("it ") ? "" : "expected ", expected);
  }

  const json& object_;
  std::string problem_;
};

std::optional<judge::probe_kind> probe_named(std::string_view name) {
  for (const auto k : {judge::probe_kind::probe, judge::probe_kind::health, judge::probe_kind::other})
    if (to_string(k) == name) return k;
  return std::nullopt;
}

}  // namespace

std::expected<request, refusal> read_request(std::string_view line) {
  if (line.size() > longest_line) return refuse(kind::bad_request, "a line is longer than 1 MiB");
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return refuse(kind::bad_request, "a request is one JSON object in one line");
  member_reader members(object);
  request made;
  made.id = members.whole("id");
  const auto version = members.whole("version");
  if (!version || *version != protocol_version)
    return refuse(kind::bad_request,
                  fmt::format("this halfopen speaks version {} of the protocol: \"version\": {}",
                              protocol_version, protocol_version));
  const std::string verb = members.text("verb").value_or("");
  if (verb == "do") {
    made.what = do_request{members.texts("words"), members.flag("wait", true)};
  } else if (verb == "ask") {
    const std::string name = members.text("what", false).value_or("probe");
    const auto what = probe_named(name);
    if (!what)
      return refuse(kind::bad_request,
                    fmt::format("nobody can ask '{}'; there are: probe, health, other", shown(name)));
    made.what = ask_request{*what};
  } else if (verb == "exec") {
    made.what = exec_request{members.text("host").value_or(""), members.texts("argv"),
                             members.text("input", false).value_or("")};
  } else if (verb == "state") {
    made.what = state_request{};
  } else if (verb == "down") {
    made.what = down_request{};
  } else if (members.problem().empty()) {
    return refuse(kind::unknown_verb,
                  fmt::format("there is no verb '{}'; there are: do, ask, exec, state, down", shown(verb)));
  }
  if (!members.problem().empty()) return refuse(kind::bad_request, members.problem());
  return made;
}

std::string to_line(const request& r) {
  json made{{"version", protocol_version}};
  if (r.id) made["id"] = *r.id;
  std::visit(
      [&](const auto& what) {
        using type = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<type, do_request>)
          made.update({{"verb", "do"}, {"words", what.words}, {"wait", what.wait}});
        else if constexpr (std::is_same_v<type, ask_request>)
          made.update({{"verb", "ask"}, {"what", to_string(what.what)}});
        else if constexpr (std::is_same_v<type, exec_request>)
          made.update({{"verb", "exec"}, {"host", what.host}, {"argv", what.argv}, {"input", what.input}});
        else if constexpr (std::is_same_v<type, state_request>)
          made["verb"] = "state";
        else
          made["verb"] = "down";
      },
      r.what);
  return made.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace halfopen::control
