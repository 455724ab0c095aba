// What was done, what the packets tell, what the library reported: side by side, a
// row a variant. The reasons where words differ stand below, where each is said once.

#include "situation/endings_table.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "report/wrap.hpp"
#include "situation/agreement.hpp"
#include "situation/catalogue.hpp"

namespace halfopen::situation {
namespace {

/// "client: completed\nserver: shut_down"; one word if all say the same or one only was asked.
std::string reported_in(const three_views& v) {
  const auto differs = [&](const auto& r) { return r.second != v.reported.begin()->second; };
  if (v.reported.empty()) return "nothing";
  if (std::ranges::none_of(v.reported, differs)) return v.reported.begin()->second;
  std::string text;
  for (const auto& [who, said] : v.reported) text += (text.empty() ? "" : "\n") + who + ": " + said;
  return text;
}

/// What one of the three says in all rounds: once, or each with how often. `missing`
/// is said of a run that did not come so far.
template <class View>
std::string cell_of(const rounds& played, std::string_view missing, View&& view) {
  std::vector<std::pair<std::string, std::size_t>> found;
  for (const result* r : played) {
    std::string text = r->endings ? view(*r->endings) : std::string(missing);
    const auto had = std::ranges::find(found, text, &std::pair<std::string, std::size_t>::first);
    if (had == found.end())
      found.emplace_back(std::move(text), 1);
    else
      ++had->second;
  }
  if (found.size() == 1) return found[0].first;
  std::string text;
  for (const auto& [said, times] : found)
    text += (text.empty() ? "" : "\n") + std::to_string(times) + " of " + std::to_string(played.size()) +
            ": " + said;
  return text;
}

report::cell agreement_cell(const rounds& played) {
  const std::size_t agree = agreements_of(played);
  const bool all = agree == played.size();
  std::string text = all ? "yes" : "NO";
  if (played.size() > 1) text = std::to_string(agree) + " of " + std::to_string(played.size());
  return {text, all ? report::colour::green : report::colour::red};
}

/// Reasons, each with the variants to which it applies, in their order.
class footnotes {
 public:
  void add(const std::string& id, const rounds& played) {
    for (const result* r : played) {
      if (!r->endings) continue;
      for (const std::string& because : r->endings->because) {
        auto& ids = entry(because).second;
        if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
      }
    }
  }
  [[nodiscard]] std::string text(std::size_t width) const {
    std::string all;
    for (const auto& [because, ids] : entries_) {
      std::string line;
      for (const std::string& id : ids) line += (line.empty() ? "" : ", ") + id;
      for (const std::string& part : report::wrap(line + ": " + because, width)) all += part + "\n";
    }
    return all;
  }

 private:
  using note = std::pair<std::string, std::vector<std::string>>;
  note& entry(const std::string& because) {
    const auto had = std::ranges::find(entries_, because, &note::first);
    return had != entries_.end() ? *had : entries_.emplace_back(because, std::vector<std::string>{});
  }
  std::vector<note> entries_;
};

}  // namespace

std::string endings_table(std::span<const result> results, const report::canvas& where) {
  const bool repeated = std::ranges::any_of(results, [](const result& r) { return r.round > 1; });
  report::text_table table({{.heading = "variant", .min_width = 12},
                            {.heading = "what was done", .min_width = 15},
                            {.heading = "the packets tell", .min_width = 16},
                            {.heading = "the library reported", .min_width = 16},
                            {.heading = "agree", .min_width = repeated ? 12U : 5U}});
  table.make_compact();
  footnotes notes;
  for (const situation* s : all_situations()) {
    bool headed = false;
    for (const variant& v : s->variants) {
      const rounds played = rounds_of(results, s->name, v.name, "robust");
      if (played.empty()) continue;
      if (!std::exchange(headed, true)) table.add_group(heading_of(*s));
      table.add_row(
          {std::string(v.name),
           cell_of(played, "(the run did not come so far)", [](const three_views& e) { return e.done; }),
           cell_of(played, "-", [](const three_views& e) { return e.packets; }),
           cell_of(played, "-", reported_in), agreement_cell(played)});
      notes.add(std::string(s->name) + "/" + std::string(v.name), played);
    }
  }
  const std::string reasons = notes.text(where.width);
  if (table.empty()) return {};
  return where.width < report::narrow_below ? reasons
                                            : table.render(where) + (reasons.empty() ? "" : "\n" + reasons);
}

std::string agreements_in_words(std::span<const result> results) {
  std::size_t all = 0, agree = 0;
  for (const result& r : results) {
    if (r.pair != "robust") continue;
    ++all;
    if (r.endings && r.endings->agree) ++agree;
  }
  return all == 0 ? std::string() : std::to_string(agree) + " of " + std::to_string(all) + " agree";
}

report::cell views_cell(const rounds& played) {
  report::cell agreed = agreement_cell(played);
  agreed.text += ": " + cell_of(played, "(the run did not come so far)",
                                [](const three_views& v) { return in_words(v); });
  return agreed;
}

}  // namespace halfopen::situation
