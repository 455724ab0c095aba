// `halfopen lab format --arch` and `--explain`: the format of the data between machines that are in
// fact unlike.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "cli/lab_arguments.hpp"
#include "cli/usage_error.hpp"
#include "cli/verbs.hpp"
#include "report/terminal.hpp"

namespace halfopen::cli {
namespace {

constexpr const char* everyone = "all";

/// "s390x,i686" to names, each once; "all" to those that there are.
std::vector<std::string> named_machines(const std::string& list) {
  const std::vector<std::string> known = situation::machine_names();
  if (list == everyone) return known;
  std::vector<std::string> names;
  std::istringstream words(list);
  for (std::string name; std::getline(words, name, ',');) {
    if (std::ranges::find(known, name) == known.end())
      throw usage_error("--arch: '" + name + "' is no machine that the pair is built for; there are: all, " +
                        fmt::format("{}", fmt::join(known, ", ")));
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  if (names.empty()) throw usage_error("--arch: names no machine");
  return names;
}

}  // namespace

void add_machine_options(CLI::App& verb, lab_arguments& arguments) {
  verb.add_option_function<std::string>(
          "--arch",
          [&arguments](const std::string& list) { arguments.machines = list.empty() ? everyone : list; },
          "format only: the pair compiled for these machines (s390x,i686), each with each; all if none is "
          "named")
      ->expected(0, 1)
      ->type_name("MACHINE,...");
  verb.add_flag("--explain", arguments.explain,
                "format only: the bytes of a request on each machine, side by side; nothing is played");
}

std::optional<situation::machine_matrix> machines_of(const lab_arguments& arguments) {
  if (!arguments.machines && !arguments.explain) return std::nullopt;
  const char* option = arguments.explain ? "--explain" : "--arch";
  if (!std::ranges::all_of(arguments.patterns, [](const std::string& p) { return p == "format"; }))
    throw usage_error(std::string(option) + " is for the format of the data: halfopen lab format " + option);
  if (arguments.clock != "real" && !arguments.explain)
    throw usage_error("--arch plays with the real clock only: the virtual clock's guests run no qemu");
  std::vector<situation::machine> found;
  for (const std::string& name : named_machines(arguments.machines.value_or(everyone)))
    found.push_back(situation::find_machine(name));
  return situation::machine_matrix(std::move(found));
}

int explain_machines(const lab_arguments& arguments, const situation::machine_matrix& matrix) {
  const auto text = situation::explain_bytes(matrix.machines(), report::canvas::of(STDOUT_FILENO));
  if (!text) {
    fmt::print(stderr, "halfopen lab: {}\n", text.error());
    return not_met;
  }
  const std::string missing = situation::machines_missing(matrix.machines());
  fmt::print("\n{}{}{}", *text, missing.empty() ? "" : "\n", missing);
  if (std::fflush(stdout) != 0) return not_met;
  return lacks_one_by_name(arguments, matrix) ? cannot_run_here : all_met;
}

bool lacks_one_by_name(const lab_arguments& arguments, const situation::machine_matrix& matrix) {
  return arguments.machines && *arguments.machines != everyone &&
         !std::ranges::all_of(matrix.machines(), &situation::machine::can_play);
}

}  // namespace halfopen::cli
