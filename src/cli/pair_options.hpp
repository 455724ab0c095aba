#ifndef HALFOPEN_SRC_CLI_PAIR_OPTIONS_HPP
#define HALFOPEN_SRC_CLI_PAIR_OPTIONS_HPP

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <string>

#include "pair/pair.hpp"

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
      ->check(CLI::Range(0.0, 1e6))
      ->default_str(std::to_string(into.count() / 1000));
}

/// What `serve` and `call` have in common.
template <class Options>
void add_pair_options(CLI::App& verb, Options& options) {
  static const std::map<std::string, pair::service> services{{"echo", pair::service::echo},
                                                             {"sum", pair::service::sum}};
  static const std::map<std::string, pair::kind> kinds{{"naive", pair::kind::naive},
                                                       {"robust", pair::kind::robust}};
  static const std::map<std::string, pair::format> formats{
      {"raw", pair::format::raw}, {"text", pair::format::text}, {"binary", pair::format::binary}};
  verb.add_option("service", options.what, "echo: a line back; sum: two integers in, their sum out")
      ->required()
      ->type_name("echo|sum")
      ->transform(CLI::CheckedTransformer(services).description(""));
  verb.add_option("--pair", options.who, "naive: what one writes first; robust: what survives")
      ->type_name("naive|robust")
      ->default_str("robust")
      ->transform(CLI::CheckedTransformer(kinds).description(""));
  CLI::Option* format =
      verb.add_option("--format", options.how, "how sum's numbers travel; raw (a struct) is naive only")
          ->type_name("raw|text|binary")
          ->default_str("raw if naive, text if robust")
          ->transform(CLI::CheckedTransformer(formats).description(""));
  verb.parse_complete_callback([format, &options] {
    const bool naive_sum = options.who == pair::kind::naive && options.what == pair::service::sum;
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
  verb.add_option("--max-line", options.max_line, "robust: longest text line, in bytes")
      ->capture_default_str();
}

}  // namespace halfopen::cli

#endif
