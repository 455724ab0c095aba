// Zeek's own baselines, connection by connection, where they are: HALFOPEN_CAPTURES names a
// folder with captures and truth.tsv (capture, addresses and ports, conn_state, ...).

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "halfopen/trace/story_stream.hpp"
#include "trace/capture_file.hpp"
#include "trace/conversation.hpp"

namespace halfopen::trace {
namespace {

using namespace testing;
constexpr side opener = side::opener;
constexpr side responder = side::responder;

std::string_view state(const conversation& c) {
  return zeek_conn_state(c.record());
}

TEST(zeek, the_states_of_its_documentation) {
  const auto opened = [] {
    conversation c;
    c.handshake().data(opener, 5).data(responder, 5);
    return c;
  };
  EXPECT_EQ(state(conversation{}.syn()), "S0");
  EXPECT_EQ(state(conversation{}.syn().syn_ack()), "S1");
  EXPECT_EQ(state(opened()), "S1");
  EXPECT_EQ(state(opened().fin(opener).fin(responder)), "SF");
  EXPECT_EQ(state(conversation{}.syn().no_such_socket(responder)), "REJ");
  EXPECT_EQ(state(opened().fin(opener).ack(responder)), "S2");
  EXPECT_EQ(state(opened().fin(responder).ack(opener)), "S3");
  EXPECT_EQ(state(opened().abort(opener)), "RSTO");
  EXPECT_EQ(state(opened().abort(responder)), "RSTR");
  EXPECT_EQ(state(conversation{}.syn().abort(opener)), "RSTOS0");
  EXPECT_EQ(state(conversation{}.syn_ack().abort(responder)), "RSTRH");
  EXPECT_EQ(state(conversation{}.syn().fin(opener)), "SH");
  EXPECT_EQ(state(conversation{}.syn_ack().fin(responder)), "SHR");
  EXPECT_EQ(state(conversation{}.data(opener, 5).data(responder, 5)), "OTH");
}

TEST(zeek, an_rst_after_a_fin) {
  const auto closing = [] {
    conversation c;
    c.handshake().data(opener, 5).data(responder, 5).fin(opener);
    return c;
  };
  EXPECT_EQ(state(closing().fin(responder).no_such_socket(opener)), "SF") << "too late to count";
  EXPECT_EQ(state(closing().abort(opener).fin(responder)), "SF") << "forgiven";
  EXPECT_EQ(state(closing().abort(opener)), "RSTO");
  EXPECT_EQ(state(closing().abort(responder)), "RSTR");
}

using pair = std::pair<endpoint, endpoint>;

std::map<pair, std::vector<connection>> read_all(const std::filesystem::path& path) {
  std::map<pair, std::vector<connection>> all;
  auto source = open_capture(path.string());
  EXPECT_TRUE(source) << source.error();
  capture_reader reader{std::move(*source)};
  story_stream stories{[&](untold&& c) { all[{c.what.opener, c.what.responder}].push_back(c.what); }};
  while (const captured_frame* f = reader.next())
    if (f->type)
      if (const auto p = decode(f->bytes, *f->type, f->number, f->when)) stories.add(*p);
  EXPECT_FALSE(reader.error()) << path << " " << reader.error()->at_offset();
  stories.finish();
  return all;
}

/// The same connection with the roles that Zeek has given out.
connection turned_round(connection c) {
  std::swap(c.opener, c.responder);
  std::swap(c.flows[0], c.flows[1]);
  return c;
}

/// What is explained in docs/autopsy.md.
bool explained(const std::string& capture, const std::string& opener_address) {
  return capture == "smtp.pcap" && opener_address == "10.10.1.4";
}

TEST(zeek, agrees_with_its_baselines) {
  const char* folder = std::getenv("HALFOPEN_CAPTURES");
  if (folder == nullptr) GTEST_SKIP() << "HALFOPEN_CAPTURES names no folder with captures";
  std::ifstream truth{std::filesystem::path{folder} / "truth.tsv"};
  ASSERT_TRUE(truth);
  std::map<std::string, std::map<pair, std::vector<connection>>> captures;
  int compared = 0;
  for (std::string line; std::getline(truth, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields{line};
    std::string capture, orig_h, orig_p, resp_h, resp_p, wanted;
    fields >> capture >> orig_h >> orig_p >> resp_h >> resp_p >> wanted;
    if (!captures.contains(capture)) captures[capture] = read_all(std::filesystem::path{folder} / capture);
    const endpoint orig{ip_address::parse(orig_h).value(), static_cast<std::uint16_t>(std::stoi(orig_p))};
    const endpoint resp{ip_address::parse(resp_h).value(), static_cast<std::uint16_t>(std::stoi(resp_p))};
    auto& all = captures[capture];
    const bool turned = !all.contains({orig, resp});
    const auto found = all.find(turned ? pair{resp, orig} : pair{orig, resp});
    ASSERT_NE(found, all.end()) << line;
    EXPECT_EQ(found->second.size(), 1U) << line;
    const connection c = turned ? turned_round(found->second[0]) : found->second[0];
    if (!explained(capture, orig_h)) {
      EXPECT_EQ(zeek_conn_state(c), wanted) << line;
    }
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace halfopen::trace
