#include "judge/system/usual_request.hpp"

#include <algorithm>
#include <tuple>

namespace halfopen::judge {

using namespace std::chrono_literals;

/// Each different thing that the service says in an ask of this command alone.
std::optional<std::vector<std::string>> usual_request::said_in_an_ask(asker& a) const {
  const auto began = lab::experiment::now();
  const bool served = on_.world.ask_alone(a).how == ask_end::served;
  on_.world.go_on(20ms);
  if (!served) return std::nullopt;
  return on_.packets.said(began);
}

link_traffic::repeats usual_request::like(const std::string& shape, trace::time_point since) const {
  return on_.packets.requests_like(shape, since);
}

/// The last of several does what the ask is for: a BEGIN comes first.
usual_request::usual_request(const judged_link& on) : on_(on) {
  std::vector<std::string> of_others;
  for (asker& a : on.world.askers)
    if (a.what() != probe_kind::probe)
      for (std::string& shape : said_in_an_ask(a).value_or(std::vector<std::string>{}))
        of_others.push_back(std::move(shape));
  std::vector<std::pair<std::string, std::size_t>> candidates;
  for (int i = 0; i < 3; ++i) {
    const auto began = lab::experiment::now();
    const auto said = said_in_an_ask(on.world.probe());
    if (!said) return;
    if (i == 0)
      for (const std::string& shape : *said)
        if (std::ranges::count(of_others, shape) == 0)
          candidates.emplace_back(shape, like(shape, began).arrived);
    std::erase_if(candidates, [&](const auto& known) {
      return known.second == 0 || known.second != like(known.first, began).arrived;
    });
  }
  if (!candidates.empty()) std::tie(shape_, an_ask_) = candidates.back();
}

std::optional<request_count> usual_request::said_since(trace::time_point when) const {
  if (an_ask_ == 0) return std::nullopt;
  const auto all = like(shape_, when);
  request_count r;
  r.arrived = all.arrived;
  r.first_packet = all.first;
  r.again_packet = all.last;
  r.asks =
      an_ask_ * static_cast<std::size_t>(std::ranges::count(on_.world.asks, probe_kind::probe, &ask::what));
  return r;
}

}  // namespace halfopen::judge
