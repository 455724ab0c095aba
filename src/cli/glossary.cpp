// A reader meets a word in a report and types it behind `halfopen explain`, as it stands there or nearly
// so. The texts stand where the words are defined (fate, trace, situation, judge), each beside its
// enumerator or its case; here they are put together.
//
// One word may mean several things: `exit` is a situation of the lab and a family of the judge's
// cases, `unknown` a retry and a culprit. All of them are shown, each under its kind.

#include "cli/glossary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "audit/words.hpp"
#include "halfopen/fate.hpp"
#include "halfopen/trace/story.hpp"
#include "judge/case.hpp"
#include "judge/expected.hpp"
#include "judge/explanations.hpp"
#include "judge/torture.hpp"
#include "situation/catalogue.hpp"
#include "situation/result.hpp"

namespace halfopen::cli {
namespace {

/// A word in the form in which words are compared.
std::string plain(std::string_view word) {
  std::string text;
  for (char c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '"' || c == '\'' || c == '`') continue;
    const bool joint = c == '_' || c == '-' || c == ' ' || c == '\t' || c == '\n';
    if (joint && (text.empty() || text.back() == ' ')) continue;
    text += joint ? ' ' : c;
  }
  while (text.ends_with(' ') || text.ends_with('.') || text.ends_with(',') || text.ends_with(':'))
    text.pop_back();
  return text;
}

void add(meaning& m, std::string_view label, std::string_view text) {
  if (!text.empty()) m.fields.emplace_back(label, text);
}

meaning of(const explanation& x, std::string_view kind) {
  meaning m;
  m.name = x.name;
  m.title = kind.empty() ? m.name : fmt::format("{} ({})", x.name, kind);
  add(m, "means", x.means);
  add(m, "causes", x.causes);
  add(m, "do", x.advice);
  return m;
}

/// Of an enumeration whose names end with "?".
template <class Word>
std::vector<meaning> each(std::string_view kind) {
  std::vector<meaning> all;
  for (int i = 0; std::string_view(to_string(static_cast<Word>(i))) != "?"; ++i)
    all.push_back(of(explain(static_cast<Word>(i)), kind));
  return all;
}

std::vector<meaning> each(std::span<const explanation> words, std::string_view kind) {
  std::vector<meaning> all;
  for (const explanation& x : words) all.push_back(of(x, kind));
  return all;
}

// ---- errnos ----------------------------------------------------------------------

std::optional<meaning> of_errno(std::string_view name) {
  const auto found = parse_errno(name);
  if (!found) return std::nullopt;
  meaning m;
  m.name = strerrorname_np(found->error);
  m.title = fmt::format("{} ({}): {}", m.name, found->error, strerrordesc_np(found->error));
  for (const auto& e : found->endings)
    if (e) m.see.emplace_back(to_string(*e));
  add(m, "may be",
      fmt::format("{}{}", fmt::join(m.see, ", or "), m.see.size() > 1 ? ", the likeliest first" : ""));
  return m;
}

/// Those that speak of a connection; of the others there are a hundred.
std::vector<meaning> errnos_of_connections() {
  std::vector<meaning> all;
  constexpr int most = 134;
  for (int error = 1; error < most; ++error) {
    const auto found = parse_errno(std::to_string(error));
    if (found && (found->endings[0] != ending::local_failure || found->endings[1]))
      all.push_back(of_errno(std::to_string(error)).value());
  }
  return all;
}

// ---- the judge's -------------------------------------------------------------------

meaning of_case(const judge::judge_case& c) {
  meaning m;
  m.name = c.id;
  m.title =
      fmt::format("{} (a case of halfopen test, which judges the {})", c.id, judge::to_string(c.subject));
  add(m, "done", c.done);
  add(m, "rule", c.rule);
  if (!c.id.starts_with(judge::torture_prefix)) add(m, "expected", judge::usual_expectation(c, {}));
  add(m, "play it",
      fmt::format("halfopen test --server ... {} {}", c.outage ? "--service ... --probe ..." : "--client ...",
                  c.id.starts_with(judge::torture_prefix)
                      ? "--replay " + std::string(c.id.substr(judge::torture_prefix.size()))
                      : "--case " + std::string(c.id)));
  return m;
}

meaning of_family(const judge::family& f) {
  meaning m;
  m.name = f.name;
  m.title = fmt::format("{} (a family of cases of halfopen test)", f.name);
  // The one title that is no sentence.
  add(m, "means",
      f.title == "bytes" ? "what is said comes in other pieces, or is nonsense."
                         : std::string(f.title) + ".");
  for (const judge::judge_case& c : f.cases)
    add(m, c.id, fmt::format("{}: {}", judge::to_string(c.subject), c.done));
  return m;
}

/// "exit/6@2", "exit/6@c2": the case, at which request, and on which connection.
std::optional<meaning> of_case_at(std::string_view word) {
  const judge::judge_case* c = judge::parse_case_at(word);
  if (c == nullptr) return std::nullopt;
  meaning m = of_case(*c);
  if (c->request > 0) add(m, "at", fmt::format("request {} of the client's", c->request));
  if (c->connection > 0)
    add(m, "on",
        fmt::format("connection {} of the client's, as they were opened with nothing wrong", c->connection));
  return m;
}

/// "kill-server@7", with its prefix or without; also without the place: "kill-server".
std::optional<meaning> of_place(std::string word) {
  const auto whole = word.find('@') == std::string::npos ? word + "@1" : word;
  std::string id = whole;
  std::ranges::replace(id, ' ', '-');
  const auto found = judge::parse_place(id);
  if (!found) return std::nullopt;
  meaning m = of_case(judge::case_at(*found));
  m.title = fmt::format("{} (a place of halfopen test --torture, which judges the {})", m.name,
                        judge::to_string(judge::case_at(*found).subject));
  if (whole != word) {
    m.name = word;
    m.title = fmt::format("{} (a loss of halfopen test --torture, here at the first of its places)", id);
  }
  add(m, "place",
      found->in_reply ? "behind @b: so many bytes of the reply have arrived"
                      : "behind @: a packet, counted from the first SYN on, which is on its way");
  return m;
}

std::vector<meaning> losses() {
  std::vector<meaning> all;
  for (const judge::place& p : judge::all_places(1, {}))
    if (p.lost == judge::subject::server)
      all.push_back(of(judge::explain(p.how), "a loss of halfopen test --torture"));
  return all;
}

std::vector<meaning> families() {
  std::vector<meaning> all;
  for (const judge::family* f : judge::catalogue()) all.push_back(of_family(*f));
  return all;
}

std::vector<meaning> cases() {
  std::vector<meaning> all;
  for (const auto& cases : {judge::all_cases(), judge::all_outages()})
    for (const judge::judge_case* c : cases) all.push_back(of_case(*c));
  return all;
}

// ---- the lab's --------------------------------------------------------------------

std::string id_of(const situation::situation& s, const situation::variant& v) {
  return fmt::format("{}/{}", s.name, v.name);
}

meaning of_situation(const situation::situation& s) {
  meaning m;
  m.name = s.name;
  m.title = fmt::format("{} (a situation of halfopen lab)", s.name);
  add(m, "means", std::string(s.title) + ".");
  for (const situation::variant& v : s.variants) add(m, v.name, v.done);
  return m;
}

meaning of_variant(const situation::situation& s, const situation::variant& v) {
  meaning m;
  m.name = id_of(s, v);
  m.title = fmt::format("{} (a variant of halfopen lab)", m.name);
  add(m, "in", s.title);
  add(m, "done", v.done);
  add(m, "play it", "halfopen lab " + m.name + " --table");
  return m;
}

std::vector<meaning> situations() {
  std::vector<meaning> all;
  for (const situation::situation* s : situation::all_situations()) all.push_back(of_situation(*s));
  return all;
}

std::vector<meaning> variants() {
  std::vector<meaning> all;
  for (const situation::situation* s : situation::all_situations())
    for (const situation::variant& v : s->variants) all.push_back(of_variant(*s, v));
  return all;
}

// ---- all ---------------------------------------------------------------------------

std::vector<meaning> of_no_kind() {
  constexpr explanation words[]{
      {"half-open",
       "One side of a connection is gone, and the other does not know (RFC 9293 section 3.5.1). It waits for "
       "what will never come.",
       "The host crashed or rebooted, or something on the way forgot the connection.",
       "Keepalive for an idle connection, TCP_USER_TIMEOUT for data in flight, a time limit for each reply."},
      {"open", "In place of an ending: the connection had not ended when the capture stopped.", "",
       "halfopen autopsy --follow waits for more."},
  };
  return each(words, "");
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

}  // namespace

std::vector<kind> all_words() {
  std::vector<kind> all{
      {"Endings: how a connection ended", each<ending>("")},
      {"Errnos, by name or number", errnos_of_connections(), false},
      {"Phases: what the connection was doing when it ended", each<phase>("a phase of a connection")},
      {"Retry: may the request be sent again?", each<retry>("a retry: may the request be sent again?")},
      {"Situations of halfopen lab", situations()},
      {"Their variants", variants(), false},
      {"Verdicts of halfopen lab", each<situation::verdict>("a verdict of halfopen lab")},
      {"Other words of halfopen lab", each(situation::other_words(), "a word of halfopen lab")},
      {"Families of cases of halfopen test", families()},
      {"Their cases", cases(), false},
      {"Verdicts of halfopen test", each<judge::verdict>("a verdict of halfopen test")},
      {"What a client did, in halfopen test",
       each(judge::outcomes_of_a_client(), "what a client did, in halfopen test")},
      {"What a server did, in halfopen test",
       each(judge::outcomes_of_a_server(), "what a server did, in halfopen test")},
      {"What a service did, in halfopen test",
       each(judge::outcomes_of_a_service(), "what a service did, in halfopen test")},
      {"What is looked at of a service, in halfopen test",
       each<judge::look>("a look of halfopen test at a service")},
      {"What came of one ask, in halfopen test", each<judge::ask_end>("what came of one ask")},
      {"Why nothing can be said, in halfopen test",
       each(judge::unsaid_because(), "why nothing can be said, in halfopen test")},
      {"Losses of halfopen test --torture; their places are named kill-server@7", losses()},
      {"Other words of halfopen test", each(judge::other_words(), "a word of halfopen test")},
      {"Who ended it, in halfopen autopsy", each<trace::culprit>("who ended it, in halfopen autopsy")},
      {"Manners of an end, in halfopen autopsy",
       each<trace::manner>("a manner of an end, in halfopen autopsy")},
      {"Doubts, in halfopen autopsy", each<trace::doubt>("a doubt of halfopen autopsy")},
      {"What is wrong with a socket, in halfopen audit",
       each<audit::wrong>("what is wrong with a socket, in halfopen audit")},
      {"And", of_no_kind()},
  };
  return all;
}

std::vector<meaning> meanings_of(std::string_view word) {
  constexpr std::size_t longest = 80;
  const std::string wanted = plain(word.substr(0, longest));
  std::vector<meaning> found;
  if (wanted.empty() || word.size() > longest) return found;
  for (kind& k : all_words())
    for (meaning& m : k.words)
      if (plain(m.name) == wanted) found.push_back(std::move(m));
  if (!found.empty()) return found;
  for (auto other : {of_errno(wanted), of_case_at(wanted), of_place(wanted)})
    if (other) found.push_back(std::move(*other));
  return found;
}

std::vector<std::string> words_near(std::string_view word) {
  constexpr std::size_t longest = 40;
  constexpr std::size_t most = 3;
  const std::string given = plain(word.substr(0, longest));
  std::vector<std::pair<std::size_t, std::string>> found;
  const auto consider = [&](std::string_view known) {
    const std::string other = plain(known);
    const bool part = given.size() >= 4 && other.contains(given);
    std::size_t far = distance(given, other);
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {  // a part counts too
      end = other.find_first_of(" /", begin);
      far = std::min(far, 1 + distance(given, other.substr(begin, end - begin)));
    }
    if (!part && far > std::max<std::size_t>(1, given.size() / 3)) return;
    if (std::ranges::find(found, known, &std::pair<std::size_t, std::string>::second) == found.end())
      found.emplace_back(part ? 0 : far, known);
  };
  for (const kind& k : all_words())
    for (const meaning& m : k.words) consider(m.name);
  for (int error = 1; error < 134; ++error)
    if (const char* known = strerrorname_np(error)) consider(known);
  std::ranges::stable_sort(found, {}, [](const auto& f) { return f.first; });
  std::vector<std::string> names;
  for (const auto& [far, known] : found)
    if (names.size() < most) names.push_back(known);
  return names;
}

}  // namespace halfopen::cli
