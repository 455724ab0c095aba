#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "halfopen/fate.hpp"

namespace halfopen {
namespace {

using testing::ElementsAre;

TEST(ending_of, depends_on_the_call) {
  EXPECT_EQ(ending_of(operation::connect, ECONNREFUSED), ending::refused);
  EXPECT_EQ(ending_of(operation::read, ECONNRESET), ending::peer_reset);
  EXPECT_EQ(ending_of(operation::write, EPIPE), ending::broken_pipe);
  EXPECT_EQ(ending_of(operation::connect, EPIPE), ending::peer_reset);
  EXPECT_EQ(ending_of(operation::read, ETIMEDOUT), ending::peer_vanished);
  EXPECT_EQ(ending_of(operation::connect, ETIMEDOUT), ending::peer_vanished);
  EXPECT_EQ(ending_of(operation::read, EHOSTUNREACH), ending::host_unreachable);
  EXPECT_EQ(ending_of(operation::connect, EHOSTDOWN), ending::host_unreachable);
  EXPECT_EQ(ending_of(operation::connect, ENETUNREACH), ending::net_unreachable);
  EXPECT_EQ(ending_of(operation::accept, EPROTO), ending::aborted_before_accept);
  EXPECT_EQ(ending_of(operation::read, EPROTO), ending::host_unreachable);
  EXPECT_EQ(ending_of(operation::accept, ECONNABORTED), ending::aborted_before_accept);
  EXPECT_EQ(ending_of(operation::read, ECONNABORTED), ending::local_failure);
  EXPECT_EQ(ending_of(operation::read, EAGAIN), ending::deadline_passed);
  EXPECT_EQ(ending_of(operation::connect, EAGAIN), ending::local_failure);
  EXPECT_EQ(ending_of(operation::connect, EINPROGRESS), ending::deadline_passed);
  EXPECT_EQ(ending_of(operation::read, 0), ending::peer_closed);
  EXPECT_EQ(ending_of(operation::write, 0), ending::completed);
  for (const int error : {EMFILE, EADDRNOTAVAIL, EACCES, ENOMEM, EBADF, EINTR, -1, 99999})
    EXPECT_EQ(ending_of(operation::connect, error), ending::local_failure) << error;
}

TEST(parse_errno, takes_names_and_numbers) {
  for (const char* name : {"ECONNRESET", "econnreset", "104"}) {
    const auto found = parse_errno(name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->error, ECONNRESET);
    EXPECT_THAT(found->endings,
                ElementsAre(ending::peer_reset, ending::peer_rebooted, ending::aborted_before_accept));
  }
  EXPECT_EQ(parse_errno("EWOULDBLOCK")->error, EAGAIN);
  EXPECT_EQ(parse_errno("ENOTSUP")->error, EOPNOTSUPP);
  EXPECT_THAT(parse_errno("EMFILE")->endings, ElementsAre(ending::local_failure, std::nullopt, std::nullopt));
}

TEST(parse_errno, knows_nothing_else) {
  for (const char* name : {"", "E", "ECONNRESE", "ECONNRESETT", "0", "-104", "104x", " 104", "4096",
                           "9999999999", "peer_reset", "EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE"})
    EXPECT_FALSE(parse_errno(name)) << name;
}

// What ending_of() may say of an errno is in its list of meanings, and in no errno's twice.
TEST(parse_errno, agrees_with_ending_of) {
  for (int error = 1; error < 140; ++error) {
    const char* name = strerrorname_np(error);
    if (!name) continue;
    const auto meaning = parse_errno(name);
    ASSERT_TRUE(meaning) << name;
    EXPECT_EQ(meaning->error, error);
    for (const operation during :
         {operation::connect, operation::accept, operation::read, operation::write}) {
      const ending e = ending_of(during, error);
      if (e == ending::local_failure) continue;
      EXPECT_THAT(meaning->endings, testing::Contains(std::optional(e))) << name;
    }
    EXPECT_TRUE(meaning->endings[0]) << name;
  }
}

}  // namespace
}  // namespace halfopen
