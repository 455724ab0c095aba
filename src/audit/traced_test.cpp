#include <gmock/gmock.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "audit/report.hpp"
#include "audit/test_sockets.hpp"
#include "audit/tracepoints.h"
#include "audit/tracepoints.hpp"

namespace halfopen::audit {
namespace {

using namespace test;
using testing::HasSubstr;

/// One that was open, and left for CLOSE from there.
traced ended_in(socket_state left, int error = 0) {
  traced t;
  t.cookie = 1;
  t.pid = 4711;
  t.name = "app";
  t.local = at("10.0.0.1", 40000);
  t.remote = at("10.0.0.2", 5432);
  t.opened_by = side::this_host;
  t.left = left;
  t.error = error;
  t.silence = 3s;
  return t;
}

TEST(traced_end, in_order) {
  death e = end_of(ended_in(socket_state::last_ack));
  EXPECT_EQ(e.how, ending::completed);
  EXPECT_EQ(e.by, closer::peer);
  EXPECT_EQ(e.rst, reset::neither);
  EXPECT_FALSE(e.aborted);
  e = end_of(ended_in(socket_state::fin_wait2));
  EXPECT_EQ(e.how, ending::completed);
  EXPECT_EQ(e.by, closer::this_host);
  traced both = ended_in(socket_state::closing);
  both.first_fin = closer::this_host;
  EXPECT_EQ(end_of(both).by, closer::this_host);
}

TEST(traced_end, that_nothing_explains_is_not_known) {
  const death e = end_of(ended_in(socket_state::established));
  EXPECT_FALSE(e.how);
  EXPECT_FALSE(e.aborted);
  EXPECT_EQ(e.by, closer::unknown);
  EXPECT_TRUE(end_of(ended_in(socket_state::established, EPROTO)).aborted);
}

TEST(traced_end, by_a_reset_that_came) {
  traced t = ended_in(socket_state::established, ECONNRESET);
  t.reset_received = true;
  EXPECT_TRUE(is_final(t));
  const death e = end_of(t);
  EXPECT_EQ(e.how, ending::peer_reset);
  EXPECT_EQ(e.or_else, ending::peer_rebooted);
  EXPECT_EQ(e.by, closer::peer);
  EXPECT_EQ(e.silence, 3s);
  EXPECT_TRUE(e.aborted);
}

TEST(traced_end, data_after_the_close_is_no_reset_of_the_peers) {
  traced t = ended_in(socket_state::fin_wait2, ECONNRESET);
  t.reset_received = true;
  EXPECT_FALSE(is_final(t)) << "the answer is still to come";
  t.reset_in_answer = true;
  t.reason = "TCP_ABORT_ON_DATA";
  const death e = end_of(t);
  EXPECT_FALSE(e.how);
  EXPECT_EQ(e.by, closer::this_host);
  EXPECT_EQ(e.rst, reset::sent);
  EXPECT_EQ(e.reason, "TCP_ABORT_ON_DATA");
}

TEST(traced_end, by_silence) {
  traced t = ended_in(socket_state::established, ETIMEDOUT);
  EXPECT_EQ(end_of(t).how, ending::peer_vanished);
  EXPECT_EQ(end_of(t).by, closer::timer);
  t.reset_sent = true;  // keepalive sends one when it gives up
  EXPECT_EQ(end_of(t).how, ending::peer_vanished);
  EXPECT_EQ(end_of(ended_in(socket_state::established, EHOSTUNREACH)).how, ending::host_unreachable);
  EXPECT_EQ(end_of(ended_in(socket_state::established, ENETUNREACH)).how, ending::net_unreachable);
}

TEST(traced_end, by_this_side) {
  traced t = ended_in(socket_state::established);
  t.reset_sent = true;
  t.reason = "TCP_ABORT_ON_CLOSE";
  death e = end_of(t);
  EXPECT_FALSE(e.how);
  EXPECT_EQ(e.by, closer::this_host);
  EXPECT_TRUE(e.aborted);
  t.reason = "TCP_ABORT_ON_MEMORY";
  EXPECT_EQ(end_of(t).how, ending::local_failure);
  e = end_of(ended_in(socket_state::established, ECONNABORTED));  // ss --kill
  EXPECT_EQ(e.by, closer::this_host);
  EXPECT_EQ(e.rst, reset::neither);
}

TEST(traced_end, of_a_connect) {
  EXPECT_EQ(end_of(ended_in(socket_state::syn_sent, ECONNREFUSED)).how, ending::refused);
  EXPECT_EQ(end_of(ended_in(socket_state::syn_sent, ECONNREFUSED)).by, closer::peer);
  EXPECT_EQ(end_of(ended_in(socket_state::syn_sent, ETIMEDOUT)).how, ending::peer_vanished);
  EXPECT_EQ(end_of(ended_in(socket_state::syn_sent, ETIMEDOUT)).by, closer::timer);
  EXPECT_EQ(end_of(ended_in(socket_state::syn_sent, EHOSTUNREACH)).by, closer::unknown) << "from wherever";
  EXPECT_EQ(end_of(ended_in(socket_state::syn_sent)).by, closer::this_host);
  EXPECT_FALSE(end_of(ended_in(socket_state::syn_sent)).how);
  EXPECT_EQ(end_of(ended_in(socket_state::syn_recv)).by, closer::unknown);
  EXPECT_FALSE(end_of(ended_in(socket_state::syn_recv)).opened);
}

struct told {
  ledger book{patience{}};
  std::vector<event> events;
  ledger::take_event take = [this](event&& e) { events.push_back(std::move(e)); };
};

TEST(ledger_traced, tells_whose_a_connection_was_that_no_look_has_shown) {
  told w;
  w.book.take_end(ended_in(socket_state::last_ack), "net", {}, w.take);
  ASSERT_EQ(w.events.size(), 1u);
  const event& e = w.events[0];
  EXPECT_TRUE(e.between_looks);
  EXPECT_EQ(e.pid, 4711);
  EXPECT_THAT(line_of(e),
              HasSubstr("app 4711 in net  10.0.0.1:40000 -> 10.0.0.2:5432  ended: completed, the peer"));
  traced nobody = ended_in(socket_state::last_ack);
  nobody.pid = 0;
  w.book.take_end(nobody, "", {}, w.take);
  EXPECT_THAT(line_of(w.events[1]), HasSubstr("  app  10.0.0.1:40000"));
}

TEST(ledger_traced, keeps_what_a_look_has_shown) {
  told w;
  snapshot s = machine();
  s.sockets = {open_connection()};
  s.sockets[0].cookie = 1;
  w.book.take(s, {}, w.take);
  traced t = ended_in(socket_state::established, ECONNRESET);
  t.reset_received = true;
  t.name = "another";
  t.segments_repeated = 2;
  w.book.take_end(t, "net", {}, w.take);
  ASSERT_EQ(w.events.size(), 1u);
  EXPECT_FALSE(w.events[0].between_looks);
  EXPECT_THAT(
      line_of(w.events[0]),
      HasSubstr("app 4711  10.0.0.1:40000 -> 10.0.0.2:5432  ended: peer_reset or peer_rebooted, the peer "
                "sent a reset, after 3.0 s of silence, 2 segments sent again"));
  EXPECT_THAT(json_line(w.events[0]), HasSubstr(R"("reset":"received")"));
  EXPECT_THAT(json_line(w.events[0]), HasSubstr(R"("or_else":"peer_rebooted")"));
}

TEST(traced_lines, say_how_it_ended) {
  told w;
  const auto line = [&](const traced& t) {
    w.events.clear();
    w.book.take_end(t, "", {}, w.take);
    return line_of(w.events.at(0));
  };
  traced t = ended_in(socket_state::established);
  t.reset_sent = true;
  EXPECT_THAT(line(t), HasSubstr("ended: aborted, this side sent a reset, after"));
  t.reason = "TCP_ABORT_ON_CLOSE";
  EXPECT_THAT(line(t), HasSubstr("(TCP_ABORT_ON_CLOSE: its program closed it with data unread)"));
  t.reason = "NEW_ONE";
  EXPECT_THAT(line(t), HasSubstr("this side sent a reset (NEW_ONE)"));
  EXPECT_THAT(line(ended_in(socket_state::syn_sent, ECONNREFUSED)), HasSubstr("never opened: refused"));
  EXPECT_THAT(line(ended_in(socket_state::syn_sent)), HasSubstr("never opened: its program closed it"));
  EXPECT_THAT(line(ended_in(socket_state::established, ECONNABORTED)), HasSubstr("aborted, by this side"));
  EXPECT_EQ(line_of(passed{{"curl", 2}, {"", 1}}),
            "3 connections came and went between two looks, and ended in order: 2 of curl");
  EXPECT_THAT(json_line(passed{{"curl", 2}, {"", 1}}), HasSubstr(R"("count":3)"));
}

TEST(traced_record, is_read) {
  halfopen_socket_record r{};
  r.cookie = 7;
  r.network = 42;
  r.pid = 12;
  std::memcpy(r.name, "sixteen_bytes_ab", 16);
  r.family = AF_INET6;
  const __u8 mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
  std::memcpy(r.local, mapped, 16);
  r.remote[15] = 1;
  r.remote_port = 80;
  r.left = 1;
  r.accepted = 1;
  r.first_fin = 2;
  r.resets = HALFOPEN_RESET_SENT;
  r.reason = 3;
  r.heard = 1;
  r.silent = 250;
  EXPECT_FALSE(traced_of(&r, sizeof r - 1, {}, 4ms));
  const auto t = traced_of(&r, sizeof r, {{3, "WHY"}}, 4ms);
  ASSERT_TRUE(t);
  EXPECT_EQ(t->name, "sixteen_bytes_ab");
  EXPECT_EQ(t->local, at("10.0.0.1", 0));
  EXPECT_EQ(t->remote, at("::1", 80));
  EXPECT_EQ(t->opened_by, side::peer);
  EXPECT_EQ(t->first_fin, closer::peer);
  EXPECT_TRUE(t->reset_sent);
  EXPECT_FALSE(t->reset_received);
  EXPECT_EQ(t->reason, "WHY");
  EXPECT_EQ(t->silence, 1s);
  r.family = AF_INET;
  r.heard = 0;
  r.reason = -1;
  EXPECT_EQ(traced_of(&r, sizeof r, {{3, "WHY"}}, 4ms)->reason, "");
  EXPECT_FALSE(traced_of(&r, sizeof r, {}, 4ms)->silence);
}

}  // namespace
}  // namespace halfopen::audit
