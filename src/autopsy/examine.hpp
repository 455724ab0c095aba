#ifndef HALFOPEN_SRC_AUTOPSY_EXAMINE_HPP
#define HALFOPEN_SRC_AUTOPSY_EXAMINE_HPP

/// From a capture's bytes to its connections' stories, and to what is to be said of the
/// capture itself.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfopen/trace/capture.hpp"
#include "halfopen/trace/story_stream.hpp"
#include "trace/fragments.hpp"

namespace halfopen::autopsy {

/// A comment that stands in the capture.
struct comment {
  std::uint64_t packet = 0;
  trace::time_point when{};
  std::string text;
};

/// What became of the file.
struct reading {
  std::uint64_t frames = 0;                    ///< in all
  std::uint64_t tcp = 0;                       ///< of those, segments, and ICMP errors that quote one
  std::uint64_t cut = 0, odd = 0, not_ip = 0;  ///< not read, by decode_error
  std::map<std::uint16_t, std::uint64_t> unknown_links;   ///< frames by LINKTYPE_ that is not read
  std::array<std::uint64_t, trace::carriers> carried{};   ///< packets by what they were carried in
  std::array<std::uint64_t, trace::carriers> not_read{};  ///< of those, the ones that hold no IP that is read
  std::uint64_t fragments = 0;                            ///< of IP packets, put together where all came
  std::uint64_t incomplete = 0;                           ///< packets of which they did not
  std::uint64_t damaged_blocks = 0;                       ///< of pcapng, left out
  std::uint64_t without_time = 0;
  std::uint64_t backwards = 0;  ///< frames earlier than the one before them
  std::chrono::nanoseconds furthest_back{};
  std::optional<trace::time_point> first, last;
  std::uint64_t dropped = 0;  ///< by the capture's own statistics
  std::uint64_t connections = 0;
  std::size_t most_held = 0;                       ///< connections in memory at one time
  std::map<trace::ip_address, std::string> names;  ///< by the capture's own blocks, and by DNS answers in it
  std::vector<comment> comments;                   ///< at most 10,000
  std::optional<trace::capture_error> error;
  std::size_t error_file = 0;           ///< in which of the files
  std::vector<std::uint64_t> begins{};  ///< the number of each file's first packet
  std::uint64_t filtered = 0;           ///< frames that `wanted` did not let through
};

struct examine_options {
  trace::stream_limits limits{};
  trace::story_stream::keep steps{};
  std::optional<std::uint64_t> owed{};                         ///< bytes that every responder owes
  bool comments = false;                                       ///< keep them
  std::function<bool(const trace::captured_frame&)> wanted{};  ///< all of them, if empty
  /// What is to be written of a story in a capture with that begin, or nothing if the story is of no
  /// interest. Several threads call it at one time.
  std::function<std::optional<std::string>(const trace::file_entry&, trace::time_point begin)> words{};
  int jobs = 1;  ///< 1: all in one thread; more: in three, which are work for two processors
};

/// Where packets go that belong to a connection: a place for the next one, and then take(). They go on by
/// the batch, in their context and without the frames' bytes.
class packet_outlet {
 public:
  packet_outlet() = default;
  packet_outlet(const packet_outlet&) = delete;
  packet_outlet& operator=(const packet_outlet&) = delete;
  virtual ~packet_outlet() = default;

  [[nodiscard]] trace::packet& next() noexcept { return room_[used_].what; }
  void take() {
    trace::packet& p = next();
    p.tcp.payload = p.datagram = p.fragment = {};
    if (++used_ == room_.size()) flush();
  }
  /// Hands on what has been taken.
  void flush() {
    contexts_.find(room_.first(used_));
    room_ = exchange(std::exchange(used_, 0));
  }
  /// False once nobody wants any more.
  [[nodiscard]] virtual bool wants_more() const { return true; }

 protected:
  /// Hands on the first `used` packets of the room, and gives room for others, at least for one.
  virtual std::span<trace::packet_in_context> exchange(std::size_t used) = 0;

 private:
  trace::context_finder contexts_;
  std::span<trace::packet_in_context> room_;  ///< empty before the first flush()
  std::size_t used_ = 0;
};

/// From a capture's bytes to packets, and to all of a reading but what connections say. Not thread-safe.
class frame_reader {
 public:
  frame_reader(std::vector<trace::capture_reader::source> from, const examine_options& options,
               packet_outlet& to);
  /// To the end.
  void run();
  [[nodiscard]] const reading& so_far() const noexcept { return seen_; }
  /// That connections were opened to; the first is tcp_segment::name 1.
  [[nodiscard]] const std::vector<std::string>& server_names() const noexcept { return server_names_; }

 private:
  void take(const trace::capture_reader& reader, const trace::captured_frame& f);
  void take_whole(std::span<const std::byte> ip, std::uint64_t number, trace::time_point when);
  void hand_on(trace::packet& p);
  void note_time(const trace::captured_frame& f);
  void note_carriers(const trace::packet& p, bool was_read);
  std::uint32_t number_of(std::string_view name);

  std::vector<trace::capture_reader::source> sources_;
  const examine_options& options_;
  packet_outlet& to_;
  std::uint64_t base_ = 0;  ///< frames of the files before
  trace::defragmenter fragments_;
  std::map<std::string, std::uint32_t, std::less<>> name_numbers_;
  std::vector<std::string> server_names_;
  reading seen_;
};

/// Not thread-safe. With more than one job a thread of its own reads, so that the sources and `wanted` are
/// called from there, and another follows the connections and calls `steps`.
class examiner {
 public:
  /// Takes a story and what options.words has written of it.
  using sink = std::function<void(trace::file_entry&&, std::string&& words)>;

  /// `to` is called in the order in which the connections ended, each time when it has come back from the
  /// time before, but not always from the same thread. Of several files, the packets of the second are
  /// numbered after those of the first.
  examiner(std::vector<trace::capture_reader::source> from, examine_options options, sink to);

  /// Reads to the end, and tells all stories.
  const reading& run();

  /// Time passes, and no packet comes: only from inside the source, while it waits.
  void passed(std::chrono::nanoseconds since_last_packet);

  /// So far.
  [[nodiscard]] const reading& so_far() const noexcept { return reader_ ? reader_->so_far() : seen_; }

 private:
  void run_alone();
  void run_in_threads();
  void follow_to_the_end(const reading& r);

  std::vector<trace::capture_reader::source> sources_;
  examine_options options_;
  sink to_;
  trace::story_stream::sink untold_;  ///< where the stream's go
  trace::story_stream stories_;
  const frame_reader* reader_ = nullptr;  ///< while it runs in this thread
  packet_outlet* outlet_ = nullptr;       ///< likewise
  reading seen_;
};

}  // namespace halfopen::autopsy

#endif
