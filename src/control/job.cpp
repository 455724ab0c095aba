#include "control/job.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "halfopen/lab/error.hpp"
#include "halfopen/lab/fault.hpp"
#include "play/words.hpp"

namespace halfopen::control {
namespace {

using judge::milliseconds;
using nlohmann::json;

json failed(const std::string& says) {
  return {{"ok", false}, {"error", {{"kind", "failed"}, {"says", says}}}};
}

milliseconds since(trace::time_point begun) {
  return std::chrono::round<milliseconds>(lab::experiment::now() - begun);
}

class done_job final : public job {
 public:
  explicit done_job(json answer) : answer_(std::move(answer)) {}
  std::optional<json> look() override { return answer_; }

 private:
  json answer_;
};

/// The last lines of what a program said, where it says why it ended.
std::string last_words(const lab::process& p) {
  const std::string& said = p.errors().empty() ? p.output() : p.errors();
  constexpr std::size_t most = 2000;
  return said.substr(said.size() - std::min(said.size(), most));
}

class ready_job final : public job {
 public:
  ready_job(judge::scene& s, std::string host, std::string role)
      : scene_(s), host_(std::move(host)), role_(std::move(role)), program_(*s.program(host_)) {}

  std::optional<json> look() override {
    if (const auto& end = program_.ended()) {
      json answer = failed(fmt::format("the command of host '{}' has ended: {}", host_,
                                       play::end_in_words(end->code, end->signal)));
      answer["error"]["output"] = last_words(program_);
      return answer;
    }
    if (scene_.is_ready(host_, role_)) {
      const auto took = since(begun_);
      return json{{"ok", true},
                  {"says", fmt::format("{} is ready after {}", host_, play::in_words(took))},
                  {"took_ms", took.count()}};
    }
    if (since(begun_) < scene_.description.clean_limit) return std::nullopt;
    return failed(fmt::format("host '{}' is not ready after {}; it goes on all the same", host_,
                              play::in_words(scene_.description.clean_limit)));
  }

 private:
  judge::scene& scene_;
  std::string host_, role_;
  lab::process& program_;
  trace::time_point begun_ = lab::experiment::now();
};

class empty_job final : public job {
 public:
  empty_job(lab::host& h, std::optional<milliseconds> grace) : host_(h), grace_(grace) {}

  std::optional<json> look() override {
    const bool ends_known =
        std::ranges::all_of(host_.processes(), [](const auto* p) { return p->ended().has_value(); });
    if (!host_.is_up() || (host_.is_empty() && ends_known)) {
      return json{{"ok", true},
                  {"says", fmt::format("no program is left on {}{}", host_.name(),
                                       killed_ ? "; SIGKILL had to end what SIGTERM did not" : "")},
                  {"took_ms", since(begun_).count()}};
    }
    if (grace_ && !killed_ && since(begun_) > *grace_) {
      lab::kill(host_);
      killed_ = true;
    }
    if (since(begun_) < grace_.value_or(milliseconds(0)) + milliseconds(30'000)) return std::nullopt;
    return failed("the programs of " + host_.name() + " do not end");
  }

 private:
  lab::host& host_;
  std::optional<milliseconds> grace_;
  bool killed_ = false;
  trace::time_point begun_ = lab::experiment::now();
};

class ask_job final : public job {
 public:
  ask_job(judge::scene& s, judge::probe_kind what, const std::string& command,
          const std::optional<judge::usual_answer>& usual)
      : asker_(s.user, s.kept_waiting(), what, command, s.description.environment, s.description.limit) {
    if (usual) asker_.expect(*usual);
    asker_.ask_now();
  }

  std::optional<json> look() override {
    std::vector<judge::ask> ended;
    asker_.look(ended);
    if (ended.empty()) return std::nullopt;
    const judge::ask& a = ended.front();
    return json{{"ok", true},
                {"ask",
                 {{"what", to_string(a.what)},
                  {"how", to_string(a.how)},
                  {"took_ms", a.took.count()},
                  {"exit", a.code},
                  {"signal", a.signal},
                  {"says", a.says},
                  {"output", asker_.last_output()},
                  {"errors", asker_.last_errors()}}}};
  }

  void give_up() override {
    std::vector<judge::ask> nobody;
    asker_.give_up(nobody);
  }

 private:
  judge::asker asker_;
};

class command_job final : public job {
 public:
  command_job(lab::host& h, std::vector<std::string> argv, std::vector<std::string> environment,
              const std::string& input, std::function<void(const json&)> tell)
      : tell_(std::move(tell)) {
    lab::program what;
    what.argv = std::move(argv);
    what.environment = std::move(environment);
    program_ = &h.start(std::move(what));
    program_->type(input);
    program_->close_input();
  }

  std::optional<json> look() override {
    const auto end = program_->ended();  // looked at first: what it said before that is there by then
    pass_on("output", program_->output(), output_);
    pass_on("errors", program_->errors(), errors_);
    if (!end) return std::nullopt;
    return json{{"ok", true}, {"exit", end->code}, {"signal", end->signal}};
  }

  void give_up() override {
    // A program of the lab is a session of its own: the command and what it has started.
    if (!program_->ended()) ::kill(-program_->pid(), SIGKILL);
  }

 private:
  void pass_on(const char* stream, const std::string& said, std::size_t& told) {
    constexpr std::size_t most = 48U << 10;
    for (; told < said.size(); told += std::min(most, said.size() - told))
      tell_({{"stream", stream}, {"base64", to_base64(std::string_view(said).substr(told, most))}});
  }

  std::function<void(const json&)> tell_;
  lab::process* program_ = nullptr;
  std::size_t output_ = 0, errors_ = 0;
};

constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::unique_ptr<job> done(json answer) {
  return std::make_unique<done_job>(std::move(answer));
}
std::unique_ptr<job> done(const std::string& says) {
  return done(json{{"ok", true}, {"says", says}});
}
std::unique_ptr<job> until_ready(judge::scene& s, std::string host, std::string role) {
  return std::make_unique<ready_job>(s, std::move(host), std::move(role));
}
std::unique_ptr<job> until_empty(lab::host& h, std::optional<milliseconds> grace) {
  return std::make_unique<empty_job>(h, grace);
}
std::unique_ptr<job> one_ask(judge::scene& s, judge::probe_kind what,
                             const std::optional<judge::usual_answer>& usual) {
  const judge::probe_commands& commands = s.description.ask;
  const std::string& command = what == judge::probe_kind::probe    ? commands.probe
                               : what == judge::probe_kind::health ? commands.health
                                                                   : commands.other;
  if (command.empty())
    return done(json{
        {"ok", false},
        {"error",
         {{"kind", "wrong_state"},
          {"says", fmt::format("the settings file has no command for '{}' in [probe]", to_string(what))}}}});
  return std::make_unique<ask_job>(s, what, command, usual);
}
std::unique_ptr<job> command_on(lab::host& h, std::vector<std::string> argv,
                                std::vector<std::string> environment, const std::string& input,
                                std::function<void(const json&)> tell) {
  return std::make_unique<command_job>(h, std::move(argv), std::move(environment), input, std::move(tell));
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : base64_letters[group >> (18U - 6U * k) & 63U];
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    std::size_t padding = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const char c = text[i + k];
      const auto value = base64_letters.find(c);
      if (c == '=' && k >= 2 && i + 4 == text.size())
        ++padding;
      else if (value == std::string_view::npos || padding > 0)
        return std::nullopt;
      group = group << 6U | (c == '=' ? 0U : static_cast<std::uint32_t>(value));
    }
    for (std::size_t k = 0; k + padding < 3; ++k)
      bytes += static_cast<char>(static_cast<unsigned char>(group >> (16U - 8U * k)));
  }
  return bytes;
}

}  // namespace halfopen::control
