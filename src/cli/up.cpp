#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>

#include "cli/doctor_text.hpp"
#include "cli/settings_file.hpp"
#include "cli/system_file.hpp"
#include "cli/system_line.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "cli/within.hpp"
#include "control/place.hpp"
#include "control/reins.hpp"
#include "halfopen/lab/enter.hpp"
#include "halfopen/lab/error.hpp"
#include "judge/text_report.hpp"
#include "play/capture.hpp"
#include "play/words.hpp"
#include "report/utf8.hpp"

namespace halfopen::cli {
namespace {

namespace fs = std::filesystem;

struct up_arguments {
  std::string settings = "halfopen.toml", socket, capture;
  std::vector<std::string> publish, environment;
  double limit = 20, clean_limit = 60;
  std::string ip = "4", disk = "kept";
  bool no_capture = false, until_eof = false;
};

judge::milliseconds of_seconds(double s) {
  return judge::milliseconds(static_cast<std::int64_t>(s * 1000));
}

judge::system described(const up_arguments& a) {
  if (::access(a.settings.c_str(), R_OK) < 0)
    throw usage_error(
        fmt::format("{}: {}\n  a system is described there: [hosts.NAME] with run = \"...\" and needs = "
                    "[...], and [probe] with run = \"...\"",
                    a.settings, std::strerror(errno)));
  auto made = read_system(a.settings);
  if (!made)
    throw usage_error(a.settings + ": it describes no system: [hosts.NAME] with run = \"...\", and [probe]");
  made->environment = a.environment;
  for (const std::string& e : made->environment)
    if (e.find('=') == std::string::npos || e.front() == '=')
      throw usage_error("--env " + e + ": expected NAME=VALUE");
  made->limit = of_seconds(a.limit);
  made->clean_limit = of_seconds(a.clean_limit);
  made->disk_lost = a.disk == "lost";
  made->ip = a.ip == "6" ? lab::ip_version::v6 : lab::ip_version::v4;
  if (const auto problem = problem_of(*made)) throw usage_error(a.settings + ": " + *problem);
  return std::move(*made);
}

/// Where the packets go: as named, or a new file; a path that still leads there from elsewhere.
std::string place_of_capture(const up_arguments& a) {
  if (a.no_capture) return "";
  if (!a.capture.empty()) return fs::absolute(a.capture);
  std::string pattern = fs::temp_directory_path() / "halfopen-up-XXXXXX.pcapng";
  const int fd = ::mkstemps(pattern.data(), 7);
  if (fd < 0)
    throw usage_error(fmt::format("cannot make {}: {}; name a file with --capture, or --no-capture", pattern,
                                  std::strerror(errno)));
  ::close(fd);
  return pattern;
}

std::vector<std::pair<control::publication, lab::unique_fd>> published(const up_arguments& a,
                                                                       const judge::system& what) {
  std::vector<std::pair<control::publication, lab::unique_fd>> made;
  for (const std::string& text : a.publish) {
    auto p = control::read_publication(text);
    if (!p) throw usage_error("--publish " + p.error());
    if (what.find(p->host) == nullptr) {
      std::vector<std::string> names;
      for (const auto& h : what.hosts) names.push_back(h.name);
      throw usage_error(fmt::format("--publish {}: there is no host '{}'; there are: {}", text, p->host,
                                    fmt::join(names, ", ")));
    }
    auto listener = control::listen_at(*p);
    if (!listener) throw usage_error(listener.error());
    made.emplace_back(std::move(*p), std::move(*listener));
  }
  return made;
}

/// What is shown of a running system: a line for each thing that happens.
class display {
 public:
  void say(const std::string& what) {
    const auto since = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
    fmt::print("{:8.2f} s  {}\n", since, report::clean(what));
    std::fflush(stdout);
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

int explain(const judge::not_ready& e, const judge::scene& s) {
  const lab::process* p = s.program(e.host);
  fmt::print(
      stderr, "halfopen up: {}{}\n", e.what(),
      p != nullptr && p->ended() ? ": " + play::end_in_words(p->ended()->code, p->ended()->signal) : "");
  if (e.how == judge::not_ready::why::does_not_listen)
    fmt::print(
        stderr,
        "  it must listen at 0.0.0.0 or ::, not at 127.0.0.1; a program that serves nobody is declared with "
        "serves = false\n");
  if (p == nullptr) return bad_arguments;
  for (const auto& [whose, text] :
       {std::pair{"output", &p->output()}, std::pair{"error output", &p->errors()}})
    if (!text->empty())
      fmt::print(stderr, "\n  {} of host '{}':\n{}\n", whose, e.host,
                 report::clean(*text, report::newlines::kept));
  return bad_arguments;
}

/// In the lab's world.
int hold(const judge::system& what, control::held_by by, const std::string& place) {
  lab::interrupt_on_signals();
  std::signal(SIGPIPE, SIG_IGN);
  play::capture packets(by.capture, "halfopen up " + by.settings);
  display shown;
  const std::string capture = by.capture;
  std::vector<std::string> ports;
  for (const auto& p : by.published) ports.push_back(in_words(p.first));
  bool up = false;
  try {
    std::vector<std::string> spares;
    for (const judge::system_host& h : what.hosts)
      if (h.serves) spares.push_back(h.name);
    judge::scene scene(what, what.limit, [&](const lab::record& r) { packets.take(r); }, spares);
    packets.describe(scene.lab);
    control::reins held(scene, std::move(by), [&](const std::string& line) { shown.say(line); });
    try {
      held.start();
    } catch (const judge::not_ready& e) {
      return explain(e, scene);
    }
    if (const auto problem = held.learn())
      shown.say("the probe is not served: " + *problem);
    else
      shown.say("the probe is served");
    for (const std::string& p : ports) fmt::print("published  {}\n", p);
    fmt::print("socket     {}\n", place);
    if (!capture.empty()) fmt::print("packets    {}\n", capture);
    fmt::print(
        "up: halfopen do{0} crash {1}, for instance; ask, exec, state and down{0} hold its reins too; Ctrl-C "
        "ends it\n",
        place == control::usual_place("halfopen.toml") ? "" : " --socket " + judge::shell_quoted(place),
        what.hosts.front().name);
    std::fflush(stdout);
    up = true;
    held.run();
  } catch (const lab::interrupted&) {
    if (!up) return 130;
  }
  if (const auto problem = packets.close()) {
    fmt::print(stderr, "halfopen up: {}\n", *problem);
    return cannot_run_here;
  }
  shown.say(capture.empty() ? "down" : "down; its packets: " + capture);
  return all_met;
}

int run_up(const up_arguments& a) {
  const judge::system what = described(a);
  const std::string place =
      a.socket.empty() ? control::usual_place(a.settings) : fs::absolute(a.socket).string();
  auto listener = control::listen_at(place);
  if (!listener) throw usage_error(listener.error());
  const control::remover tidy(place);
  control::held_by by;
  by.listener = std::move(*listener);
  by.published = published(a, what);
  by.settings = fs::absolute(a.settings);
  by.capture = place_of_capture(a);
  by.until_end_of = a.until_eof ? STDIN_FILENO : -1;
  try {
    return lab::enter([&] {
      return with_errors_told("up", bad_arguments, [&] { return hold(what, std::move(by), place); });
    });
  } catch (const lab::error& e) {
    fmt::print(stderr, "halfopen: {}\n\n", e.what());
    print_examination(stderr);
    return cannot_run_here;
  }
}

/// Keys of a settings file that are options of `halfopen test`, and say nothing here.
std::set<std::string> keys_of_others(const CLI::App& app, const CLI::App& verb) {
  std::set<std::string> names = system_tables();
  for (const CLI::Option* option : app.get_subcommand("test")->get_options())
    for (const std::string& name : option->get_lnames())
      if (verb.get_option_no_throw("--" + name) == nullptr) names.insert(name);
  return names;
}

}  // namespace

void add_up(CLI::App& app, int& exit_code) {
  const auto a = std::make_shared<up_arguments>();
  CLI::App& verb =
      *app.add_subcommand("up", "Starts a system and keeps it up, to be held by do, ask, exec, state, down");
  verb.add_option("FILE", a->settings,
                  "the settings file with [hosts.NAME] and [probe]; default: halfopen.toml")
      ->type_name("");
  verb.add_option("--publish", a->publish,
                  "a port of a host's for the network here: 3000:app:3000, at 127.0.0.1 unless an address is "
                  "before it; "
                  "PORT 0: any that is free")
      ->type_name("[ADDRESS:]PORT:HOST:PORT");
  verb.add_option("--capture", a->capture, "keep its packets there; default: a new file, which is named")
      ->type_name("FILE");
  verb.add_flag("--no-capture", a->no_capture, "keep no packets");
  verb.add_option("--socket", a->socket,
                  "listen there for those who hold the reins; default: by the settings file's name")
      ->type_name("PATH");
  verb.add_option("--limit", a->limit, "an ask that has not ended by then hangs")
      ->check(within(0.1, 3600.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option("--clean-limit", a->clean_limit, "within this a host shall be ready")
      ->check(within(1.0, 3600.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option("--env", a->environment, "environment of all programs")->type_name("NAME=VALUE");
  verb.add_option("--disk", a->disk, "what a host that reboots has left of its files (HALFOPEN_DIR)")
      ->check(CLI::IsMember({"kept", "lost"}).description(""))
      ->type_name("kept|lost")
      ->capture_default_str();
  verb.add_option("--ip", a->ip, "IP version")
      ->check(CLI::IsMember({"4", "6"}).description(""))
      ->type_name("4|6")
      ->capture_default_str();
  verb.add_flag("--until-eof", a->until_eof,
                "end when the standard input does: with whoever holds its other end");
  verb.footer(
      "Each host's name resolves on all of them; the probe asks from a host of its own, 'user'. Whatever "
      "ends\n"
      "this process, kill -9 included, nothing stays but the capture. docs/control.md: the socket's "
      "protocol,\n"
      "and modules for python and node.\n"
      "Exit codes: 0 it was up, and is down as asked, 2 bad use, or a host is not ready, 3 this machine "
      "cannot\n"
      "run it, 130 interrupted before it was up.\n\n"
      "Examples:\n"
      "  halfopen up\n"
      "  halfopen up shop/halfopen.toml --publish 3000:app:3000 --capture shop.pcapng");
  verb.callback([a, &app, &verb, &exit_code] {
    exit_code = with_errors_told("up", bad_arguments, [&] {
      try {
        read_settings(verb, a->settings, a->settings, keys_of_others(app, verb));
      } catch (const settings_error& e) {
        if (::access(a->settings.c_str(), F_OK) == 0) throw usage_error(e.what());
      }
      try {
        return run_up(*a);
      } catch (const settings_error& e) {
        throw usage_error(e.what());
      }
    });
  });
}

}  // namespace halfopen::cli
