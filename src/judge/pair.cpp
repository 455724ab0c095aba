#include "judge/pair.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "report/whole_number.hpp"

namespace halfopen::judge {

std::string shape_of(std::string_view output) {
  std::string shape;
  for (const char c : output) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!digit)
      shape += c;
    else if (shape.empty() || shape.back() != '#')
      shape += '#';
  }
  return shape;
}

bool baseline::same_output(std::string_view now) const {
  if (!varies) return now == output;
  // Figures, dates and names differ from run to run: as many lines, and about as long.
  const auto lines = [](std::string_view s) { return std::ranges::count(s, '\n'); };
  const auto about = [](std::size_t a, std::size_t b) {
    return a <= b + b / 10 + 16 && b <= a + a / 10 + 16;
  };
  if (shape_of(now) == shape_of(output)) return true;
  return lines(now) == lines(output) && about(now.size(), output.size());
}

void to_json(nlohmann::json& j, const baseline& b) {
  j = {{"said", b.said},
       {"output_hex", to_hex(b.output)},
       {"varies", b.varies},
       {"packets", b.packets},
       {"took_ms", b.took.count()},
       {"start_ms", b.start.count()},
       {"reply_least", b.reply.least},
       {"reply_most", b.reply.most},
       {"no_replay_to_server", b.no_replay_to_server},
       {"no_replay_to_client", b.no_replay_to_client},
       {"concurrent", b.concurrent}};
}

void from_json(const nlohmann::json& j, baseline& b) {
  b.said = j.at("said").get<recording>();
  b.output = from_hex(j.at("output_hex").get<std::string>());
  j.at("varies").get_to(b.varies);
  b.packets = report::whole_number<std::size_t>(j.at("packets"));
  b.took = report::whole_milliseconds(j.at("took_ms"));
  b.start = report::whole_milliseconds(j.at("start_ms"));
  b.reply.least = report::whole_number<std::size_t>(j.at("reply_least"));
  b.reply.most = report::whole_number<std::size_t>(j.at("reply_most"));
  j.at("no_replay_to_server").get_to(b.no_replay_to_server);
  j.at("no_replay_to_client").get_to(b.no_replay_to_client);
  j.at("concurrent").get_to(b.concurrent);
}

}  // namespace halfopen::judge
