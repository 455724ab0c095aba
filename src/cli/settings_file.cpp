#include "cli/settings_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <filesystem>
#include <string_view>
#include <vector>

namespace halfopen::cli {
namespace {

std::string place_of(const std::string& path, const toml::source_region& where) {
  return path + ":" + std::to_string(where.begin.line) + ": ";
}

/// Scalars as the command line would say them; nothing for anything else.
std::optional<std::string> text_of(const toml::node& node) {
  if (auto text = node.value_exact<std::string>()) return text;
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  if (const auto whole = node.value_exact<std::int64_t>()) return std::to_string(*whole);
  if (const auto number = node.value_exact<double>()) return std::to_string(*number);
  if (const auto date = node.value_exact<toml::date>())
    return fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day);
  return std::nullopt;
}

std::vector<std::string> values_of(const toml::node& node, const std::string& place) {
  std::vector<std::string> values;
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    if (auto one = text_of(node)) return {*one};
    throw settings_error(place + "expected a text, a number, true, false, or a list of texts");
  }
  for (const toml::node& element : *list) {
    auto one = text_of(element);
    if (!one) throw settings_error(place + "a list has texts and numbers only");
    values.push_back(*one);
  }
  return values;
}

void apply(CLI::App& verb, const std::string& key, const toml::node& node, const std::string& place) {
  CLI::Option* option = verb.get_option_no_throw("--" + key);
  if (option == nullptr || key == "help" || key == "settings")
    throw settings_error(place + "there is no option --" + key + "; see halfopen " + verb.get_name() +
                         " --help");
  if (option->count() > 0) return;  // the command line says otherwise
  for (const std::string& value : values_of(node, place)) option->add_result(value);
  try {
    option->run_callback();
  } catch (const CLI::Error& e) {
    option->clear();
    throw settings_error(place + e.what());
  }
}

}  // namespace

void read_settings(CLI::App& verb, const std::string& path, const std::string& usual_path,
                   const std::set<std::string>& besides) {
  const std::string& file = path.empty() ? usual_path : path;
  if (path.empty() && ::access(file.c_str(), F_OK) < 0) return;
  if (std::error_code why; std::filesystem::is_directory(file, why))
    throw settings_error(file + ": it is a folder");
  toml::table table;
  try {
    table = toml::parse_file(file);
  } catch (const toml::parse_error& e) {
    throw settings_error(place_of(file, e.source()) + std::string(e.description()));
  }
  for (const auto& [key, node] : table)
    if (!besides.contains(std::string(key.str())))
      apply(verb, std::string(key.str()), node, place_of(file, node.source()));
}

}  // namespace halfopen::cli
