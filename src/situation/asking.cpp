#include "situation/asking.hpp"

#include <charconv>
#include <cstdio>

namespace halfopen::situation {

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  char digits[4];
  for (const std::byte b : bytes) {
    std::snprintf(digits, sizeof digits, "%s%02x", text.empty() ? "" : " ", static_cast<unsigned>(b));
    text += digits;
  }
  return text;
}

void prove_orderly_end(scene& s, const lab::process& server, const lab::process* c, std::uint16_t port) {
  s.until_closed(port);
  s.prove_ending(ending::completed, trace::culprit::opener, port);
  if (c != nullptr) s.reported_by(*c);
  s.reported_by(server);
}

asked ask(scene& s, const std::vector<std::string>& service, std::uint16_t port) {
  lab::process& c = s.call(service, {port});
  c.type(std::string(question) + "\n");
  const bool sent = s.lab.before(lab::from(s.client) && lab::payload(), scene::soon);
  std::string bytes = hex(s.lab.current().tcp.payload);
  s.prove(sent, "packet " + std::to_string(s.lab.packets()) + ": " + bytes);
  s.lab.until([&] { return c.output().ends_with('\n') || c.ended(); }, scene::soon);
  return {c, std::move(bytes)};
}

std::string answer_of(const lab::process& c) {
  std::string answer = c.output();
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return answer.empty() ? "no answer: " + last_error(c) : answer;
}

bool is_number(const std::string& answer) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(answer.data(), answer.data() + answer.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == answer.data() + answer.size();
}

explicit_answer ask_in_explicit_format(scene& s, const std::string& format, std::uint16_t port) {
  const lab::process& server = s.serve({"sum", "--format", format}, port);
  asked a = ask(s, {"sum", "--format", format}, port);
  std::string answer = answer_of(a.by);
  a.by.close_input();
  prove_orderly_end(s, server, &a.by, port);
  s.expect(answer == answer_is, "as " + format + ": the right sum");
  return {std::move(answer), std::move(a.sent)};
}

}  // namespace halfopen::situation
