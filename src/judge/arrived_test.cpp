#include "judge/arrived.hpp"

#include <gtest/gtest.h>

namespace halfopen::judge {
namespace {

TEST(arrived, a_reply_has_arrived_when_what_precedes_its_FIN_is_acknowledged) {
  trace::flow reply;
  EXPECT_FALSE(has_arrived(reply));
  reply.bytes = 68;
  reply.fin = trace::mark{};
  EXPECT_FALSE(has_arrived(reply));  // reply and FIN came at once, and nobody has acknowledged yet
  reply.acked = 67;
  EXPECT_FALSE(has_arrived(reply));
  reply.acked = 68;
  EXPECT_TRUE(has_arrived(reply));
  reply.fin = std::nullopt;
  EXPECT_FALSE(has_arrived(reply));  // more may come
  reply.acked = 0;
  reply.rst = trace::mark{};
  EXPECT_TRUE(has_arrived(reply));  // what a reset overtakes never arrives
}

}  // namespace
}  // namespace halfopen::judge
