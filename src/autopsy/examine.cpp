// From packets to stories, in one thread or in a row of three.
//
// To read and decode a packet takes about as long as to follow its connection; to tell the stories and to
// write them as JSON takes half as long again. So one thread reads, one follows, and one tells: whatever the
// shares are, two processors have enough to do. Most stories of a short capture are told at its end, and then
// the reading thread helps. Packets and stories go from one to the next by the batch, since handing over a
// single one would cost as much as the work on it. More threads would need the connections dealt out among
// them, and their stories put into order again.

#include "autopsy/examine.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>

#include "autopsy/conveyor.hpp"

namespace halfopen::autopsy {
namespace {

struct packet_batch {
  static constexpr std::size_t size = 256;
  std::vector<trace::packet_in_context> packets = std::vector<trace::packet_in_context>(size);
  std::size_t used = 0;
  std::vector<std::string> new_names;  ///< of servers, that came up in these packets
  std::optional<trace::time_point> capture_begin;
};

struct story_batch {
  static constexpr std::size_t size = 16;
  std::vector<trace::untold> stories;
  trace::time_point capture_begin{};
};

[[nodiscard]] std::string name_by_number(const std::vector<std::string>& names, std::uint32_t number) {
  return number == 0 || number > names.size() ? std::string{} : names[number - 1];
}

[[nodiscard]] std::optional<std::string> words_of(const trace::file_entry& c, const examine_options& o,
                                                  trace::time_point capture_begin) {
  return o.words ? o.words(c, capture_begin) : std::string{};
}

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
      const std::vector<std::string>& names = from_->server_names();
      filling_->used = used;
      filling_->capture_begin = from_->so_far().first;
      filling_->new_names.assign(names.begin() + static_cast<std::ptrdiff_t>(names_given_), names.end());
      names_given_ = names.size();
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

/// From the thread that follows to those that tell.
class to_tellers {
 public:
  explicit to_tellers(conveyor<story_batch>& to) : to_{to}, filling_{to.to_fill()} {}

  [[nodiscard]] bool wants_more() const { return filling_ != nullptr; }
  void note(packet_batch& b) {
    capture_begin_ = b.capture_begin.value_or(capture_begin_);
    std::ranges::move(b.new_names, std::back_inserter(names_));
  }
  void take(trace::untold&& story) {
    if (filling_ == nullptr) return;
    story.server_name = name_by_number(names_, story.what.server_name);
    filling_->stories.push_back(std::move(story));
    if (filling_->stories.size() == story_batch::size) flush();
  }
  void flush() {
    if (filling_ == nullptr) return;
    filling_->capture_begin = capture_begin_;
    to_.filled();
    filling_ = to_.to_fill();
  }

 private:
  conveyor<story_batch>& to_;
  story_batch* filling_;
  std::vector<std::string> names_;
  trace::time_point capture_begin_{};
};

/// Tells stories and has them written, and hands them on in their order. Several threads may do that at one
/// time: each has a batch of its own, and waits for its turn to hand it on.
class tellers {
 public:
  tellers(conveyor<story_batch>& from, const examine_options& options, const examiner::sink& to)
      : from_{from}, options_{options}, to_{to} {}

  /// Until there is nothing more to tell, or one of the threads has failed.
  void work() {
    try {
      tell_all();
    } catch (...) {
      from_.take_no_more();
      throw;
    }
  }

 private:
  void tell_all() {
    struct told {
      trace::file_entry story;
      std::string words;
    };
    story_batch mine;
    std::vector<told> all;
    while (const auto turn = from_.take(mine)) {
      for (trace::untold& u : mine.stories) {
        trace::file_entry c = std::move(u).tell();
        if (auto words = words_of(c, options_, mine.capture_begin))
          all.push_back({std::move(c), std::move(*words)});
      }
      mine.stories.clear();
      if (!from_.wait_for(*turn)) return;
      for (told& t : all) to_(std::move(t.story), std::move(t.words));
      from_.end_turn();
      all.clear();
    }
  }

  conveyor<story_batch>& from_;
  const examine_options& options_;
  const examiner::sink& to_;
};

/// What is thrown in a thread waits for the one that started it.
template <class Work>
void run_guarded(std::exception_ptr& failed, Work work) {
  try {
    work();
  } catch (...) {
    failed = std::current_exception();
  }
}

}  // namespace

examiner::examiner(std::vector<trace::capture_reader::source> from, examine_options options, sink to)
    : sources_{std::move(from)},
      options_{std::move(options)},
      to_{std::move(to)},
      stories_{[this](trace::untold&& c) { untold_(std::move(c)); }, options_.limits, options_.steps,
               options_.owed} {}

/// The capture runs on to its last frame, whatever that is.
void examiner::follow_to_the_end(const reading& r) {
  if (r.last) stories_.advance(*r.last);
  stories_.finish();
}

void examiner::run_alone() {
  straight outlet{[this](std::span<const trace::packet_in_context> packets) { stories_.add(packets); }};
  frame_reader reader{std::move(sources_), options_, outlet};
  untold_ = [&](trace::untold&& u) {
    u.server_name = name_by_number(reader.server_names(), u.what.server_name);
    trace::file_entry c = std::move(u).tell();
    if (auto words = words_of(c, options_, reader.so_far().first.value_or(trace::time_point{})))
      to_(std::move(c), std::move(*words));
  };
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
  to_tellers told{stories};
  untold_ = [&told](trace::untold&& u) { told.take(std::move(u)); };
  tellers tell{stories, options_, to_};
  std::exception_ptr reading_failed, following_failed, telling_failed;
  {
    const std::jthread follows{[&] {
      run_guarded(following_failed, [&] {
        while (packet_batch* b = told.wants_more() ? packets.to_empty() : nullptr) {
          told.note(*b);
          stories_.add(std::span{b->packets}.first(b->used));
          packets.emptied();
        }
        if (told.wants_more() && !reading_failed) follow_to_the_end(reader.so_far());
        told.flush();
      });
      packets.take_no_more();
      stories.end();
    }};
    const std::jthread reads{[&] {
      run_guarded(reading_failed, [&] {
        outlet.begin(reader);
        reader.run();
        outlet.flush();
      });
      packets.end();
      // Most stories are told when the capture has ended, and this thread has nothing else to do then.
      run_guarded(telling_failed, [&] { tell.work(); });
    }};
    tell.work();
  }
  for (const std::exception_ptr& failed : {reading_failed, following_failed, telling_failed})
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
