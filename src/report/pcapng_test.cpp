// The file is read back twice: by a reader of forty lines below, which knows the
// specification and nothing of the writer, and by tshark.

#include "report/pcapng.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>

namespace halfopen::report {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

const trace::time_point noon{std::chrono::nanoseconds{1'700'000'000'123'456'789}};

std::span<const std::byte> bytes_of(const std::string& s) {
  return std::as_bytes(std::span{s});
}

/// Ethernet, IPv4 10.0.0.1 -> 10.0.0.2, TCP 1234 -> 80, SYN; checksums left out.
std::string syn_frame() {
  return "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0"
         "\x45\0\0\x28\0\x01\x40\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02"
         "\x04\xd2\0\x50\0\0\0\x64\0\0\0\0\x50\x02\xff\xff\0\0\0\0"s;
}

struct option {
  std::uint16_t code;
  std::string value;
  bool operator==(const option&) const = default;
};

/// So that a failed comparison can be read.
void PrintTo(const option& o, std::ostream* out) {
  *out << o.code << '=' << ::testing::PrintToString(o.value);
}

struct block {
  std::uint32_t type;
  std::string body;

  template <class Integer>
  [[nodiscard]] Integer at(std::size_t offset) const {
    Integer value{};
    if (offset + sizeof value <= body.size()) std::memcpy(&value, body.data() + offset, sizeof value);
    return value;
  }

  /// The list of (code, length, value, padding) from `offset`, up to its end mark.
  [[nodiscard]] std::vector<option> options(std::size_t& offset) const {
    std::vector<option> result;
    for (;;) {
      if (offset + 4 > body.size()) throw std::runtime_error{"options without an end"};
      const option o{at<std::uint16_t>(offset), body.substr(offset + 4, at<std::uint16_t>(offset + 2))};
      offset += 4 + (o.value.size() + 3) / 4 * 4;
      if (o.code == 0) return result;
      result.push_back(o);
    }
  }
  [[nodiscard]] std::vector<option> options_at(std::size_t offset) const {
    std::vector<option> result = options(offset);
    EXPECT_EQ(offset, body.size()) << "something follows the options";
    return result;
  }
};

class pcapng : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  pcapng_writer create(std::string_view comment = {}) {
    auto made = pcapng_writer::create(path_, comment);
    if (!made) throw std::runtime_error{made.error()};
    return std::move(*made);
  }

  std::string contents() {
    std::ifstream in{path_, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  /// All blocks; throws if the file is not a whole number of well-formed ones.
  std::vector<block> blocks() {
    const std::string all = contents();
    std::vector<block> result;
    for (std::size_t at = 0; at < all.size();) {
      const block head{0, all.substr(at, 8)};
      const auto length = head.at<std::uint32_t>(4);
      if (length < 12 || length % 4 != 0 || length > all.size() - at) throw std::runtime_error{"bad length"};
      const block tail{0, all.substr(at + length - 4, 4)};
      if (tail.at<std::uint32_t>(0) != length) throw std::runtime_error{"the two lengths differ"};
      result.push_back({head.at<std::uint32_t>(0), all.substr(at + 8, length - 12)});
      at += length;
    }
    return result;
  }

  struct outcome {
    int status;
    std::string output;
  };

  /// What tshark prints, its complaints included, but for its remark on being root.
  outcome tshark(const std::string& arguments) {
    const std::string command = "tshark -r '" + path_.string() + "' " + arguments + " 2>&1";
    FILE* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return {-1, {}};
    outcome result{0, {}};
    std::array<char, 4096> line{};
    while (std::fgets(line.data(), line.size(), pipe) != nullptr)
      if (!std::string_view{line.data()}.starts_with("Running as user \"root\""))
        result.output += line.data();
    result.status = ::pclose(pipe);
    return result;
  }

  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("halfopen-" + std::to_string(::getpid()) + ".pcapng");
};

TEST_F(pcapng, the_section_header_says_who_wrote_it) {
  EXPECT_TRUE(create("all seven situations\nin one run").close());
  const auto all = blocks();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].type, 0x0A0D0D0AU);
  EXPECT_EQ(all[0].at<std::uint32_t>(0), 0x1A2B3C4DU);
  EXPECT_EQ(all[0].at<std::uint16_t>(4), 1U);
  EXPECT_EQ(all[0].at<std::int64_t>(8), -1);
  const auto options = all[0].options_at(16);
  ASSERT_EQ(options.size(), 3U);
  EXPECT_EQ(options[0], (option{1, "all seven situations\nin one run"}));
  EXPECT_EQ(options[1].code, 3);
  EXPECT_THAT(options[1].value, ::testing::StartsWith("Linux"));
  EXPECT_EQ(options[2], (option{4, "halfopen"}));
}

TEST_F(pcapng, an_interface_has_a_name_and_comments_and_counts_nanoseconds) {
  pcapng_writer w = create();
  EXPECT_EQ(w.add_interface("client", "the client's end of the cable"), 0U);
  EXPECT_EQ(w.add_interface("any", "", trace::link::raw_ip, {"whose", "what"}), 1U);
  const auto all = blocks();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].type, 1U);
  EXPECT_EQ(all[1].at<std::uint16_t>(0), 1U);
  EXPECT_THAT(
      all[1].options_at(8),
      ElementsAre(option{2, "client"}, option{3, "the client's end of the cable"}, option{9, "\x09"}));
  EXPECT_EQ(all[2].at<std::uint16_t>(0), 101U);
  EXPECT_THAT(all[2].options_at(8),
              ElementsAre(option{2, "any"}, option{9, "\x09"}, option{1, "whose"}, option{1, "what"}));
}

TEST_F(pcapng, a_packet_has_its_time_bytes_direction_and_comments) {
  pcapng_writer w = create();
  w.add_interface("client", "");
  EXPECT_TRUE(w.packet(0, noon, bytes_of("12345"s), {"who", "why"}, direction::outbound, 99));
  const block p = blocks().at(2);
  EXPECT_EQ(p.type, 6U);
  const auto stamp = std::uint64_t{p.at<std::uint32_t>(4)} << 32 | p.at<std::uint32_t>(8);
  EXPECT_EQ(stamp, 1'700'000'000'123'456'789U);
  EXPECT_EQ(p.at<std::uint32_t>(12), 5U);
  EXPECT_EQ(p.at<std::uint32_t>(16), 99U);
  EXPECT_EQ(p.body.substr(20, 8), "12345\0\0\0"s);
  EXPECT_THAT(p.options_at(28), ElementsAre(option{1, "who"}, option{1, "why"}, option{2, "\x02\0\0\0"s}));
}

TEST_F(pcapng, a_packet_without_remarks_has_no_options) {
  pcapng_writer w = create();
  w.add_interface("client", "");
  EXPECT_TRUE(w.packet(0, trace::time_point{std::chrono::nanoseconds{-5}}, {}));
  const block p = blocks().at(2);
  EXPECT_EQ(p.at<std::uint64_t>(4), 0U) << "before 1970 is 1970";
  EXPECT_THAT(p.options_at(20), ElementsAre());
}

TEST_F(pcapng, names_are_records_of_their_address_family) {
  pcapng_writer w = create();
  EXPECT_TRUE(w.name(*trace::ip_address::parse("10.0.0.1"), "client"));
  EXPECT_TRUE(w.name(*trace::ip_address::parse("fd00::1"), "ser\0ver\n"s));
  EXPECT_TRUE(w.name(*trace::ip_address::parse("10.0.0.2"), ""));
  const auto all = blocks();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].type, 4U);
  std::size_t at = 0;
  EXPECT_THAT(all[1].options(at), ElementsAre(option{1,
                                                     "\x0a\0\0\x01"
                                                     "client\0"s}));
  EXPECT_THAT(all[1].options_at(at), ElementsAre());
  at = 0;
  EXPECT_THAT(all[2].options(at), ElementsAre(option{2,
                                                     "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                                                     "ser\uFFFDver \0"s}));
}

TEST_F(pcapng, comments_are_clean_utf8_of_a_length_that_fits) {
  pcapng_writer w = create();
  w.add_interface("client", "");
  std::string too_long(0xFFFE, 'x');
  too_long += "é!";
  w.packet(0, noon, {}, {"a\x1b[31m\xff\nb", too_long});
  const auto options = blocks().at(2).options_at(20);
  ASSERT_EQ(options.size(), 2U);
  EXPECT_EQ(options[0].value, "a\uFFFD[31m\uFFFD\nb");
  EXPECT_EQ(options[1].value, std::string(0xFFFE, 'x')) << "cut between characters";
}

TEST_F(pcapng, every_block_is_whole_on_the_disk_at_once) {
  pcapng_writer w = create();
  w.add_interface("client", "");
  for (std::size_t n = 3; n < 10; ++n) {
    w.packet(0, noon, bytes_of(syn_frame()), {"n"});
    EXPECT_EQ(blocks().size(), n) << "before close()";
  }
}

TEST_F(pcapng, a_full_disk_is_reported_and_leaves_whole_blocks) {
  std::signal(SIGXFSZ, SIG_IGN);
  pcapng_writer w = create();
  w.add_interface("client", "");
  EXPECT_TRUE(w.packet(0, noon, bytes_of(syn_frame())));
  const auto good = contents();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit tight{.rlim_cur = good.size() + 10, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  EXPECT_FALSE(w.packet(0, noon, bytes_of(syn_frame())));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);

  EXPECT_EQ(contents(), good) << "the ten bytes that did fit are taken back";
  EXPECT_FALSE(w.packet(0, noon, bytes_of(syn_frame()))) << "the failure sticks, though there is room again";
  EXPECT_EQ(contents(), good);
  EXPECT_THAT(w.error(), EndsWith("cannot write: File too large"));
  EXPECT_THAT(w.close().error(), HasSubstr(path_.string()));
}

TEST_F(pcapng, no_space_at_all_is_an_error_of_create) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  EXPECT_EQ(pcapng_writer::create("/dev/full").error(), "/dev/full: cannot write: No space left on device");
  EXPECT_EQ(pcapng_writer::create("/nonexistent/x").error(),
            "cannot create /nonexistent/x: No such file or directory");
}

TEST_F(pcapng, an_unknown_interface_is_an_error) {
  pcapng_writer w = create();
  EXPECT_FALSE(w.packet(0, noon, {}));
  EXPECT_THAT(w.close().error(), EndsWith("interface 0 was never added"));
}

TEST_F(pcapng, moving_takes_the_file_along) {
  pcapng_writer a = create();
  a.add_interface("client", "");
  pcapng_writer b = std::move(a);
  EXPECT_TRUE(b.packet(0, noon, {}));
  a = std::move(b);
  EXPECT_TRUE(a.packet(0, noon, {}));
  EXPECT_TRUE(a.close());
  EXPECT_TRUE(a.close()) << "once more does no harm";
  EXPECT_FALSE(a.packet(0, noon, {})) << "closed";
  EXPECT_EQ(blocks().size(), 4U);
}

TEST_F(pcapng, tshark_reads_it_without_complaint) {
  if (std::system("command -v tshark > /dev/null") != 0) GTEST_SKIP() << "tshark is not installed";
  pcapng_writer w = create("a capture");
  w.name(*trace::ip_address::parse("10.0.0.1"), "client");
  w.name(*trace::ip_address::parse("10.0.0.2"), "server");
  w.add_interface("cable-client", "the client's end");
  w.add_interface("cable-server", "the server's end");
  const std::string syn = syn_frame();
  w.packet(0, noon, bytes_of(syn), {"the client opens → SYN", "second remark"}, direction::inbound);
  w.packet(1, noon + std::chrono::nanoseconds{1}, bytes_of(syn), {}, direction::outbound);
  w.packet(1, noon + std::chrono::seconds{2}, bytes_of(syn.substr(0, 54)), {"last"}, direction::unknown, 60);
  ASSERT_TRUE(w.close());

  const outcome read = tshark(
      "-N n -T fields -E separator='|' -e frame.time_epoch -e frame.interface_name "
      "-e ip.src_host -e ip.dst_host -e frame.packet_flags_direction "
      "-e frame.len -e frame.comment");
  EXPECT_EQ(read.status, 0);
  EXPECT_EQ(
      read.output,
      "1700000000.123456789|cable-client|client|server|0x00000001|54|the client opens → SYN,second remark\n"
      "1700000000.123456790|cable-server|client|server|0x00000002|54|\n"
      "1700000002.123456789|cable-server|client|server||60|last\n");
}

TEST(keep_whole_blocks, cuts_off_what_a_killed_writer_left) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("whole-" + std::to_string(::getpid()) + ".pcapng");
  std::uintmax_t whole = 0;
  {
    auto writer = pcapng_writer::create(path).value();
    writer.add_interface("eth0", "");
    whole = std::filesystem::file_size(path);
    writer.packet(0, {}, std::vector<std::byte>(100));
  }
  const auto all = std::filesystem::file_size(path);
  keep_whole_blocks(path);
  EXPECT_EQ(std::filesystem::file_size(path), all);
  std::filesystem::resize_file(path, all - 1);
  keep_whole_blocks(path);
  EXPECT_EQ(std::filesystem::file_size(path), whole);
  std::filesystem::resize_file(path, 5);
  keep_whole_blocks(path);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace halfopen::report
