// The client that survives the seven situations, on the library: a coroutine for the user,
// and one for each connection (link.hpp), so that a FIN or RST is told when it comes and not
// one request later.
//
// When the last reply is there and the input has ended, it is done, whatever the servers
// did after that.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <memory>
#include <vector>

#include "pair/kinds.hpp"
#include "pair/link.hpp"
#include "pair/user_input.hpp"

namespace halfopen::pair {
namespace {

class client {
 public:
  explicit client(const call_options& options)
      : options_(options),
        input_(context_.get_executor(), STDIN_FILENO, options.max_line),
        changed_(context_) {
    for (const std::string& target : options.targets)
      links_.push_back(std::make_unique<link>(
          context_.get_executor(), target, options, [this] { return on_change(); },
          [this] { ask_what_is_here(); }));
  }

  int run() {
    for (const auto& l : links_) asio::co_spawn(context_, l->run(), asio::detached);
    asio::co_spawn(context_, listen_to_the_user(), asio::detached);
    context_.run();
    const bool lost = std::ranges::any_of(links_, [](const auto& l) { return l->failed(); });
    for (const auto& l : links_) l->finish();
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
      fmt::print(stderr, "call: the replies could not be written to stdout\n");
      return 1;
    }
    return lost || input_wrong_ ? 1 : 0;
  }

 private:
  asio::awaitable<void> listen_to_the_user() {
    while (!input_.ended()) {
      if (!room()) {
        asio::error_code woken;
        changed_.expires_at(deadline::clock::time_point::max());
        co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        continue;
      }
      ask_what_is_here();
      if (room() && !input_.ended()) co_await input_.wait();
    }
    on_change();
  }

  /// Sends what was typed, as far as there is room: the slowest connection sets the pace.
  void ask_what_is_here() {
    while (room()) {
      const auto line = input_.take_line();
      if (!line) break;
      ask(*line);
    }
    if (input_.wrong() && !input_wrong_) {
      fmt::print(stderr, "call: stdin: {}\n", describe(*input_.wrong()));
      input_wrong_ = true;
    }
  }

  void ask(std::string_view line) {
    const auto request = asking::encode(options_, line);
    if (!request) {
      fmt::print(stderr, "call: invalid input: {}\n", request.error());
      input_wrong_ = true;
      return;
    }
    for (const auto& l : links_)
      if (!l->failed()) l->send(*request, line);
  }

  [[nodiscard]] bool room() const {
    return std::ranges::all_of(links_, [](const auto& l) { return l->failed() || l->has_room(); });
  }

  /// Whether all is done.
  bool on_change() {
    changed_.cancel();
    const bool all_failed = std::ranges::all_of(links_, [](const auto& l) { return l->failed(); });
    const bool all_said = std::ranges::all_of(links_, [](const auto& l) { return l->failed() || l->idle(); });
    const bool done = all_failed || (input_.ended() && all_said);
    if (done) context_.stop();
    return done;
  }

  const call_options& options_;
  asio::io_context context_{1};
  user_input input_;
  asio::steady_timer changed_;
  std::vector<std::unique_ptr<link>> links_;
  bool input_wrong_ = false;
};

}  // namespace

int call_robustly(const call_options& options) {
  return client{options}.run();
}

}  // namespace halfopen::pair
