#include "cli/clock_options.hpp"

#include <charconv>
#include <csignal>

#include "cli/usage_error.hpp"

namespace halfopen::cli {
namespace {

volatile std::sig_atomic_t asked_to_stop = 0;
int alive = 0;
constexpr int stopping[]{SIGINT, SIGTERM, SIGHUP};

std::chrono::milliseconds seconds(double s) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(s * 1000));
}

/// A number of just that many digits, which are taken off the text.
std::optional<int> take_digits(std::string_view& text, std::size_t count) noexcept {
  int value = 0;
  const char* end = text.data() + std::min(count, text.size());
  const auto read = std::from_chars(text.data(), end, value);
  if (text.size() < count || text.front() == '-' || read.ec != std::errc{} || read.ptr != end) return {};
  text.remove_prefix(count);
  return value;
}

bool take_char(std::string_view& text, char c) noexcept {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<std::chrono::sys_days> parse_date(std::string_view text) noexcept {
  const auto year = take_digits(text, 4);
  if (!year || !take_char(text, '-')) return {};
  const auto month = take_digits(text, 2);
  if (!month || !take_char(text, '-')) return {};
  const auto day = take_digits(text, 2);
  if (!day || !text.empty()) return {};
  const auto date = std::chrono::year(*year) / *month / *day;
  // The kernel counts nanoseconds from 1970 in 63 bits.
  if (!date.ok() || *year < 1970 || *year > 2199) return {};
  return std::chrono::sys_days(date);
}

std::chrono::sys_seconds beginning(const guest_arguments& arguments,
                                   std::chrono::system_clock::time_point now) {
  if (arguments.date) return *arguments.date;
  return std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1) - std::chrono::seconds(1);
}

void check_date(const guest_arguments& arguments, std::string_view clock) {
  if (arguments.date && clock == "real")
    throw usage_error("--date is for the virtual clock; the real one is what it is");
}

void add_guest_options(CLI::App& verb, guest_arguments& arguments) {
  verb.add_option("--memory", arguments.memory_mb, "virtual clock: memory of a guest, at most")
      ->check(CLI::Range(64, 65536).description(""))
      ->type_name("MB")
      ->capture_default_str();
  verb.add_option("--real-limit", arguments.real_limit,
                  "virtual clock: a guest is ended after that much real time; 0: never")
      ->check(CLI::Range(0.0, 1e6).description(""))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option(
          "--standstill-limit", arguments.standstill_limit,
          "virtual clock: ... or after that much of it in which the guest's time does not move; 0: never")
      ->check(CLI::Range(0.0, 1e6).description(""))
      ->type_name("SECONDS")
      ->capture_default_str();
  verb.add_option_function<std::string>(
          "--date",
          [&arguments](const std::string& text) {
            arguments.date = parse_date(text);
            if (!arguments.date)
              throw CLI::ValidationError("--date",
                                         "'" + text + "' is no day of 1970 to 2199, as 2026-02-28 is");
          },
          "virtual clock: the day on which a guest begins, at midnight UTC; default: today, in its last "
          "second")
      ->type_name("YYYY-MM-DD");
  verb.add_option("--seed", arguments.seed, "of everything random inside a guest of the virtual clock")
      ->capture_default_str();
}

clock::guest_options options_of(const guest_arguments& arguments) {
  clock::guest_options how;
  how.memory_mb = arguments.memory_mb;
  how.real_limit = seconds(arguments.real_limit);
  how.standstill_limit = seconds(arguments.standstill_limit);
  how.seed = arguments.seed;
  how.begins = beginning(arguments, std::chrono::system_clock::now());
  if (arguments.plain) how.speed = clock::computing::takes_time;
  return how;
}

stop_signals::stop_signals() {
  if (alive++ == 0) asked_to_stop = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { asked_to_stop = 1; };
  for (std::size_t i = 0; i < std::size(stopping); ++i) {
    ::sigaction(stopping[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN)
      ::sigaction(stopping[i], &action, nullptr);  // nohup(1) is respected
  }
}

stop_signals::~stop_signals() {
  --alive;
  for (std::size_t i = 0; i < std::size(stopping); ++i) ::sigaction(stopping[i], &before_[i], nullptr);
}

bool stop_signals::asked() noexcept {
  return asked_to_stop != 0;
}

}  // namespace halfopen::cli
