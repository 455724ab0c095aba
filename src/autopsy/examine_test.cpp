#include "autopsy/examine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "autopsy/report.hpp"
#include "trace/conversation.hpp"
#include "trace/packet_builder.hpp"

namespace halfopen::autopsy {
namespace {

using trace::testing::frame;

void put_little(frame& f, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) f.push_back(static_cast<std::byte>(value >> (8 * i) & 0xFFU));
}

/// A pcap file of raw IP (LINKTYPE_RAW): connections that begin one after the other, and of which every
/// third is reset.
frame capture(int connections) {
  frame f;
  put_little(f, 0xA1B23C4D, 4);  // nanoseconds
  put_little(f, 0x00040002, 4);
  put_little(f, 0, 8);
  put_little(f, 65535, 4);
  put_little(f, 101, 4);
  std::uint64_t nanoseconds = 0;
  const auto add = [&](const trace::endpoint& from, const trace::endpoint& to,
                       const trace::testing::segment& s) {
    const frame bytes = trace::testing::tcp_packet(from, to, s);
    put_little(f, 1'000 + nanoseconds / 1'000'000'000, 4);
    put_little(f, nanoseconds % 1'000'000'000, 4);
    put_little(f, bytes.size(), 4);
    put_little(f, bytes.size(), 4);
    f.insert(f.end(), bytes.begin(), bytes.end());
    nanoseconds += 1'000'000;
  };
  for (int i = 0; i < connections; ++i) {
    trace::endpoint client = trace::testing::client;
    client.port = static_cast<std::uint16_t>(1024 + i);
    const trace::endpoint& server = trace::testing::server;
    add(client, server, {.sequence = 100, .flags = trace::syn});
    add(server, client, {.sequence = 500, .acknowledgement = 101, .flags = trace::syn | trace::ack});
    add(client, server, {.sequence = 101, .acknowledgement = 501, .flags = trace::ack, .payload = 10});
    if (i % 3 == 0)
      add(server, client, {.sequence = 501, .acknowledgement = 111, .flags = trace::rst | trace::ack});
    else
      add(server, client, {.sequence = 501, .acknowledgement = 111, .flags = trace::fin | trace::ack});
  }
  return f;
}

trace::capture_reader::source from(const frame& bytes) {
  return [&bytes,
          at = std::size_t{0}](std::span<std::byte> into) mutable -> std::expected<std::size_t, std::string> {
    const std::size_t n = std::min(into.size(), bytes.size() - at);
    std::memcpy(into.data(), bytes.data() + at, n);
    at += n;
    return n;
  };
}

std::pair<std::vector<std::string>, reading> told(const frame& bytes, int jobs) {
  std::vector<std::string> lines;
  std::vector<trace::capture_reader::source> sources;
  sources.push_back(from(bytes));
  examine_options options;
  options.jobs = jobs;
  options.words = [](const trace::file_entry& c, trace::time_point begin) {
    return std::optional{json_line(c) + utc(begin)};
  };
  examiner made{std::move(sources), std::move(options),
                [&](trace::file_entry&&, std::string&& words) { lines.push_back(std::move(words)); }};
  const reading& r = made.run();
  return {std::move(lines), r};
}

TEST(examine, two_threads_say_what_one_says) {
  const frame bytes = capture(2'000);  // several batches, and a rest
  const auto [alone, read_alone] = told(bytes, 1);
  const auto [beside, read_beside] = told(bytes, 2);
  EXPECT_EQ(alone.size(), 2'000U);
  EXPECT_EQ(alone, beside);
  EXPECT_EQ(read_alone.frames, read_beside.frames);
  EXPECT_EQ(read_alone.tcp, read_beside.tcp);
  EXPECT_EQ(read_alone.most_held, read_beside.most_held);
}

TEST(examine, what_is_of_no_interest_is_not_handed_on) {
  const frame bytes = capture(300);
  for (const int jobs : {1, 2}) {
    std::vector<trace::capture_reader::source> sources;
    sources.push_back(from(bytes));
    examine_options options;
    options.jobs = jobs;
    options.words = [](const trace::file_entry& c, trace::time_point) {
      return c.number % 2 == 0 ? std::optional{std::to_string(c.number)} : std::nullopt;
    };
    std::vector<std::uint64_t> numbers;
    examiner e{std::move(sources), std::move(options), [&](trace::file_entry&& c, std::string&& words) {
                 numbers.push_back(c.number);
                 EXPECT_EQ(words, std::to_string(c.number));
               }};
    EXPECT_EQ(e.run().connections, 300U);
    ASSERT_EQ(numbers.size(), 150U);
    EXPECT_TRUE(std::ranges::all_of(numbers, [](std::uint64_t n) { return n % 2 == 0; }));
  }
}

TEST(examine, two_threads_end_with_a_capture_that_is_cut) {
  frame bytes = capture(100);
  bytes.resize(bytes.size() - 7);
  const auto [lines, read] = told(bytes, 2);
  EXPECT_EQ(lines.size(), 100U);
  EXPECT_TRUE(read.error.has_value());
}

TEST(examine, two_threads_end_when_a_story_throws) {
  const frame bytes = capture(20'000);
  std::vector<trace::capture_reader::source> sources;
  sources.push_back(from(bytes));
  examine_options options;
  options.jobs = 2;
  options.limits.connections = 2;  // so that stories are told at once
  examiner e{std::move(sources), std::move(options),
             [](trace::file_entry&&, std::string&&) { throw std::runtime_error("no"); }};
  EXPECT_THROW(e.run(), std::runtime_error);
}

TEST(examine, who_wants_no_more_does_not_wait_for_the_end_of_the_file) {
  const frame bytes = capture(100);
  std::vector<trace::capture_reader::source> sources;
  std::uint64_t read = 0;
  // The same packets for ever, as from a pipe.
  sources.emplace_back(
      [&, at = std::size_t{0}](std::span<std::byte> into) mutable -> std::expected<std::size_t, std::string> {
        if (at == bytes.size()) at = 24;  // behind the file's header
        const std::size_t n = std::min(into.size(), bytes.size() - at);
        std::memcpy(into.data(), bytes.data() + at, n);
        at += n;
        read += n;
        return n;
      });
  examine_options options;
  options.jobs = 2;
  options.limits.connections = 2;
  examiner e{std::move(sources), std::move(options),
             [](trace::file_entry&&, std::string&&) { throw std::runtime_error("no"); }};
  EXPECT_THROW(e.run(), std::runtime_error);
  EXPECT_GT(read, 0U);
}

TEST(examine, two_threads_hand_on_what_the_source_throws) {
  std::vector<trace::capture_reader::source> sources;
  sources.emplace_back([](std::span<std::byte>) -> std::expected<std::size_t, std::string> {
    throw std::runtime_error("no");
  });
  examine_options options;
  options.jobs = 2;
  examiner e{std::move(sources), std::move(options), [](trace::file_entry&&, std::string&&) {}};
  EXPECT_THROW(e.run(), std::runtime_error);
}

}  // namespace
}  // namespace halfopen::autopsy
