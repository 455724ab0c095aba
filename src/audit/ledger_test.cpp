#include "audit/ledger.hpp"

#include <gmock/gmock.h>

#include "audit/report.hpp"
#include "audit/test_sockets.hpp"

namespace halfopen::audit {
namespace {

using namespace test;
using testing::HasSubstr;

struct watched {
  ledger book{patience{}};
  std::vector<event> told;
  void look(std::vector<tcp_socket> sockets) {
    snapshot s = machine();
    s.sockets = std::move(sockets);
    told.clear();
    book.take(s, {}, [this](event&& e) { told.push_back(std::move(e)); });
  }
  void end_of(const tcp_socket& s) {
    told.clear();
    book.take_end(s, "net", {}, [this](event&& e) { told.push_back(std::move(e)); });
  }
};

tcp_socket number(std::uint64_t cookie, tcp_socket s = open_connection()) {
  s.cookie = cookie;
  return s;
}

TEST(ledger, tells_of_what_is_new_but_not_at_first) {
  watched w;
  w.look({number(1)});
  EXPECT_TRUE(w.told.empty());
  w.look({number(1), number(2), number(3, listener()), number(0)});
  ASSERT_EQ(w.told.size(), 1u);
  EXPECT_EQ(w.told[0].what, event::kind::opened);
  EXPECT_EQ(w.told[0].pid, 4711);
  EXPECT_EQ(w.told[0].name, "app");
  EXPECT_THAT(
      line_of(w.told[0]),
      HasSubstr("app 4711  10.0.0.1:40000 -> 10.0.0.2:5432  opened; a vanished peer is noticed idle: never"));
}

TEST(ledger, tells_of_a_new_connection_when_its_process_is_known_or_at_the_next_look) {
  tcp_socket of_nobody = number(1);
  of_nobody.process = none;
  watched w;
  w.look({});
  w.look({of_nobody});
  EXPECT_TRUE(w.told.empty());
  w.look({number(1)});
  ASSERT_EQ(w.told.size(), 1u);
  EXPECT_EQ(w.told[0].name, "app");
  w.look({number(1)});
  EXPECT_TRUE(w.told.empty());
  of_nobody.cookie = 2;
  w.look({of_nobody});
  w.look({of_nobody});
  ASSERT_EQ(w.told.size(), 1u);
  EXPECT_EQ(w.told[0].pid, 0);
}

TEST(ledger, tells_what_became_wrong_and_what_no_longer_is) {
  watched w;
  w.look({number(1, retransmitting(2))});
  ASSERT_EQ(w.told.size(), 1u) << "also at first";
  EXPECT_EQ(w.told[0].what, event::kind::wrong);
  EXPECT_EQ(w.told[0].found.what, wrong::retransmitting);
  w.look({number(1, retransmitting(3))});
  EXPECT_TRUE(w.told.empty());
  w.look({number(1)});
  ASSERT_EQ(w.told.size(), 1u);
  EXPECT_EQ(w.told[0].what, event::kind::recovered);
  EXPECT_THAT(line_of(w.told[0]), HasSubstr("no longer: sends again"));
}

TEST(ledger, tells_of_an_end_with_what_was_known_before) {
  watched w;
  w.look({number(1)});
  tcp_socket last = number(1);
  last.local = {};  // what the kernel has cleared
  last.state = socket_state::close;
  last.figures->bytes_acked = 2;
  w.end_of(last);
  ASSERT_EQ(w.told.size(), 1u);
  EXPECT_EQ(w.told[0].what, event::kind::ended);
  EXPECT_EQ(w.told[0].pid, 4711);
  EXPECT_EQ(w.told[0].socket.local, open_connection().local);
  EXPECT_EQ(w.told[0].ended.how, ending::completed);
  EXPECT_EQ(w.book.size(), 0u);
  w.end_of(last);
  ASSERT_EQ(w.told.size(), 1u) << "it was not seen before";
  EXPECT_EQ(w.told[0].pid, 0);
  EXPECT_EQ(w.told[0].network, "net");
  EXPECT_THAT(line_of(w.told[0]), HasSubstr("(process not known) in net"));
}

TEST(ledger, keeps_what_would_end_a_connection_where_a_look_has_shown_its_end) {
  const tcp_socket seen = number(1, with_keepalive(60s, 10s, 3));
  tcp_socket descriptor_is_closed = seen;
  descriptor_is_closed.options.reset();
  descriptor_is_closed.process = none;
  tcp_socket gone = descriptor_is_closed;
  gone.state = socket_state::close;
  gone.opened_by = side::unknown;
  tcp_socket last = seen;
  last.state = socket_state::close;
  last.figures->probes = 3;
  last.figures->since_received = last.figures->since_ack = 1h;
  last.figures->bytes_acked = 1;
  for (const tcp_socket& shown : {seen, descriptor_is_closed, gone}) {
    watched w;
    w.look({seen});
    w.look({shown});
    w.end_of(last);
    ASSERT_EQ(w.told.size(), 1u);
    EXPECT_EQ(w.told[0].pid, 4711);
    EXPECT_EQ(w.told[0].ended.how, ending::peer_vanished);
    EXPECT_EQ(w.told[0].ended.by, closer::timer);
    EXPECT_EQ(w.told[0].socket.opened_by, side::this_host);
  }
}

TEST(ledger, does_not_tell_of_a_listeners_end_and_forgets_what_is_gone) {
  watched w;
  w.look({number(1, listener()), number(2)});
  w.end_of(number(1, listener()));
  EXPECT_TRUE(w.told.empty());
  w.look({});
  w.look({});
  EXPECT_EQ(w.book.size(), 0u);
}

TEST(event_lines, say_how_it_ended) {
  event e;
  e.what = event::kind::ended;
  e.socket = open_connection();
  EXPECT_THAT(line_of(e), HasSubstr("never opened: refused, or closed by its program"));
  e.ended.repeated = 6;
  EXPECT_THAT(line_of(e), HasSubstr("SYN sent again 6 times"));
  e.ended.opened = true;
  EXPECT_THAT(line_of(e), HasSubstr("how is not known"));
  e.ended.aborted = true;
  EXPECT_THAT(line_of(e), HasSubstr("aborted (a reset, by whom is not known)"));
  e.ended.how = ending::peer_vanished;
  e.ended.by = closer::timer;
  e.ended.silence = 930s;
  EXPECT_THAT(line_of(e),
              HasSubstr("ended: peer_vanished, given up by the kernel, after 15 min 30 s of silence"));
  EXPECT_THAT(json_line(e), HasSubstr(R"("how":"peer_vanished")"));
  e.ended.how = ending::completed;
  e.ended.aborted = false;
  e.ended.by = closer::peer;
  EXPECT_THAT(line_of(e), HasSubstr("the peer closed first"));
  e.ended.by = closer::this_host;
  EXPECT_THAT(line_of(e), HasSubstr("this side closed first"));
}

}  // namespace
}  // namespace halfopen::audit
