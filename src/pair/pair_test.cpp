// The four programs with each other, when all goes well and where the two kinds differ.

#include <gtest/gtest.h>

#include <thread>

#include "halfopen/wire/binary.hpp"
#include "halfopen/wire/text.hpp"
#include "pair/test_programs.hpp"

namespace halfopen::pair {
namespace {

using namespace test;
using std::chrono::milliseconds;

// What the client prints for that input; its exit status is checked.
std::string printed(const call_options& options, std::string_view input, int status = 0) {
  process client{[&options] { return call(options); }};
  std::jthread writer{[&] {
    write_all(client.in(), input);
    client.close_in();
  }};
  std::string out = read_some(client.out());
  writer.join();
  EXPECT_EQ(client.wait(), status) << read_some(client.err());
  return out;
}

TEST(pair, echo_between_all_kinds) {
  for (const kind s : kinds)
    for (const kind c : kinds) {
      running_server server{server_of(s, service::echo)};
      EXPECT_EQ(printed(client_of(c, service::echo, server.target()), "one\n\ntwo words\n"),
                "one\n\ntwo words\n");
    }
}

TEST(pair, sum_in_text_between_all_kinds) {
  for (const kind s : kinds)
    for (const kind c : kinds) {
      running_server server{server_of(s, service::sum)};
      EXPECT_EQ(printed(client_of(c, service::sum, server.target()), "1 2\n-22 -77\n"), "3\n-99\n");
    }
}

TEST(pair, sum_in_binary_frames) {
  running_server server{server_of(kind::robust, service::sum, format::binary)};
  auto options = client_of(kind::robust, service::sum, server.target(), format::binary);
  options.pipeline = 2;
  EXPECT_EQ(printed(options, "1 2\n-22 -77\n9223372036854775807 1\n4 5"), "3\n-99\nerror overflow\n9\n");
}

TEST(pair, several_targets_all_answer) {
  running_server one{server_of(kind::robust, service::sum)};
  running_server two{server_of(kind::naive, service::sum)};
  for (const kind c : kinds) {
    auto options = client_of(c, service::sum, one.target());
    options.targets.push_back(two.target());
    EXPECT_EQ(printed(options, "1 2\n3 4\n"), "3\n3\n7\n7\n");
  }
}

TEST(pair, raw_structures_agree_only_between_equal_machines) {
  const auto sum = [](std::string_view client, std::string_view server, std::string_view input) {
    running_server s{server_of(kind::naive, service::sum, format::raw, server)};
    return printed(client_of(kind::naive, service::sum, s.target(), format::raw, client), input);
  };
  EXPECT_EQ(sum("native", "native", "1 2\n-22 -77\n"), "3\n-99\n");
  EXPECT_EQ(sum("be32-padded", "be32-padded", "-22 -77\n"), "-99\n");
  EXPECT_EQ(sum("le64", "be64", "-22 -77\n"), "-72057594037928034\n");
  EXPECT_EQ(sum("le32", "be32", "-22 -77\n"), "-16777314\n");
  EXPECT_EQ(sum("le32", "le32-padded", "-22 -77\n"), "-22\n");  // the second long is where nothing came
  EXPECT_EQ(sum("le32", "le64", "1 2\n"), "1\n");  // 1 + 2 * 2^32, of which the client reads 4 bytes
  EXPECT_NE(sum("le64", "le32", "1 2\n"), "3\n");  // two requests of 8 bytes: one or both replies in one read
}

TEST(pair, formats_that_a_kind_does_not_speak_are_refused) {
  for (const auto& [who, how] : {std::pair{kind::robust, format::raw}, {kind::naive, format::binary}}) {
    const auto options = server_of(who, service::sum, how);
    process p{[&options] { return serve(options); }};
    EXPECT_EQ(p.wait(), 2);
    EXPECT_TRUE(
        read_some(p.err()).contains(who == kind::robust ? "for the naive pair" : "for the robust pair"));
  }
}

TEST(pair, an_echo_of_many_megabytes) {
  const std::string line = std::string(6 << 20, 'x') + '\n';
  for (const kind s : kinds)
    for (const kind c : kinds) {
      running_server server{server_of(s, service::echo)};
      EXPECT_TRUE(printed(client_of(c, service::echo, server.target()), line) == line);
    }
}

TEST(robust_server, answers_two_requests_in_one_segment) {
  running_server server{server_of(kind::robust, service::sum)};
  const descriptor c = connect_to(server.port);
  write_all(c.get(), "1 2\n3 4\n");
  EXPECT_EQ(read_some(c.get(), 4), "3\n7\n");
}

TEST(naive_server, forgets_the_second_request_of_a_segment_in_its_buffer) {
  running_server server{server_of(kind::naive, service::echo)};
  const descriptor c = connect_to(server.port);
  write_all(c.get(), "one\ntwo\n");
  EXPECT_EQ(read_some(c.get(), 8, moment), "one\n");
  write_all(c.get(), "three\n");  // only now does it look again
  EXPECT_EQ(read_line(c.get()), "two\n");
}

TEST(naive_server, half_a_line_keeps_everybody_waiting) {
  for (const kind who : kinds) {
    running_server server{server_of(who, service::echo)};
    const descriptor slow = connect_to(server.port);
    write_all(slow.get(), "hal");
    std::this_thread::sleep_for(moment / 2);
    const descriptor other = connect_to(server.port);
    write_all(other.get(), "hello\n");
    EXPECT_EQ(read_line(other.get(), moment), who == kind::naive ? "" : "hello\n");
  }
}

TEST(robust_server, answers_a_request_that_comes_a_byte_at_a_time) {
  for (const format how : {format::text, format::binary}) {
    running_server server{server_of(kind::robust, service::sum, how)};
    const descriptor c = connect_to(server.port);
    const std::string request = how == format::text ? wire::text::encode(wire::sum_request{1, 2})
                                                    : wire::binary::encode(wire::sum_request{1, 2});
    const std::string reply = how == format::text ? wire::text::encode(wire::sum_reply{3})
                                                  : wire::binary::encode(wire::sum_reply{3});
    for (const char byte : request) {
      write_all(c.get(), {&byte, 1});
      std::this_thread::sleep_for(milliseconds{1});
    }
    EXPECT_EQ(read_some(c.get(), reply.size()), reply);
  }
}

}  // namespace
}  // namespace halfopen::pair
