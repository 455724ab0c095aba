#include "cli/system_file.hpp"

#include <toml++/toml.h>
#include <filesystem>
#include <functional>
#include <map>

#include "cli/settings_file.hpp"

namespace halfopen::cli {
namespace {

using judge::system_host;

/// One table of the file: each key is taken once, by its name, and what is left over is an error.
class table_reader {
 public:
  table_reader(const std::string& path, const toml::table& table, std::string name)
      : path_(path), table_(table), name_(std::move(name)) {}

  void text(const char* key, std::string& into) {
    take(key, "a text", [&](const toml::node& n) {
      if (const auto value = n.value_exact<std::string>()) return into = *value, true;
      return false;
    });
  }
  /// Of a file system; relative to the settings file's.
  void root(const char* key, std::string& into) {
    take(key, "a root file system: a folder with /bin/sh in it, as umoci unpacks or mmdebstrap makes it",
         [&](const toml::node& n) {
           const auto value = n.value_exact<std::string>();
           if (!value) return false;
           const auto folder = std::filesystem::absolute(path_).parent_path() / *value;
           std::error_code why;
           const auto shell = std::filesystem::symlink_status(folder / "bin/sh", why).type();
           if (shell != std::filesystem::file_type::regular && shell != std::filesystem::file_type::symlink)
             return false;
           into = std::filesystem::canonical(folder, why);
           return !why;
         });
  }
  void flag(const char* key, bool& into) {
    take(key, "true or false", [&](const toml::node& n) {
      if (const auto value = n.value_exact<bool>()) return into = *value, true;
      return false;
    });
  }
  void port(const char* key, std::optional<std::uint16_t>& into) {
    take(key, "a port from 1 to 65535", [&](const toml::node& n) {
      const auto value = n.value_exact<std::int64_t>();
      if (!value || *value < 1 || *value > 65535) return false;
      into = static_cast<std::uint16_t>(*value);
      return true;
    });
  }
  void texts(const char* key, std::vector<std::string>& into) {
    take(key, "a list of texts", [&](const toml::node& n) {
      const toml::array* list = n.as_array();
      if (list == nullptr) return false;
      for (const toml::node& one : *list) {
        const auto value = one.value_exact<std::string>();
        if (!value) return false;
        into.push_back(*value);
      }
      return true;
    });
  }

  /// Throws for a key that nobody took.
  void end() const {
    for (const auto& [key, node] : table_)
      if (!known_.contains(std::string(key.str()))) {
        std::string all;
        for (const std::string& k : known_) all += (all.empty() ? "" : ", ") + k;
        throw settings_error(place(node) + name_ + " has no key '" + std::string(key.str()) + "'; it has " +
                             all);
      }
  }

 private:
  [[nodiscard]] std::string place(const toml::node& n) const {
    return path_ + ":" + std::to_string(n.source().begin.line) + ": ";
  }
  void take(const char* key, const char* expected, const std::function<bool(const toml::node&)>& read) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node != nullptr && !read(*node)) throw settings_error(place(*node) + key + ": expected " + expected);
  }

  const std::string& path_;
  const toml::table& table_;
  std::string name_;
  std::set<std::string> known_;
};

system_host read_host(const std::string& path, const std::string& name, const toml::table& table) {
  system_host h;
  h.name = name;
  table_reader keys(path, table, "[hosts." + name + "]");
  keys.text("run", h.command);
  keys.texts("needs", h.needs);
  keys.texts("env", h.environment);
  keys.root("root", h.root);
  keys.port("port", h.port);
  keys.text("ready", h.ready);
  keys.flag("judge", h.judged);
  keys.flag("restart", h.restart);
  keys.flag("serves", h.serves);
  keys.end();
  return h;
}

const toml::table& table_at(const std::string& path, const toml::node& node, const std::string& what) {
  if (const toml::table* t = node.as_table()) return *t;
  throw settings_error(path + ":" + std::to_string(node.source().begin.line) + ": " + what);
}

}  // namespace

const std::set<std::string>& system_tables() {
  static const std::set<std::string> names{"hosts", "probe"};
  return names;
}

std::optional<judge::system> read_system(const std::string& path) {
  std::error_code why;
  if (!std::filesystem::is_regular_file(path, why)) return std::nullopt;
  toml::table file;
  try {
    file = toml::parse_file(path);
  } catch (const toml::parse_error&) {
    return std::nullopt;  // read_settings() says so
  }
  const toml::node* hosts = file.get("hosts");
  const toml::node* probe = file.get("probe");
  if (hosts == nullptr || probe == nullptr || !probe->is_table()) {
    if (hosts == nullptr) return std::nullopt;
    throw settings_error(path + ": it has hosts, and no [probe] with run = \"...\", the command that asks");
  }
  judge::system made;
  // In the order in which they stand in the file, which is the order of the report.
  std::map<std::uint32_t, system_host> by_line;
  for (const auto& [name, node] : table_at(path, *hosts, "hosts are tables: [hosts.NAME]")) {
    const auto& table = table_at(path, node, "a host is a table: [hosts." + std::string(name.str()) + "]");
    by_line[table.source().begin.line * 100 + static_cast<std::uint32_t>(by_line.size())] =
        read_host(path, std::string(name.str()), table);
  }
  for (auto& [line, host] : by_line) made.hosts.push_back(std::move(host));
  table_reader keys(path, *probe->as_table(), "[probe]");
  keys.text("run", made.ask.probe);
  keys.text("health", made.ask.health);
  keys.text("other", made.ask.other);
  keys.end();
  return made;
}

}  // namespace halfopen::cli
