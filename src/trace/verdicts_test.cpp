#include "trace/verdicts.hpp"

#include <gtest/gtest.h>

namespace halfopen::trace {
namespace {

using namespace std::chrono_literals;

// ---- who sent an RST -----------------------------------------------------------------

constexpr reset_signs other_ttl{.other_ttl = true, .ttl_behind = 3, .ttl_steady = true};

reset_signs with(reset_signs s, auto&& change) {
  change(s);
  return s;
}

TEST(author_of, one_sign_alone_is_a_doubt) {
  EXPECT_EQ(author_of({}), author::host);
  EXPECT_EQ(author_of(other_ttl), author::unknown);
  EXPECT_EQ(author_of({.ahead = true}), author::unknown);
}

TEST(author_of, a_ttl_needs_several_packets_behind_it) {
  EXPECT_EQ(author_of({.other_ttl = true, .ttl_behind = 2, .ttl_steady = true}), author::host);
  EXPECT_EQ(author_of({.other_ttl = true, .ttl_behind = 20, .ttl_steady = false}), author::host);
}

TEST(author_of, two_signs_accuse) {
  EXPECT_EQ(author_of(with(other_ttl, [](auto& s) { s.went_on = 1; })), author::middlebox);
  EXPECT_EQ(author_of(with(other_ttl, [](auto& s) { s.ahead = true; })), author::middlebox_likely);
}

TEST(author_of, a_host_that_goes_on_did_not_reset) {
  EXPECT_EQ(author_of({.went_on = 1}), author::middlebox_likely);
  EXPECT_EQ(author_of({.went_on = 1, .not_heeded = true, .answers = true}), author::middlebox_likely);
}

TEST(author_of, a_kernel_that_answers_for_a_program_does_not_know_what_the_program_does) {
  EXPECT_EQ(author_of({.went_on = 5, .answers = true}), author::unknown);
  EXPECT_EQ(author_of(with(other_ttl,
                           [](auto& s) {
                             s.went_on = 5;
                             s.answers = true;
                           })),
            author::middlebox_likely);
}

TEST(author_of, an_identification_in_its_row_speaks_for_the_host) {
  EXPECT_EQ(author_of(with(other_ttl, [](auto& s) { s.id_in_row = s.ahead = true; })), author::host);
  EXPECT_EQ(author_of({.went_on = 1, .id_in_row = true}), author::unknown);
}

// ---- silence -------------------------------------------------------------------------

using sureness = std::optional<confidence>;

TEST(vanished, nobody_without_a_repeat) {
  EXPECT_EQ(vanished({.lasted = 1h, .quiet = 1h}), sureness{});
}

TEST(vanished, a_sender_that_gave_up_says_so_itself) {
  const auto after = [](std::uint64_t repeats, auto lasted) {
    return vanished({.repeats = repeats, .lasted = lasted, .gap = 1s, .quiet = 1s, .gave_up = true});
  };
  EXPECT_EQ(after(1, 60s), sureness{}) << "one unanswered probe is a doubt";
  EXPECT_EQ(after(2, 3s), confidence::likely);
  EXPECT_EQ(after(3, 3s), confidence::certain);
  EXPECT_EQ(after(3, 300ms), sureness{}) << "fast retransmissions, and a program that aborts";
}

TEST(vanished, times_that_no_clock_has_do_no_harm) {
  const auto ever = std::chrono::nanoseconds::max();
  EXPECT_EQ(vanished({.repeats = 9, .lasted = ever, .gap = ever, .quiet = ever}), confidence::certain);
}

TEST(vanished, a_sender_that_fell_silent_gave_up_when_its_next_repeat_is_overdue) {
  const auto after = [](std::uint64_t repeats, auto lasted, auto quiet) {
    return vanished({.repeats = repeats, .lasted = lasted, .gap = 4s, .quiet = quiet});
  };
  EXPECT_EQ(after(2, 60s, 50s), sureness{});
  EXPECT_EQ(after(3, 8s, 5s), sureness{});
  EXPECT_EQ(after(3, 18s, 10s), confidence::likely);
  EXPECT_EQ(after(3, 10s, 0s), confidence::likely) << "it has tried for long enough";
  EXPECT_EQ(after(5, 6s, 0s), confidence::likely);
  EXPECT_EQ(after(5, 20s, 10s), confidence::certain);
  EXPECT_EQ(vanished({.repeats = 9, .lasted = 800ms, .gap = 1ms, .quiet = 700ms}), sureness{});
}

TEST(vanished, a_connect_has_fewer_repeats) {
  const auto after = [](std::uint64_t repeats, auto quiet) {
    return vanished({.repeats = repeats, .lasted = 20s, .gap = 2s, .quiet = quiet, .connecting = true});
  };
  EXPECT_EQ(after(1, 4s), sureness{});
  EXPECT_EQ(after(1, 5s), confidence::possible);
  EXPECT_EQ(after(2, 4s), sureness{});
  EXPECT_EQ(after(2, 5s), confidence::likely);
  EXPECT_EQ(after(3, 0s), confidence::likely);
  EXPECT_EQ(after(5, 0s), confidence::likely);
  EXPECT_EQ(after(5, 9s), confidence::certain);
}

TEST(vanished, a_capture_that_lacks_packets_makes_it_less_sure) {
  silence_signs s{.repeats = 6, .lasted = 1min, .gap = 1s, .quiet = 30s, .capture_lacks = true};
  EXPECT_EQ(vanished(s), confidence::likely);
  s.quiet = 0s;
  EXPECT_EQ(vanished(s), confidence::possible);
}

TEST(vanished, where_every_packet_is_known_one_repeat_and_its_interval_suffice) {
  silence_signs s{.repeats = 1, .lasted = 2s, .gap = 1s, .quiet = 899ms, .every_packet = true};
  EXPECT_EQ(vanished(s), sureness{});
  s.connecting = true;
  EXPECT_EQ(vanished(s), confidence::certain) << "a SYN is repeated by the timer and by nothing else";
  s.connecting = false;
  s.quiet = 900ms;
  EXPECT_EQ(vanished(s), confidence::certain);
  s.repeats = 2;
  s.quiet = 0s;
  EXPECT_EQ(vanished(s), confidence::certain);
}

// ---- the others ----------------------------------------------------------------------

TEST(owed, what_the_caller_knows_is_certain) {
  EXPECT_EQ(owed({.known = true}), confidence::certain);
  EXPECT_EQ(owed({.known = false, .opener_seen = true, .asked = 10}), sureness{});
}

TEST(owed, a_request_that_was_acknowledged_and_got_no_byte) {
  EXPECT_EQ(owed({.opener_seen = true, .asked = 10}), confidence::likely);
  EXPECT_EQ(owed({.opener_seen = true, .asked = 10, .answered = 1}), sureness{});
  EXPECT_EQ(owed({.opener_seen = true}), sureness{}) << "it closed before it had heard the request";
  EXPECT_EQ(owed({.opener_seen = false, .asked = 10}), sureness{});
  EXPECT_EQ(owed({.opener_seen = true, .capture_lacks = true, .asked = 10}), sureness{});
}

TEST(may_have_rebooted, a_host_without_memory_only_answers) {
  EXPECT_TRUE(may_have_rebooted({.answers = true, .established = true}));
  EXPECT_FALSE(may_have_rebooted({.answers = false, .established = true}));
  EXPECT_FALSE(may_have_rebooted({.answers = true, .established = false}));
  EXPECT_FALSE(may_have_rebooted({.answers = true, .established = true, .said_fin = true}));
}

TEST(unread, needs_data_after_the_fin_that_was_never_acknowledged) {
  EXPECT_EQ(unread({.closed = true, .came_later = true, .unheard = 7, .answers = true}), confidence::certain);
  EXPECT_EQ(unread({.closed = true, .came_later = true, .unheard = 7}), confidence::likely);
  EXPECT_EQ(unread({.closed = true, .came_later = true, .answers = true}), sureness{});
  EXPECT_EQ(unread({.closed = true, .unheard = 7, .answers = true}), sureness{});
  EXPECT_EQ(unread({.came_later = true, .unheard = 7, .answers = true}), sureness{});
}

TEST(took_time_wait, needs_an_orderly_close_shortly_before) {
  const reuse_signs soon{.both_fins_acked = true, .since = 10s};
  EXPECT_TRUE(took_time_wait(soon));
  for (const auto& change : {reuse_signs{.both_fins_acked = false, .since = 10s},
                             {.both_fins_acked = true, .reset = true, .since = 10s},
                             {.both_fins_acked = true, .capture_lacks = true, .since = 10s},
                             {.both_fins_acked = true, .since = 60s},
                             {.both_fins_acked = true, .since = 0s},
                             {.both_fins_acked = true, .since = -1s}})
    EXPECT_FALSE(took_time_wait(change));
}

}  // namespace
}  // namespace halfopen::trace
