#include "cli/clock_options.hpp"

#include <csignal>

namespace halfopen::cli {
namespace {

volatile std::sig_atomic_t asked_to_stop = 0;
int alive = 0;
constexpr int stopping[]{SIGINT, SIGTERM, SIGHUP};

std::chrono::milliseconds seconds(double s) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(s * 1000));
}

}  // namespace

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
  verb.add_option("--seed", arguments.seed, "of everything random inside a guest of the virtual clock")
      ->capture_default_str();
}

clock::guest_options options_of(const guest_arguments& arguments) {
  clock::guest_options how;
  how.memory_mb = arguments.memory_mb;
  how.real_limit = seconds(arguments.real_limit);
  how.standstill_limit = seconds(arguments.standstill_limit);
  how.seed = arguments.seed;
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
