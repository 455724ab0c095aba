#include "judge/pair.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "report/whole_number.hpp"

namespace halfopen::judge {

lab::program server_program(const pair& who) {
  lab::program made;
  made.argv = {"/bin/sh", "-c", who.server_command};
  made.environment = who.environment;
  return made;
}

lab::program client_program(const pair& who) {
  lab::program made;
  made.environment = who.environment;
  if (who.terminal) {
    made.argv = {"script", "--quiet",   "--return",         "--flush",  "--echo",
                 "never",  "--command", who.client_command, "/dev/null"};
    made.environment.emplace_back("SHELL=/bin/sh");  // which is what it runs the command by
  } else {
    made.argv = {"/bin/sh", "-c", who.client_command};
  }
  return made;
}

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

namespace {

/// Figures differ from run to run; where more does, such as names: as many lines, and about as long.
bool alike(std::string_view one, std::string_view other, bool same_shape) {
  const auto lines = [](std::string_view s) { return std::ranges::count(s, '\n'); };
  const auto about = [](std::size_t a, std::size_t b) { return a <= b + b / 10 + 4 && b <= a + a / 10 + 4; };
  if (same_shape || shape_of(one) == shape_of(other)) return shape_of(one) == shape_of(other);
  return lines(one) == lines(other) && about(one.size(), other.size());
}

}  // namespace

bool baseline::same_output(std::string_view now) const {
  return varies ? alike(now, output, same_shape) : now == output;
}

bool baseline::answered_as_ever(std::string_view now) const {
  if (now == output || now == output_again) return true;
  return (varies || output_again != output) &&
         (alike(now, output, same_shape) || alike(now, output_again, same_shape));
}

std::optional<std::size_t> baseline::request_turn(std::size_t n) const {
  const auto all = said.main().requests();
  const std::size_t index = n == 0 ? last_awaited : n - 1;
  if (index >= all.size()) return std::nullopt;
  return all[index];
}

std::optional<std::size_t> baseline::request_to_server() const {
  return no_replay_to_server.empty() ? said.main().request() : request_turn(0);
}

baseline baseline::falling_on(std::size_t connection) const {
  baseline made = *this;
  if (connection == 0 || connection > said.connections.size()) return made;
  const std::size_t index = connection - 1;
  made.said.chosen = index;
  const auto requests = made.said.main().requests().size();
  if (by_chance || requests == 0)
    made.last_awaited = 0;
  else
    made.last_awaited = index < last_awaited_on.size() ? last_awaited_on[index] : requests - 1;
  return made;
}

void to_json(nlohmann::json& j, const baseline& b) {
  j = {{"said", b.said},
       {"output_hex", to_hex(b.output)},
       {"output_again_hex", to_hex(b.output_again)},
       {"varies", b.varies},
       {"same_shape", b.same_shape},
       {"last_awaited", b.last_awaited},
       {"last_awaited_on", b.last_awaited_on},
       {"by_chance", b.by_chance},
       {"cost_ms", b.cost.count()},
       {"packets", b.packets},
       {"took_ms", b.took.count()},
       {"start_ms", b.start.count()},
       {"client_differs", b.client_differs},
       {"server_differs", b.server_differs},
       {"reply_varies", b.reply_varies},
       {"reply_least", b.reply.least},
       {"reply_most", b.reply.most},
       {"no_replay_to_server", b.no_replay_to_server},
       {"no_replay_to_client", b.no_replay_to_client},
       {"replay_in_segments", b.replay_in_segments},
       {"concurrent", b.concurrent}};
}

void from_json(const nlohmann::json& j, baseline& b) {
  b.said = j.at("said").get<recording>();
  b.output = from_hex(j.at("output_hex").get<std::string>());
  b.output_again = from_hex(j.at("output_again_hex").get<std::string>());
  j.at("varies").get_to(b.varies);
  j.at("same_shape").get_to(b.same_shape);
  b.last_awaited = report::whole_number<std::size_t>(j.at("last_awaited"));
  for (const auto& one : j.at("last_awaited_on"))
    b.last_awaited_on.push_back(report::whole_number<std::size_t>(one));
  j.at("by_chance").get_to(b.by_chance);
  b.cost = report::whole_milliseconds(j.at("cost_ms"));
  b.packets = report::whole_number<std::size_t>(j.at("packets"));
  b.took = report::whole_milliseconds(j.at("took_ms"));
  b.start = report::whole_milliseconds(j.at("start_ms"));
  b.client_differs = report::whole_number<std::size_t>(j.at("client_differs"));
  b.server_differs = report::whole_number<std::size_t>(j.at("server_differs"));
  j.at("reply_varies").get_to(b.reply_varies);
  b.reply.least = report::whole_number<std::size_t>(j.at("reply_least"));
  b.reply.most = report::whole_number<std::size_t>(j.at("reply_most"));
  j.at("no_replay_to_server").get_to(b.no_replay_to_server);
  j.at("no_replay_to_client").get_to(b.no_replay_to_client);
  j.at("replay_in_segments").get_to(b.replay_in_segments);
  j.at("concurrent").get_to(b.concurrent);
}

}  // namespace halfopen::judge
