// Properties: a report of any bytes is read or refused, and what was read can be written in
// every format; JSON written from it reads back to the same JSON.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "judge/document.hpp"
#include "judge/text_report.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace halfopen::judge;
  auto read = from_json_document(std::string(reinterpret_cast<const char*>(data), size));
  if (!read) {
    if (read.error().empty()) std::abort();
    return 0;
  }
  const auto pairs = merge(std::move(*read));
  const std::string once = to_json_document(pairs, "fuzz");
  const auto again = from_json_document(once);
  if (!again || to_json_document(*again, "fuzz") != once) std::abort();
  for (const bool strict : {false, true})
    if (to_junit(pairs, strict).empty()) std::abort();
  if (to_html(pairs).find("<script") != std::string::npos) std::abort();
  for (const judgement& p : pairs)
    for (const std::size_t width : {80U, 140U, 160U}) {
      const std::string text = summary_table(p, {.width = width}) + shortcomings(p, {.width = width});
      if (text.find('\x1b') != std::string::npos) std::abort();
    }
  return 0;
}
