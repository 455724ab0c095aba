// The entry points: which combinations of options make sense, and which of the four
// programs runs.

#include "pair/pair.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "pair/kinds.hpp"
#include "pair/sockets.hpp"

namespace halfopen::pair {
namespace {

constexpr int usage_error = 2;

// What is wrong with the combination; empty if nothing is. An echo has one format.
std::string_view contradiction(service what, kind who, format how, const layout& machine) {
  if ((machine.long_size != 4 && machine.long_size != 8) ||
      (machine.alignment != 4 && machine.alignment != 8 && machine.alignment != 16))
    return "a long has 4 or 8 bytes and an alignment of 4, 8 or 16";
  if (what == service::echo) return {};
  if (who == kind::robust && is_memory(how))
    return "raw structures are for the naive pair; the robust one speaks text and binary";
  if (who == kind::naive && how == format::binary)
    return "binary frames are for the robust pair; the naive one speaks raw, record and text";
  if (how == format::record && machine != native_layout())
    return "a record has this machine's layout; another is for raw structures";
  return {};
}

}  // namespace

int serve(const serve_options& options) {
  if (const auto wrong = contradiction(options.service, options.kind, options.how, options.machine);
      !wrong.empty()) {
    fmt::print(stderr, "serve: {}\n", wrong);
    return usage_error;
  }
  return options.kind == kind::naive ? serve_naively(options) : serve_robustly(options);
}

int call(const call_options& options) {
  std::string_view wrong = contradiction(options.service, options.kind, options.how, options.machine);
  if (options.targets.empty()) wrong = "no target given";
  if (options.pipeline < 1) wrong = "a pipeline holds at least one request";
  if (!wrong.empty()) {
    fmt::print(stderr, "call: {}\n", wrong);
    return usage_error;
  }
  for (const std::string& target : options.targets)
    if (const auto where = parse_endpoint(target); !where) {
      fmt::print(stderr, "call: '{}' is no target: {}\n", target, where.error());
      return usage_error;
    }
  return options.kind == kind::naive ? call_naively(options) : call_robustly(options);
}

}  // namespace halfopen::pair
