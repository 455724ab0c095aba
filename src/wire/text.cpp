// Numbers as text: the first of the two cures for machines that disagree on byte
// order, on the size of a long and on padding. The costs are a parser that has to
// be strict, and messages without a length, so a limit must end a line that never
// ends.
//
// The parser is std::from_chars: no locale, no white space skipped, no '+', and
// out-of-range told from malformed. sscanf("%ld") has undefined behaviour for a
// number out of range (C23 7.23.6.2p10); strtol skips white space of any kind and
// takes '+'.

#include "halfopen/wire/text.hpp"

#include <charconv>
#include <system_error>

namespace halfopen::wire::text {
namespace {

std::expected<std::int64_t, decode_error> decode_integer(std::string_view digits) noexcept {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  // Both may be wrong ("99999999999999999999x"): what is no number is not out of range.
  if (end != digits.data() + digits.size()) return std::unexpected(decode_error::not_a_number);
  if (code == std::errc::result_out_of_range) return std::unexpected(decode_error::out_of_range);
  if (code != std::errc{}) return std::unexpected(decode_error::not_a_number);
  return value;
}

constexpr std::string_view error_prefix = "error ";

}  // namespace

std::expected<std::optional<std::string_view>, decode_error> framer::next() {
  if (failed_) return std::unexpected(*failed_);
  const auto fail = [this](decode_error e) {
    failed_ = e;
    return std::unexpected(e);
  };

  // Never look beyond the limit: a line that is too long is so even if its LF came
  // in the same read, else the outcome would depend on the segments.
  std::string_view window = held_.view();
  const bool full = window.size() > limit_;
  if (full) window = window.substr(0, limit_ + 1);

  const std::string_view fresh = window.substr(scanned_);
  const std::size_t newline = fresh.find('\n');
  if (fresh.substr(0, newline).find('\0') != std::string_view::npos) return fail(decode_error::nul_byte);
  if (newline != std::string_view::npos) {
    const std::string_view line = window.substr(0, scanned_ + newline);
    held_.consume(line.size() + 1);
    scanned_ = 0;
    return line;
  }
  if (full) return fail(decode_error::too_long);
  scanned_ = window.size();
  return std::nullopt;
}

std::expected<sum_request, decode_error> decode_request(std::string_view line) noexcept {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::unexpected(decode_error::not_a_number);
  const auto first = decode_integer(line.substr(0, space));
  const auto second = decode_integer(line.substr(space + 1));
  for (const auto* number : {&first, &second})
    if (!*number && number->error() == decode_error::not_a_number) return std::unexpected(number->error());
  if (!first) return std::unexpected(first.error());
  if (!second) return std::unexpected(second.error());
  return sum_request{*first, *second};
}

std::expected<sum_reply, decode_error> decode_reply(std::string_view line) noexcept {
  if (line.starts_with(error_prefix)) {
    const auto error = parse_sum_error(line.substr(error_prefix.size()));
    if (!error) return std::unexpected(decode_error::bad_code);
    return sum_reply{std::unexpected(*error)};
  }
  const auto sum = decode_integer(line);
  if (!sum) return std::unexpected(sum.error());
  return sum_reply{*sum};
}

std::string encode(sum_request request) {
  return std::to_string(request.first) + ' ' + std::to_string(request.second) + '\n';
}

std::string encode(const sum_reply& reply) {
  if (reply) return std::to_string(*reply) + '\n';
  return std::string{error_prefix}.append(to_string(reply.error())) += '\n';
}

}  // namespace halfopen::wire::text
