// Properties: any line is a request or refused with a reason; what was read is written to a line that reads
// to the same; any words are a deed, which its words give again, or refused; nothing that is shown holds a
// control character of the input's.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "control/job.hpp"
#include "control/publication.hpp"
#include "control/request.hpp"

namespace {

using namespace halfopen::control;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_harmless(const std::string& text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\n'; });
}

const known_names known{{"db", "app", "job-queue", "a", "b-c", "a-b", "c"}, {{"app", "db"}}};

void check_deed(const std::vector<std::string>& words) {
  const auto d = read_deed(words, known);
  if (!d) return require(!d.error().says.empty() && is_harmless(d.error().says));
  std::vector<std::string> again;
  std::string text = in_words(*d) + " ";
  for (std::size_t end; (end = text.find(' ')) != std::string::npos; text.erase(0, end + 1))
    again.push_back(text.substr(0, end));
  const auto same = read_deed(again, known);
  require(same && same->what == d->what && same->host == d->host && same->link == d->link &&
          same->by == d->by && same->after_bytes == d->after_bytes && same->back == d->back);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto r = read_request(text)) {
    const std::string line = to_line(*r);
    const auto again = read_request(line.substr(0, line.size() - 1));
    require(again && to_line(*again) == line);
    if (const auto* d = std::get_if<do_request>(&r->what)) check_deed(d->words);
  } else {
    require(!r.error().says.empty() && is_harmless(r.error().says));
  }
  std::vector<std::string> words(1);
  for (const char c : text)
    if (c == ' ')
      words.emplace_back();
    else
      words.back() += c;
  check_deed(words);
  if (const auto p = read_publication(text)) require(p->port != 0 && !p->host.empty());
  if (const auto bytes = from_base64(text)) require(from_base64(to_base64(*bytes)) == bytes);
  return 0;
}
