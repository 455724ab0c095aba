#ifndef HALFOPEN_SRC_AUTOPSY_SUMMARY_HPP
#define HALFOPEN_SRC_AUTOPSY_SUMMARY_HPP

/// What is kept of many stories: counts, and the worst of them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "autopsy/timeline.hpp"
#include "halfopen/trace/story_stream.hpp"

namespace halfopen::autopsy {

/// How bad an end is: 0 for one that both sides wanted, up to 100. First how much a program
/// suffers from it (one that waits for a vanished peer hangs; one that is refused knows at
/// once), not how rare it is.
[[nodiscard]] int badness(const trace::story& s) noexcept;

/// Whether `a` stands above `b` in a list: worse, then longer half-open, then earlier.
[[nodiscard]] bool is_worse(const trace::file_entry& a, const trace::file_entry& b) noexcept;

/// Counts of the connections with one ending.
struct ending_count {
  std::uint64_t connections = 0;
  std::array<std::uint64_t, 6> by{};  ///< by culprit
  std::chrono::nanoseconds longest_half_open{};
};

/// Counts of the connections of one host.
struct host_count {
  std::uint64_t opened = 0, answered = 0;  ///< as opener, as responder
  std::uint64_t died = 0;                  ///< of them, ended other than by completed
  std::uint64_t killed = 0;                ///< of those, ended by this host
  std::uint64_t silent = 0;                ///< of those, because it did not answer
};

/// Connections with the same story: ending, culprit, manners, and who was asked.
struct story_group {
  std::uint64_t connections = 0;
  trace::file_entry example;          ///< the worst of them
  trace::time_point first{}, last{};  ///< when the first and the last of them ended
  trace::ip_address opener;
  bool several_openers = false, several_ports = false, several_responders = false;
};

/// Bounded memory, however many stories are added. Not thread-safe.
class summary {
 public:
  /// Keeps the `worst` worst stories; all of them if it is 0.
  explicit summary(std::size_t worst) : most_{worst} {}

  void add(trace::file_entry&& c);

  /// The worst, the worst of all first; the counts stay.
  [[nodiscard]] std::vector<trace::file_entry> take_worst();

  /// The worst first; what nobody suffered from is not among them. With very many kinds of
  /// stories, ports are taken together, and then hosts.
  [[nodiscard]] std::vector<const story_group*> groups() const;

  [[nodiscard]] std::uint64_t connections() const noexcept { return connections_; }
  [[nodiscard]] const std::map<std::string, ending_count, std::less<>>& endings() const noexcept {
    return endings_;
  }
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& manners() const noexcept {
    return manners_;
  }
  /// At most 100,000 hosts; what has no place among them is counted in others().
  [[nodiscard]] const std::map<trace::ip_address, host_count>& hosts() const noexcept { return hosts_; }
  [[nodiscard]] const host_count& others() const noexcept { return others_; }

  /// When connections ended that did not end well.
  [[nodiscard]] const timeline& deaths() const noexcept { return deaths_; }

  struct slow_one {
    std::chrono::nanoseconds lasted{};
    std::uint64_t connection = 0;
  };
  /// The longest of each.
  struct slowness {
    slow_one handshake;   ///< from the SYN to the ACK of the SYN+ACK
    slow_one first_byte;  ///< from the first byte of the request to that of the answer
    slow_one pause;       ///< in the middle of what one side said, held up by nobody
    slow_one window;      ///< closed, and opened again
  };
  [[nodiscard]] const slowness& slowest() const noexcept { return slowest_; }

 private:
  void note_slowness(const trace::file_entry& c);
  void count(const trace::story& s);
  host_count& host(const trace::ip_address& a);
  void add_to_group(const trace::file_entry& c);

  std::size_t most_;
  std::vector<trace::file_entry> worst_;  ///< a heap, the least bad on top, once it is full
  std::uint64_t connections_ = 0;
  std::map<std::string, ending_count, std::less<>> endings_;
  std::map<std::string, std::uint64_t, std::less<>> manners_;
  std::map<trace::ip_address, host_count> hosts_;
  std::map<std::string, story_group, std::less<>> groups_;
  host_count others_;
  timeline deaths_;
  slowness slowest_;
};

}  // namespace halfopen::autopsy

#endif
