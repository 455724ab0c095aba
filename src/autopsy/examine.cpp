// From packets to stories, in one thread or in a row of three.
//
// To read and decode a packet takes about as long as to follow its connection, and all words and the JSON of
// the stories up to as long again. So one thread reads, one follows, and one takes the stories; two processors
// have enough to do with the three, whatever the shares are, and none of it needs a rule for who helps whom.
// Packets and stories go from one to the next by the batch, since handing over a single one would cost as
// much as the work on it. More threads would need the connections dealt out among them, and their stories
// put into order again.

#include "autopsy/examine.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>

#include "autopsy/conveyor.hpp"

namespace halfopen::autopsy {
namespace {

/// What whoever tells a story has to know of the capture by then.
struct news {
  std::vector<std::string> server_names;  ///< new ones
  std::optional<trace::time_point> first;

  void add_to(reading& r) {
    if (first) r.first = first;
    std::ranges::move(server_names, std::back_inserter(r.server_names));
    server_names.clear();
  }
};

struct packet_batch {
  static constexpr std::size_t size = 256;
  std::vector<trace::packet_in_context> packets = std::vector<trace::packet_in_context>(size);
  std::size_t used = 0;
  news by_then;
};

struct story_batch {
  static constexpr std::size_t size = 16;
  std::vector<trace::file_entry> stories;
  news by_then;
};

/// Straight on, in the same thread.
class straight final : public packet_outlet {
 public:
  explicit straight(std::function<void(std::span<const trace::packet_in_context>)> to) : to_{std::move(to)} {
    flush();
  }

 private:
  std::span<trace::packet_in_context> exchange(std::size_t used) override {
    to_(std::span{packets_}.first(used));
    return packets_;
  }
  std::function<void(std::span<const trace::packet_in_context>)> to_;
  std::vector<trace::packet_in_context> packets_ = std::vector<trace::packet_in_context>(64);
};

/// To the thread that follows.
class to_follower final : public packet_outlet {
 public:
  explicit to_follower(conveyor<packet_batch>& to) : to_{to} {}
  void begin(const frame_reader& from) {
    from_ = &from;
    flush();
  }
  [[nodiscard]] bool wants_more() const override { return filling_ != nullptr; }

 private:
  std::span<trace::packet_in_context> exchange(std::size_t used) override {
    if (used > 0 && filling_ != nullptr) {
      const reading& r = from_->so_far();
      filling_->used = used;
      filling_->by_then.first = r.first;
      filling_->by_then.server_names.assign(
          r.server_names.begin() + static_cast<std::ptrdiff_t>(names_given_), r.server_names.end());
      names_given_ = r.server_names.size();
      to_.filled();
    }
    filling_ = to_.to_fill();
    return filling_ != nullptr ? std::span{filling_->packets} : std::span{unwanted_};
  }
  conveyor<packet_batch>& to_;
  const frame_reader* from_ = nullptr;
  packet_batch* filling_ = nullptr;
  std::vector<trace::packet_in_context> unwanted_ = std::vector<trace::packet_in_context>(1);
  std::size_t names_given_ = 0;
};

/// From the thread that follows to the one that tells.
class to_teller {
 public:
  explicit to_teller(conveyor<story_batch>& to) : to_{to}, filling_{to.to_fill()} {}

  [[nodiscard]] bool wants_more() const { return filling_ != nullptr; }
  void note(news&& n) {
    if (n.first) news_.first = n.first;
    std::ranges::move(n.server_names, std::back_inserter(news_.server_names));
  }
  void take(trace::file_entry&& story) {
    if (filling_ == nullptr) return;
    filling_->stories.push_back(std::move(story));
    if (filling_->stories.size() == story_batch::size) flush();
  }
  void flush() {
    if (filling_ == nullptr) return;
    filling_->by_then = std::exchange(news_, {});
    to_.filled();
    filling_ = to_.to_fill();
  }

 private:
  conveyor<story_batch>& to_;
  story_batch* filling_;
  news news_;
};

/// Says at the end of its block that nobody takes any more, however the block ends.
template <class Batch>
struct [[nodiscard]] last_taker {
  conveyor<Batch>& from;
  explicit last_taker(conveyor<Batch>& c) : from{c} {}
  last_taker(const last_taker&) = delete;
  last_taker& operator=(const last_taker&) = delete;
  ~last_taker() { from.take_no_more(); }
};

/// A thread that fills a conveyor, whose end it says however it ends itself.
template <class Batch, class Work>
std::jthread thread_that_fills(conveyor<Batch>& to, std::exception_ptr& failed, Work work) {
  return std::jthread{[&to, &failed, work = std::move(work)] {
    try {
      work();
    } catch (...) {
      failed = std::current_exception();
    }
    to.end();
  }};
}

}  // namespace

examiner::examiner(std::vector<trace::capture_reader::source> from, examine_options options,
                   trace::story_stream::sink to)
    : sources_{std::move(from)},
      options_{std::move(options)},
      to_{std::move(to)},
      told_{to_},
      stories_{[this](trace::file_entry&& c) { told_(std::move(c)); }, options_.limits, options_.steps,
               options_.owed} {}

/// The capture runs on to its last frame, whatever that is.
void examiner::follow_to_the_end(const reading& r) {
  if (r.last) stories_.advance(*r.last);
  stories_.finish();
}

void examiner::run_alone() {
  straight outlet{[this](std::span<const trace::packet_in_context> packets) { stories_.add(packets); }};
  frame_reader reader{std::move(sources_), options_, outlet};
  reader_ = &reader;
  outlet_ = &outlet;
  reader.run();
  outlet.flush();
  outlet_ = nullptr;
  reader_ = nullptr;
  seen_ = reader.so_far();
  follow_to_the_end(seen_);
}

void examiner::run_in_threads() {
  conveyor<packet_batch> packets;
  conveyor<story_batch> stories;
  to_follower outlet{packets};
  frame_reader reader{std::move(sources_), options_, outlet};
  to_teller told{stories};
  told_ = [&told](trace::file_entry&& c) { told.take(std::move(c)); };
  std::exception_ptr reading_failed, following_failed;
  {
    const std::jthread reads = thread_that_fills(packets, reading_failed, [&] {
      outlet.begin(reader);
      reader.run();
      outlet.flush();
    });
    const std::jthread follows = thread_that_fills(stories, following_failed, [&] {
      const last_taker release{packets};
      while (packet_batch* b = told.wants_more() ? packets.to_empty() : nullptr) {
        told.note(std::move(b->by_then));
        stories_.add(std::span{b->packets}.first(b->used));
        packets.emptied();
      }
      if (told.wants_more() && !reading_failed) follow_to_the_end(reader.so_far());
      told.flush();
    });
    const last_taker release{stories};
    while (story_batch* b = stories.to_empty()) {
      b->by_then.add_to(seen_);
      for (trace::file_entry& c : b->stories) to_(std::move(c));
      b->stories.clear();
      stories.emptied();
    }
  }
  for (const std::exception_ptr& failed : {reading_failed, following_failed})
    if (failed) std::rethrow_exception(failed);
  seen_ = reader.so_far();
}

const reading& examiner::run() {
  if (options_.jobs > 1)
    run_in_threads();
  else
    run_alone();
  seen_.most_held = stories_.most_held();
  seen_.connections = stories_.begun();
  return seen_;
}

void examiner::passed(std::chrono::nanoseconds since_last_packet) {
  if (outlet_ != nullptr) outlet_->flush();
  if (so_far().last) stories_.advance(*so_far().last + since_last_packet);
}

}  // namespace halfopen::autopsy
