#ifndef HALFOPEN_SRC_CONTROL_SERVER_HPP
#define HALFOPEN_SRC_CONTROL_SERVER_HPP

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "halfopen/lab/experiment.hpp"
#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::control {

/// Those who hold the reins: takes their lines while the experiment waits, and keeps them until somebody has
/// time. Must not outlive the experiment. Not thread-safe.
class server {
 public:
  using client = std::uint64_t;  ///< none has the number of an earlier one
  struct incoming {
    client from;
    std::string line;
  };

  server(lab::experiment& lab, lab::unique_fd listener);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  [[nodiscard]] bool has_line() const noexcept { return !lines_.empty(); }
  [[nodiscard]] std::optional<incoming> next();
  /// One line, at once or as the client reads. One that has gone, or does not read, is told nothing. One that
  /// will ask no more (shutdown(2)) hears the end when each of its lines has an answer, which has "ok".
  void tell(client to, const nlohmann::json& what);
  [[nodiscard]] bool is_there(client c) const noexcept { return clients_.contains(c); }
  /// Lets what was told go out, for a moment at most.
  void finish();

 private:
  struct line {
    lab::unique_fd socket;
    std::string in, out;
    bool at_end = false;         ///< it will say no more
    std::size_t unanswered = 0;  ///< of its lines
    [[nodiscard]] bool is_done() const noexcept { return at_end && unanswered == 0 && out.empty(); }
  };
  void accept_all();
  void on_event(client c, std::uint32_t events);
  void take(client c, line& l, std::string text);
  bool read(client c, line& l);
  bool write(line& l);
  void watch(client c, line& l);
  void forget(client c);

  lab::experiment& lab_;
  lab::unique_fd listener_;
  std::map<client, line> clients_;
  std::deque<incoming> lines_;
  client last_ = 0;
};

}  // namespace halfopen::control

#endif
