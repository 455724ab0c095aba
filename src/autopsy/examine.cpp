// From packets to stories: in the thread that reads them, or beside it.
//
// To read and decode a packet takes about as long as to follow its connection. So with two jobs one
// thread does the first and another the second; packets go from one to the other by the thousand,
// since handing over a single one would cost as much as either. More threads would need the
// connections dealt out among them, and their stories put into order again.

#include "autopsy/examine.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace halfopen::autopsy {
namespace {

/// Packets on their way from one thread to the other, and what the other has to know by then.
struct batch {
  std::vector<trace::packet> packets;
  std::vector<std::string> server_names;  ///< new ones
  std::optional<trace::time_point> first;
};

/// A few batches at most. Thread-safe; one thread gives, one takes.
class batch_queue {
 public:
  /// False if nobody takes any more.
  bool give(batch&& b) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return waiting_.size() < most || nobody_takes_; });
    if (nobody_takes_) return false;
    waiting_.push_back(std::move(b));
    changed_.notify_all();
    return true;
  }
  void end() {
    const std::scoped_lock lock{mutex_};
    ended_ = true;
    changed_.notify_all();
  }
  /// Nothing once all were taken and none comes any more.
  std::optional<batch> take() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return !waiting_.empty() || ended_; });
    if (waiting_.empty()) return std::nullopt;
    batch b = std::move(waiting_.front());
    waiting_.pop_front();
    changed_.notify_all();
    return b;
  }
  void take_no_more() {
    const std::scoped_lock lock{mutex_};
    nobody_takes_ = true;
    changed_.notify_all();
  }

 private:
  static constexpr std::size_t most = 8;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<batch> waiting_;
  bool ended_ = false, nobody_takes_ = false;
};

/// Fills batches.
class batching final : public packet_outlet {
 public:
  explicit batching(batch_queue& to) : to_{to} { begin(); }
  void reads(const frame_reader& from) { from_ = &from; }

  trace::packet& next() override { return filled_.packets[used_]; }
  void take() override {
    trace::packet& p = next();
    p.tcp.payload = {};  // the frame's bytes are gone by then
    p.datagram = p.fragment = {};
    if (++used_ == size) flush();
  }
  [[nodiscard]] bool wants_more() const override { return wanted_; }
  void flush() {
    const reading& r = from_->so_far();
    filled_.packets.resize(used_);
    filled_.first = r.first;
    filled_.server_names.assign(r.server_names.begin() + static_cast<std::ptrdiff_t>(names_given_),
                                r.server_names.end());
    names_given_ = r.server_names.size();
    wanted_ = to_.give(std::move(filled_));
    begin();
  }

 private:
  static constexpr std::size_t size = 1024;
  void begin() {
    filled_ = {};
    filled_.packets.resize(size);
    used_ = 0;
  }
  batch_queue& to_;
  const frame_reader* from_ = nullptr;
  batch filled_;
  std::size_t used_ = 0, names_given_ = 0;
  bool wanted_ = true;
};

/// Straight into the place where the stream wants it.
class straight final : public packet_outlet {
 public:
  straight(trace::story_stream& to, std::size_t& most_held) : to_{to}, most_held_{most_held} {}
  trace::packet& next() override { return to_.next(); }
  void take() override {
    to_.take();
    most_held_ = std::max(most_held_, to_.held());
  }

 private:
  trace::story_stream& to_;
  std::size_t& most_held_;
};

}  // namespace

examiner::examiner(std::vector<trace::capture_reader::source> from, examine_options options,
                   trace::story_stream::sink to)
    : sources_{std::move(from)},
      options_{std::move(options)},
      stories_{std::move(to), options_.limits, options_.steps, options_.owed} {}

void examiner::run_alone() {
  straight outlet{stories_, most_held_};
  frame_reader reader{std::move(sources_), options_, outlet};
  reader_ = &reader;
  reader.run();
  reader_ = nullptr;
  seen_ = reader.so_far();
}

void examiner::run_beside() {
  batch_queue queue;
  batching outlet{queue};
  frame_reader reader{std::move(sources_), options_, outlet};
  outlet.reads(reader);
  std::exception_ptr failed;
  {
    std::jthread reads{[&] {
      try {
        reader.run();
        outlet.flush();
      } catch (...) {
        failed = std::current_exception();
      }
      queue.end();
    }};
    struct at_the_end {
      batch_queue& q;
      ~at_the_end() { q.take_no_more(); }
    } const release{queue};
    while (auto b = queue.take()) {
      if (b->first) seen_.first = b->first;
      std::ranges::move(b->server_names, std::back_inserter(seen_.server_names));
      for (const trace::packet& p : b->packets) {
        stories_.add(p);
        most_held_ = std::max(most_held_, stories_.held());
      }
    }
  }
  if (failed) std::rethrow_exception(failed);
  seen_ = reader.so_far();
}

const reading& examiner::run() {
  if (options_.jobs > 1)
    run_beside();
  else
    run_alone();
  // The capture runs on to its last frame, whatever that is.
  if (seen_.last) stories_.advance(*seen_.last);
  stories_.finish();
  seen_.most_held = most_held_;
  seen_.connections = stories_.begun();
  return seen_;
}

void examiner::passed(std::chrono::nanoseconds since_last_packet) {
  if (so_far().last) stories_.advance(*so_far().last + since_last_packet);
}

}  // namespace halfopen::autopsy
