#ifndef HALFOPEN_PAIR_LINK_HPP
#define HALFOPEN_PAIR_LINK_HPP

/// One connection of the robust client: from the name to the last reply, or to a line on
/// stderr that says how it ended.

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "halfopen/stream.hpp"
#include "pair/dialogue.hpp"

namespace halfopen::pair {

class link {
 public:
  /// `changed` is called whenever one of the questions below may have another answer, and says
  /// whether all is done; `typed` sends what the user has typed by now, and is called before an end is told.
  link(const asio::any_io_executor& executor, std::string target, const call_options& options,
       std::function<bool()> changed, std::function<void()> typed);

  /// Connects, and takes replies until the connection ends.
  [[nodiscard]] asio::awaitable<void> run();
  /// Once connected: sends the request. `line` is what it came from.
  void send(std::string_view request, std::string_view line);
  /// All is answered and nothing more will be asked: closes, and tells so if asked to.
  void finish();

  /// Has ended, and was reported.
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// Connected, and every request is answered.
  [[nodiscard]] bool idle() const noexcept { return connection_ && waiting_.empty(); }
  /// Connected, and the pipeline takes one more request.
  [[nodiscard]] bool has_room() const noexcept;

 private:
  struct asked {
    std::string line;
    std::uint64_t begin;  // of its bytes in all that was ever sent
    std::uint64_t end;
    deadline limit;
  };

  [[nodiscard]] asio::awaitable<bool> open();
  [[nodiscard]] asio::awaitable<void> take_replies();
  [[nodiscard]] asio::awaitable<std::expected<void, fate>> flush();
  [[nodiscard]] asio::awaitable<void> write();
  [[nodiscard]] asio::awaitable<void> watch_the_time();
  [[nodiscard]] bool take_whole_replies();

  [[nodiscard]] phase where() const noexcept;
  [[nodiscard]] retry again() const noexcept;
  void fail(const fate& end);
  void tell(const fate& f) const;

  const call_options& options_;
  std::string target_, name_;
  std::function<bool()> changed_;
  std::function<void()> typed_;
  stream connection_;
  asking talk_;
  wire::byte_queue out_;
  std::uint64_t queued_ = 0;  // bytes that were ever put into out_
  std::deque<asked> waiting_;
  asio::steady_timer due_;  // the oldest request's limit
  std::optional<fate> write_failed_;
  bool writing_ = false;
  bool answered_ = false;  // at least one request was
  bool failed_ = false;
  std::string last_words_;  // what a fate's detail refers to
};

}  // namespace halfopen::pair

#endif
