// How connections end, on a scene's sheet: what was done is proved by packets when the
// script says so; what the programs say of it is read when the run is over, so that a
// word that comes late counts too.

#include <algorithm>

#include "situation/scene.hpp"

namespace halfopen::situation {

void scene::prove_ending(ending how, trace::culprit by, std::uint16_t at_port,
                         const trace::story_hints& hints) {
  if (const trace::connection* c = connection(at_port))
    prove_ending(how, by, *c, hints);
  else
    prove(false, "there is a connection");
}

void scene::prove_ending(ending how, trace::culprit by, const trace::connection& c,
                         const trace::story_hints& hints) {
  trace::story_hints all = hints;
  all.capture_end = lab::experiment::now();
  all.every_packet = true;
  all.names = {client.name(), server.name()};
  const trace::story told = trace::tell(c, all);
  sheet_.story = trace::describe(told);
  if (hints.owed_by_responder)  // what the capture alone cannot tell whoever reads it later
    sheet_.story.push_back("  the server owed " + std::to_string(*hints.owed_by_responder) + " bytes in all");
  const bool fits = packets_allow(how, told).agrees && told.by == by;
  std::string what = "so: " + std::string(to_string(told.could_be(how) || !fits ? how : told.how));
  if (!fits)
    what += ", but it was told as " + std::string(told.ended ? to_string(told.how) : "not ended") + " by " +
            std::string(trace::to_string(told.by));
  prove(fits, std::move(what));
  views_.push_back({how, told, {}});
}

std::vector<report_line> scene::reports(const lab::process& p, const trace::connection& c) const {
  const bool from_client = &p.where() == &client;
  const std::string name = from_client ? "server:" + std::to_string(c.responder.port) : c.opener.to_string();
  std::vector<report_line> lines = reported_endings(p.errors(), from_client ? "call" : "serve");
  std::erase_if(lines, [&](const report_line& l) { return l.connection != name && l.connection != "?"; });
  return lines;
}

bool scene::reports_orderly_close(const lab::process& p, std::uint16_t at_port) const {
  const trace::connection* c = connection(at_port);
  return c != nullptr &&
         std::ranges::any_of(reports(p, *c), [](const report_line& l) { return l.how == ending::completed; });
}

void scene::until_closed(std::uint16_t at_port) {
  const trace::connection* c = connection(at_port);
  if (c == nullptr) return;
  lab.until([c] { return c->of(trace::side::opener).fin && c->of(trace::side::responder).fin; }, soon);
}

void scene::reported_by(const lab::process& p) {
  if (naive() || views_.empty()) return;
  lab.until([&] { return !reports(p, views_.back().packets.what).empty(); }, soon);
  asked_.push_back({views_.size() - 1, &p, {}});
}

void scene::never_shown_to(const lab::process& p, std::string_view because) {
  if (naive() || views_.empty()) return;
  asked_.push_back({views_.size() - 1, &p, because});
}

void scene::compare_views() {
  if (naive() || views_.empty()) return;
  for (const asked& a : asked_) {
    connection_views& v = views_[a.about];
    v.programs.push_back({a.program->where().name(), reports(*a.program, v.packets.what), a.never_shown});
  }
  sheet_.endings = compare(views_);
  expect(sheet_.endings->agree, (sheet_.endings->agree ? "three views agree: " : "three views disagree: ") +
                                    in_words(*sheet_.endings));
}

}  // namespace halfopen::situation
