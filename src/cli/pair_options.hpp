#ifndef HALFOPEN_SRC_CLI_PAIR_OPTIONS_HPP
#define HALFOPEN_SRC_CLI_PAIR_OPTIONS_HPP

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "pair/pair.hpp"

#include "cli/within.hpp"

namespace halfopen::cli {

/// "2.5" on the command line, in seconds, becomes milliseconds in the option.
inline void add_seconds(CLI::App& verb, const std::string& name, std::chrono::milliseconds& into,
                        const std::string& help) {
  verb.add_option_function<double>(
          name,
          [&into](double seconds) {
            into = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
          },
          help)
      ->type_name("SECONDS")
      ->check(within(0.0, 1e6))
      ->default_str(std::to_string(into.count() / 1000));
}

/// An option whose value is one of a few names.
template <class Enum>
CLI::Option* add_named(CLI::App& verb, const std::string& name, Enum& into,
                       const std::map<std::string, Enum>& names, const std::string& help) {
  std::vector<std::string> known;
  std::string shown;
  for (const auto& [text, value] : names) {
    known.push_back(text);
    shown += (shown.empty() ? "" : "|") + text;
  }
  return verb
      .add_option_function<std::string>(
          name, [&into, names](const std::string& text) { into = names.at(text); }, help)
      ->check(CLI::IsMember(known).description(""))
      ->type_name(shown);
}

/// What `serve` and `call` have in common.
template <class Options>
void add_pair_options(CLI::App& verb, Options& options) {
  add_named<pair::service>(verb, "service", options.service,
                           {{"echo", pair::service::echo}, {"sum", pair::service::sum}},
                           "echo: a line back; sum: two integers in, their sum out")
      ->required();
  add_named<pair::kind>(verb, "--pair", options.kind,
                        {{"naive", pair::kind::naive}, {"robust", pair::kind::robust}},
                        "naive: what one writes first; robust: what survives")
      ->default_str("robust");
  CLI::Option* format = add_named<pair::format>(
      verb, "--format", options.how,
      {{"raw", pair::format::raw},
       {"record", pair::format::record},
       {"text", pair::format::text},
       {"binary", pair::format::binary}},
      "how sum's numbers travel; raw and record (a struct) are naive only, binary robust only");
  format->default_str("raw if naive, text if robust");
  verb.parse_complete_callback([format, &options] {
    const bool naive_sum = options.kind == pair::kind::naive && options.service == pair::service::sum;
    if (format->count() == 0 && naive_sum) options.how = pair::format::raw;
  });
  verb.add_option_function<std::string>(
          "--layout",
          [&options](const std::string& name) { options.machine = pair::parse_layout(name).value(); },
          "raw only: the machine whose memory layout to use")
      ->type_name("NAME")
      ->default_str("native")
      ->check([](const std::string& name) {
        if (pair::parse_layout(name)) return std::string();
        std::string known;
        for (const auto n : pair::layout_names) known += " " + std::string(n);
        return "unknown layout '" + name + "'; known:" + known;
      });
  add_seconds(verb, "--notice-within", options.notice_within,
              "robust: a dead peer is noticed within this, idle or not; 0: never");
  verb.add_flag("--tell-endings", options.tell_endings,
                "robust: say on stderr how each connection ended, orderly ends too");
  verb.add_option("--max-line", options.max_line, "robust: longest text line, in bytes")
      ->capture_default_str();
}

}  // namespace halfopen::cli

#endif
