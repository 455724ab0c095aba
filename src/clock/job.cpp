#include "clock/job.hpp"

#include <unistd.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace halfopen::clock {

using nlohmann::json;

job job_here(std::vector<std::string> argv) {
  job j;
  j.argv = std::move(argv);
  for (char** e = environ; e != nullptr && *e != nullptr; ++e) j.environment.emplace_back(*e);
  std::error_code why;
  if (auto here = std::filesystem::current_path(why); !why) j.directory = std::move(here);
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) == 0 && *name != '\0') j.host_name = name;
  return j;
}

std::string to_text(const job& j) {
  // As arrays of bytes where a name need not be UTF-8, which JSON's text must be.
  const auto bytes = [](const std::string& s) { return json(std::vector<std::uint8_t>(s.begin(), s.end())); };
  json document{{"directory", bytes(j.directory)}, {"host_name", bytes(j.host_name)}};
  for (const char* name : {"argv", "environment", "writable"}) document[name] = json::array();
  for (const std::string& a : j.argv) document["argv"].push_back(bytes(a));
  for (const std::string& e : j.environment) document["environment"].push_back(bytes(e));
  for (const auto& w : j.writable) document["writable"].push_back(bytes(w));
  document["files"] = json::array();
  for (const auto& [name, text] : j.files) document["files"].push_back({{"name", name}, {"text", text}});
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::expected<job, std::string> parse_job(std::string_view text) {
  const auto bytes = [](const json& from) {
    const auto all = from.get<std::vector<std::uint8_t>>();
    return std::string(all.begin(), all.end());
  };
  try {
    const json document = json::parse(text);
    job j;
    j.directory = bytes(document.at("directory"));
    j.host_name = bytes(document.at("host_name"));
    for (const json& a : document.at("argv")) j.argv.push_back(bytes(a));
    for (const json& e : document.at("environment")) j.environment.push_back(bytes(e));
    for (const json& w : document.at("writable")) j.writable.emplace_back(bytes(w));
    for (const json& f : document.at("files"))
      j.files.emplace_back(f.at("name").get<std::string>(), f.at("text").get<std::string>());
    if (j.argv.empty()) return std::unexpected("a job without a program");
    return j;
  } catch (const json::exception& e) {
    return std::unexpected(e.what());
  }
}

status parse_status(std::string_view text) {
  status s;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    const std::string_view line = text.substr(0, end);
    if (line == "started") s.started = true;
    if (line.starts_with("failed ")) s.failure = line.substr(7);
    if (!line.starts_with("exit ")) continue;
    const char* const end_of_line = line.data() + line.size();
    const auto code = std::from_chars(line.data() + 5, end_of_line, s.code);
    std::int64_t time = 0;
    s.ended = code.ec == std::errc{} && code.ptr != end_of_line &&
              std::from_chars(code.ptr + 1, end_of_line, time).ec == std::errc{};
    s.time = std::chrono::nanoseconds(time);
  }
  return s;
}

}  // namespace halfopen::clock
