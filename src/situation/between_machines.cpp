// 7. The format of the data, between machines that are in fact unlike.
//
// The same pair is compiled for each machine, and each plays client and server to each. Whether two
// machines lay a structure out alike is not looked up in a table of theirs: the program of each says,
// on its host, what a request is in its memory, and the packet must be just that.

#include "situation/between_machines.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <utility>

#include "halfopen/lab/error.hpp"
#include "halfopen/wire/binary.hpp"
#include "halfopen/wire/text.hpp"
#include "situation/asking.hpp"

namespace halfopen::situation {
namespace {

struct played_format {
  std::string_view name;
  pair_kind pair;
  void (*play)(scene&);
};

std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

/// What a request is in the memory of that host's machine; padding as dots.
std::string memory_of(scene& s, lab::host& where, const std::string& format) {
  lab::process& p =
      s.run_pair(where, {"bytes", "--", std::to_string(numbers[0]), std::to_string(numbers[1])});
  if (!s.lab.until_ended(p, scene::soon)) throw lab::error("the program for its machine does not end");
  return without_spaces(bytes_by_format(p.output())[format]);
}

bool fits(const std::string& sent, const std::string& memory) {
  return std::ranges::equal(sent, memory, [](char s, char m) { return m == '.' || s == m; });
}

void as_memory(scene& s, const std::string& format) {
  const std::string of_client = memory_of(s, s.client, format);
  const bool alike = of_client == memory_of(s, s.server, format);
  s.serve({"sum", "--format", format});
  s.fault();
  const asked a = ask(s, {"sum", "--format", format}, scene::port);
  s.prove(fits(without_spaces(a.sent), of_client), "which is the structure in the client's memory");
  const std::string answer = answer_of(a.by);
  s.saw("-22 + -77 = " + answer);
  s.answered(answer);
  if (alike)
    s.expect(answer == answer_is, "the right sum, between machines that lay it out alike");
  else
    s.expect(is_number(answer) && answer != answer_is, "a wrong sum, and no error");
}

void as_specified(scene& s, const std::string& format, const std::string& request) {
  const explicit_answer a = ask_in_explicit_format(s, format, scene::port);
  s.expect(a.sent == hex(std::as_bytes(std::span(request))), "what is sent is what docs/wire-format.md says");
  s.saw("-22 + -77 = " + a.answer);
  s.answered(a.answer);
}

void raw(scene& s) {
  as_memory(s, "raw");
}
void record(scene& s) {
  as_memory(s, "record");
}
void text(scene& s) {
  as_specified(s, "text", wire::text::encode(wire::sum_request{numbers[0], numbers[1]}));
}
void binary(scene& s) {
  as_specified(s, "binary", wire::binary::encode(wire::sum_request{numbers[0], numbers[1]}));
}

constexpr std::array formats{
    played_format{"raw", pair_kind::naive, raw},
    played_format{"record", pair_kind::naive, record},
    played_format{"text", pair_kind::robust, text},
    played_format{"binary", pair_kind::robust, binary},
};

std::string cell_name(const machine& client, const machine& server, const played_format& f) {
  return client.name + "-to-" + server.name + "-" + std::string(f.name);
}

/// Of several rounds one that was not as expected, if there is one.
const result* find_cell(std::span<const result> results, const std::string& name) {
  const result* found = nullptr;
  for (const result& r : results)
    if (r.variant == name && (found == nullptr || found->verdict == verdict::met)) found = &r;
  return found;
}

/// "text right", and what the lab says to it if it is not as expected.
std::string line_of(const result& r, const played_format& f) {
  if (r.verdict == verdict::not_applicable) return to_string(r.verdict);
  const std::string sum = r.answer.empty() ? "no sum" : r.answer == answer_is ? "right" : "wrong";
  return std::string(f.name) + " " + sum +
         (r.verdict == verdict::met ? "" : ": " + std::string(to_string(r.verdict)));
}

report::cell cell_of(std::span<const result> results, const machine& client, const machine& server) {
  std::string text;
  auto tint = report::colour::green;
  for (const played_format& f : formats) {
    const result* r = find_cell(results, cell_name(client, server, f));
    if (r == nullptr) continue;
    if (r->verdict != verdict::met) tint = report::colour::red;
    const std::string line = line_of(*r, f);
    if (text.ends_with(line)) continue;  // "not applicable" is said once
    text += (text.empty() ? "" : "\n") + line;
  }
  if (text == to_string(verdict::not_applicable)) return {"not\napplicable"};  // five columns fit into 80
  return {text, tint};
}

/// "x86-64-to-s390x-raw: -22 + -77 = -72057594037928034" and below it "packet 4: ea ff ff ..."
std::string wrong_sums(std::span<const result> results) {
  std::string text;
  for (const result& r : results) {
    const auto packet = std::ranges::find_if(r.checks, [](const check& c) { return c.is_proof; });
    if (r.answer.empty() || r.answer == answer_is || packet == r.checks.end()) continue;
    text += "  " + r.variant + ": " + r.saw + "\n    " + packet->what + "\n";
  }
  return text.empty() ? text : "\nThe wrong sums, and the packets that they were made from:\n\n" + text;
}

}  // namespace

machine_matrix::machine_matrix(std::vector<machine> machines) : machines_(std::move(machines)) {}

std::vector<choice> machine_matrix::choices() {
  std::vector<choice> made;
  for (const machine& client : machines_)
    for (const machine& server : machines_)
      for (const played_format& f : formats) {
        if (!client.can_play() || !server.can_play()) continue;
        const std::string& name = texts_.emplace_back(cell_name(client, server, f));
        const std::string& done =
            texts_.emplace_back("-22 + -77 as " + std::string(f.name) + ", from a client compiled for " +
                                client.name + " to a server compiled for " + server.name);
        const variant& v = variants_.emplace_back(variant{name, done, f.play});
        made.push_back({&format_situation, &v, client.program, server.program, f.pair});
      }
  return made;
}

std::vector<result> machine_matrix::not_applicable(std::span<const pair_kind> pairs) const {
  std::vector<result> made;
  for (const machine& client : machines_)
    for (const machine& server : machines_)
      for (const played_format& f : formats) {
        if (client.can_play() && server.can_play()) continue;
        if (std::ranges::find(pairs, f.pair) == pairs.end()) continue;
        result r;
        r.situation = format_situation.name;
        r.variant = cell_name(client, server, f);
        r.pair = to_string(f.pair);
        r.verdict = verdict::not_applicable;
        r.problem = client.can_play() ? server.lacks : client.lacks;
        made.push_back(std::move(r));
      }
  return made;
}

std::string machine_matrix::table(std::span<const result> results, const report::canvas& where) const {
  std::vector<report::column> columns{{.heading = "client", .min_width = 7}};
  for (const machine& m : machines_) columns.push_back({.heading = m.name, .min_width = 12});
  report::text_table t(std::move(columns));
  t.add_group("-22 + -77, from a client on the left to a server above, each compiled for that machine");
  for (const machine& client : machines_) {
    std::vector<report::cell> row{client.name};
    for (const machine& server : machines_) row.push_back(cell_of(results, client, server));
    t.add_row(std::move(row));
  }
  return t.render(where) + wrong_sums(results);
}

std::string machines_missing(std::span<const machine> machines) {
  std::string text;
  for (const machine& m : machines)
    if (!m.can_play()) text += "  " + m.name + ": " + m.lacks + "\n";
  return text.empty() ? text : "Not there, and so not applicable:\n" + text;
}

std::expected<std::string, std::string> explain_bytes(std::span<const machine> machines,
                                                      const report::canvas& where) {
  const std::array<std::pair<const char*, const char*>, 4> parts{{
      {"raw", "raw: struct { long a; long b; } with -22 and -77, as it lies in memory"},
      {"record", "record: struct { char operation; int64_t a; int64_t b; }; padding as dots"},
      {"text", "text, as docs/wire-format.md says"},
      {"binary", "binary, as docs/wire-format.md says"},
  }};
  report::text_table t({{.heading = "machine", .min_width = 7},
                        {.heading = "long"},
                        {.heading = "byte order", .min_width = 10},
                        {.heading = "bytes", .min_width = 50}});
  t.make_compact();
  std::vector<std::pair<const machine*, std::map<std::string, std::string>>> told;
  for (const machine& m : machines) {
    if (!m.can_play()) continue;
    std::vector<std::string> command = m.program;
    command.insert(command.end(), {"bytes", "--", std::to_string(numbers[0]), std::to_string(numbers[1])});
    const auto printed = output_of(command);
    if (!printed) return std::unexpected(m.name + ": " + printed.error());
    told.emplace_back(&m, bytes_by_format(*printed));
  }
  for (const auto& [format, heading] : parts) {
    t.add_group(heading);
    for (auto& [m, bytes] : told)
      t.add_row({m->name, bytes["long"], bytes["order"].substr(0, bytes["order"].find('-')), bytes[format]});
  }
  return t.render(where);
}

}  // namespace halfopen::situation
