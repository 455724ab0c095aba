// The client that survives the seven situations, on poll() and nothing else: one loop
// watches the user and every connection (link.hpp) at once, so that a FIN or RST is
// told when it comes and not one request later.
//
// The order within a round is the user first: what was typed before the connection's
// end was known is still sent, and what the write says counts. And when the last reply
// is there and the input has ended, it is done, whatever the server did after that.
//
// stdin stays blocking: O_NONBLOCK belongs to the open file, which other processes may
// share (open(2)); a read() after poll() said so does not block for a pipe or terminal.

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <vector>

#include "halfopen/wire/text.hpp"
#include "pair/kinds.hpp"
#include "pair/link.hpp"

namespace halfopen::pair {
namespace {

class client {
 public:
  explicit client(const call_options& options) : options_(options), input_(options.max_line) {
    for (const std::string& target : options.targets)
      links_.push_back(std::make_unique<link>(target, options));
  }

  int run() {
    for (const auto& l : links_) l->open(clock::now());
    while (!done()) round();
    const bool lost = std::ranges::any_of(links_, [](const auto& l) { return l->failed(); });
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
      fmt::print(stderr, "call: the replies could not be written to stdout\n");
      return 1;
    }
    return lost || input_wrong_ ? 1 : 0;
  }

 private:
  void round() {
    const bool listens = wants_input();
    std::vector<pollfd> watched{{listens ? STDIN_FILENO : -1, POLLIN, 0}};
    for (const auto& l : links_) watched.push_back(l->watch());
    if (::poll(watched.data(), watched.size(), patience()) < 0) return;  // EINTR

    if (watched[0].revents != 0) {
      read_input();
      ask();
      if (done()) return;
    }
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const auto now = clock::now();
      if (const int revents = watched[i + 1].revents; revents != 0) links_[i]->on_ready(revents, now);
      links_[i]->on_time(now);
    }
    std::fflush(stdout);
    ask();  // the replies made room
  }

  [[nodiscard]] bool done() const {
    if (std::ranges::all_of(links_, [](const auto& l) { return l->failed(); })) return true;
    return input_ended_ &&
           std::ranges::all_of(links_, [](const auto& l) { return l->failed() || l->idle(); });
  }

  // Whether each connection can take a request now. The slowest sets the pace.
  [[nodiscard]] bool room() const {
    return std::ranges::all_of(links_, [](const auto& l) { return l->failed() || l->has_room(); });
  }

  [[nodiscard]] bool wants_input() const { return !input_ended_ && room(); }

  void read_input() {
    std::array<char, 65536> bytes;
    const ssize_t size = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size > 0)
      input_.feed({bytes.data(), static_cast<std::size_t>(size)});
    else
      input_closed_ = true;
  }

  // Sends what was typed, as far as there is room.
  void ask() {
    while (!input_ended_ && room()) {
      const auto line = input_.next();
      if (!line) {
        fmt::print(stderr, "call: stdin: {}\n", describe(line.error()));
        input_wrong_ = input_ended_ = true;
      } else if (*line) {
        ask(**line);
      } else if (!input_closed_) {
        return;
      } else {
        input_ended_ = true;
        if (input_.mid_message()) ask(input_.rest());  // a last line without its LF
      }
    }
  }

  void ask(std::string_view line) {
    const auto request = asking::encode(options_, line);
    if (!request) {
      fmt::print(stderr, "call: invalid input: {}\n", request.error());
      input_wrong_ = true;
      return;
    }
    const auto now = clock::now();
    for (const auto& l : links_)
      if (!l->failed()) l->send(*request, line, now);
  }

  // Until the next deadline, for poll(): rounded up, lest it spin through the last millisecond.
  [[nodiscard]] int patience() const {
    auto next = clock::time_point::max();
    for (const auto& l : links_) next = std::min(next, l->deadline());
    if (next == clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  const call_options& options_;
  std::vector<std::unique_ptr<link>> links_;
  wire::text::framer input_;
  bool input_closed_ = false;  // by whoever writes it; lines may be left in input_
  bool input_ended_ = false;   // and none is
  bool input_wrong_ = false;
};

}  // namespace

int call_robustly(const call_options& options) {
  return client{options}.run();
}

}  // namespace halfopen::pair
