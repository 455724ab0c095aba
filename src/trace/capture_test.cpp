// The reader is held against libpcap, frame by frame, over the fuzzer's corpus of formats.

#include "halfopen/trace/capture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "trace/capture_file.hpp"

namespace halfopen::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A capture of the corpus, without the byte that is the fuzzer's.
std::string capture(const std::string& name) {
  std::ifstream in{std::filesystem::path{HALFOPEN_TRACE_CORPUS} / "capture" / name, std::ios::binary};
  EXPECT_TRUE(in) << name;
  in.get();
  return {std::istreambuf_iterator<char>{in}, {}};
}

capture_reader::source from(std::string data, std::size_t piece = 1U << 20U) {
  return [data = std::move(data), at = std::size_t{0},
          piece](std::span<std::byte> into) mutable -> std::expected<std::size_t, std::string> {
    const std::size_t size = std::min({piece, data.size() - at, into.size()});
    std::memcpy(into.data(), data.data() + at, size);
    at += size;
    return size;
  };
}

struct seen {
  std::int64_t when;
  std::uint32_t original;
  std::string bytes;
  bool operator==(const seen&) const = default;
};

struct whole {
  std::vector<seen> frames;
  std::optional<capture_error> error;
};

whole read_all(capture_reader::source source) {
  whole w;
  capture_reader reader{std::move(source)};
  while (const captured_frame* f = reader.next())
    w.frames.push_back({f->when.time_since_epoch().count(), f->original_length,
                        std::string{reinterpret_cast<const char*>(f->bytes.data()), f->bytes.size()}});
  w.error = reader.error();
  return w;
}

/// Nothing if libpcap refuses the file.
std::optional<std::vector<seen>> read_with_libpcap(std::string data) {
  char why[PCAP_ERRBUF_SIZE];
  std::FILE* const file = ::fmemopen(data.data(), data.size(), "rb");
  pcap_t* const p = ::pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
  if (p == nullptr) return std::nullopt;
  std::vector<seen> frames;
  pcap_pkthdr* header = nullptr;
  const unsigned char* bytes = nullptr;
  while (::pcap_next_ex(p, &header, &bytes) == 1)
    frames.push_back({header->ts.tv_sec * 1'000'000'000 + header->ts.tv_usec, header->len,
                      std::string{reinterpret_cast<const char*>(bytes), header->caplen}});
  ::pcap_close(p);
  return frames;
}

TEST(capture, agrees_with_libpcap_frame_by_frame) {
  int compared = 0;
  for (const char* name : {"pcap_nano", "pcap_micro_swapped", "pcap_kuznetzov", "pcap_raw", "pcap_null",
                           "pcap_sll", "pcap_sll2", "pcap_vlan", "pcap_snaplen", "pcap_cut_off", "ng",
                           "ng_swapped", "ng_old", "ng_simple", "ng_binary_time", "ng_damaged"}) {
    const auto theirs = read_with_libpcap(capture(name));
    ASSERT_TRUE(theirs) << name;
    const whole ours = read_all(from(capture(name)));
    EXPECT_FALSE(ours.frames.empty()) << name;
    EXPECT_EQ(ours.frames.size(), theirs->size()) << name;
    EXPECT_TRUE(ours.frames == *theirs) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 16);
}

TEST(capture, gives_the_same_in_pieces_of_any_size) {
  for (const char* name : {"pcap_nano", "ng"}) {
    const auto at_once = read_all(from(capture(name)));
    for (const std::size_t piece : {1U, 7U, 100U}) {
      const auto in_pieces = read_all(from(capture(name), piece));
      EXPECT_TRUE(in_pieces.frames == at_once.frames) << name << " " << piece;
      EXPECT_FALSE(in_pieces.error);
    }
  }
}

// libpcap reads one byte order and one link type a file.
TEST(capture, reads_sections_of_two_byte_orders) {
  const auto w = read_all(from(capture("ng_two_sections")));
  EXPECT_FALSE(w.error);
  EXPECT_EQ(w.frames.size(), 14U);
}

TEST(capture, a_file_that_ends_early_says_where_and_gives_what_it_has) {
  const std::string all = capture("pcap_nano");
  const auto complete = read_all(from(all));
  ASSERT_GT(complete.frames.size(), 2U);
  const std::size_t second = 24 + 16 + complete.frames[0].bytes.size();
  for (const std::size_t cut : {second + 1, second + 15, second + 20}) {
    const auto w = read_all(from(all.substr(0, cut)));
    EXPECT_EQ(w.frames.size(), 1U) << cut;
    ASSERT_TRUE(w.error) << cut;
    EXPECT_EQ(w.error->offset, second);
    EXPECT_THAT(w.error->what, HasSubstr("ends inside"));
  }
  EXPECT_FALSE(read_all(from(all.substr(0, second))).error) << "between two packets it is whole";
}

TEST(capture, a_length_that_cannot_be_is_damage) {
  std::string all = capture("pcap_nano");
  const std::size_t second = 24 + 16 + read_all(from(all)).frames[0].bytes.size();
  all.replace(second + 8, 4, "\xff\xff\xff\x7f");
  const auto w = read_all(from(all));
  EXPECT_EQ(w.frames.size(), 1U);
  ASSERT_TRUE(w.error);
  EXPECT_EQ(w.error->offset, second);
  EXPECT_FALSE(w.error->is_no_capture);
}

TEST(capture, what_is_no_capture_is_said_to_be_none) {
  for (const char* text : {"", "a", "GET / HTTP/1.1\r\n\r\n"}) {
    const auto w = read_all(from(text));
    ASSERT_TRUE(w.error) << text;
    EXPECT_TRUE(w.error->is_no_capture) << text;
  }
}

TEST(capture, comments_names_and_lost_packets) {
  capture_reader reader{from(capture("ng"))};
  const captured_frame* f = reader.next();
  ASSERT_NE(f, nullptr);
  EXPECT_THAT(reader.comments(*f), ElementsAre("a remark"));
  while (reader.next() != nullptr) {
  }
  EXPECT_EQ(reader.names().at(ip_address::parse("10.0.0.1").value()), "client");
  EXPECT_EQ(reader.dropped(), 3U);
}

TEST(capture, snoop) {
  const whole w = read_all(from(capture("snoop")));
  ASSERT_EQ(w.frames.size(), 2U);
  EXPECT_FALSE(w.error);
  EXPECT_EQ(w.frames[0].when, 1'700'000'000'000'005'000);
  EXPECT_EQ(w.frames[0].original, 58U);
  EXPECT_EQ(w.frames[0].bytes.size(), 54U);
  EXPECT_EQ(w.frames[1].bytes, w.frames[0].bytes) << "the record's padding is left behind";
  const std::string data = capture("snoop");
  EXPECT_THAT(read_all(from(data.substr(0, 60))).error->what, HasSubstr("ends inside a packet"));
  std::string other = data;
  other[15] = 8;  // FDDI
  capture_reader fddi{from(other)};
  EXPECT_EQ(fddi.next()->type, link::fddi);
}

TEST(capture, a_damaged_block_is_left_out_by_its_length) {
  capture_reader reader{from(capture("ng_damaged_blocks"))};
  int frames = 0;
  while (reader.next() != nullptr) ++frames;
  EXPECT_FALSE(reader.error()) << reader.error()->at_offset();
  EXPECT_EQ(frames, 2);
  EXPECT_EQ(reader.damaged_blocks(), 4U);
}

// ---- files -----------------------------------------------------------------------

class capture_file : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  void write(const std::string& data, bool more = false) {
    std::ofstream out{path_, more ? std::ios::binary | std::ios::app : std::ios::binary};
    out << data;
  }
  [[nodiscard]] whole read(open_options o = {}) const {
    auto source = open_capture(path_, std::move(o));
    EXPECT_TRUE(source) << source.error();
    return read_all(std::move(*source));
  }
  static std::string gzipped(const std::string& data) {
    z_stream z{};
    EXPECT_EQ(::deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(::deflateBound(&z, data.size()), '\0');
    std::string in = data;
    z.next_in = reinterpret_cast<Bytef*>(in.data());
    z.avail_in = static_cast<uInt>(in.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(::deflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    ::deflateEnd(&z);
    return out;
  }

  std::string path_ =
      std::filesystem::temp_directory_path() / ("halfopen-capture-test-" + std::to_string(::getpid()));
};

TEST_F(capture_file, gzip_also_in_several_members) {
  const std::string all = capture("pcap_nano");
  const auto wanted = read_all(from(all)).frames;
  write(gzipped(all));
  EXPECT_TRUE(read().frames == wanted);
  write(gzipped(all.substr(0, 100)) + gzipped(all.substr(100)));
  EXPECT_TRUE(read().frames == wanted);
  EXPECT_FALSE(read().error);
}

TEST_F(capture_file, gzip_that_ends_early_gives_what_it_has) {
  const std::string packed = gzipped(capture("many"));
  write(packed.substr(0, packed.size() - 60));
  const auto w = read();
  EXPECT_FALSE(w.frames.empty());
  ASSERT_TRUE(w.error);
  EXPECT_THAT(w.error->what, HasSubstr("gzip"));
}

TEST_F(capture_file, zstd) {
  const std::string all = capture("ng");
  std::string packed(::ZSTD_compressBound(all.size()), '\0');
  packed.resize(::ZSTD_compress(packed.data(), packed.size(), all.data(), all.size(), 3));
  write(packed);
  EXPECT_TRUE(read().frames == read_all(from(all)).frames);
  EXPECT_FALSE(read().error);
  write(packed.substr(0, packed.size() - 5));
  ASSERT_TRUE(read().error);
  EXPECT_THAT(read().error->what, HasSubstr("zstd"));
}

TEST_F(capture_file, one_that_grows_is_followed_until_nobody_waits) {
  const std::string all = capture("pcap_nano");
  write(all.substr(0, 333));  // in the middle of a packet
  int waited = 0;
  const auto w = read({.follow = true, .waiting = [&] {
                         if (waited++ == 0) write(all.substr(333), true);
                         return waited < 3;
                       }});
  EXPECT_TRUE(w.frames == read_all(from(all)).frames);
  EXPECT_FALSE(w.error);
}

TEST_F(capture_file, one_that_is_not_there) {
  const auto source = open_capture("/nowhere/at/all.pcap");
  ASSERT_FALSE(source);
  EXPECT_THAT(source.error(), HasSubstr("/nowhere/at/all.pcap"));
}

}  // namespace
}  // namespace halfopen::trace
