// How a handshake goes well, and each way in which it does not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <thread>

#include "halfopen/client.hpp"
#include "halfopen/connect.hpp"
#include "halfopen/server.hpp"
#include "tls/test_tls.hpp"

namespace halfopen::tls {
namespace {

using namespace test;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

void expect_never_opened(const fate& f, ending how) {
  EXPECT_EQ(to_string(f.how), to_string(how)) << to_string(f);
  EXPECT_EQ(f.when, phase::connecting);
  EXPECT_EQ(f.again, how == ending::malformed ? retry::pointless : retry::safe);
}

TEST(tls_handshake, goes_well_with_both_versions_on_both_sides) {
  for (const role mine : {role::client, role::server})
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      secured c(mine, {.least = version, .most = version});
      EXPECT_FALSE(c.s.tls());
      const auto done = c.begin();
      ASSERT_TRUE(done) << to_string(done.error());
      EXPECT_EQ(c.s.where(), phase::idle);
      EXPECT_EQ(c.s.handed_over(), 0U);
      EXPECT_EQ(c.s.tls().value().version, version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
      EXPECT_FALSE(c.s.tls()->resumed);
      EXPECT_TRUE(c.write("hello\n"));
      EXPECT_EQ(c.s.handed_over(), 6U);
      EXPECT_EQ(c.other.read(6), "hello\n");
      EXPECT_TRUE(c.other.write("good day\n"));
      EXPECT_EQ(c.line().value(), "good day");
    }
}

TEST(tls_handshake, a_peer_that_never_speaks_is_not_waited_for_beyond_the_deadline) {
  for (const role mine : {role::client, role::server}) {
    secured c(mine);
    const auto done = c.secure(mine == role::client ? *our_client() : *our_server(), 20ms);
    ASSERT_FALSE(done);
    expect_never_opened(done.error(), ending::deadline_passed);
    EXPECT_EQ(done.error().detail, "the time limit passed in the TLS handshake");
    EXPECT_FALSE(c.s.tls());
  }
}

TEST(tls_handshake, garbage_in_its_place_is_malformed) {
  for (const role mine : {role::client, role::server}) {
    secured c(mine);
    send_all(c.other.fd.get(), "220 mail.example.org ESMTP ready\r\n");
    const auto done = c.secure(mine == role::client ? *our_client() : *our_server());
    ASSERT_FALSE(done);
    expect_never_opened(done.error(), ending::malformed);
    EXPECT_THAT(std::string(done.error().detail), StartsWith("TLS: "));
  }
}

TEST(tls_handshake, plain_http_is_called_by_its_name) {
  secured c(role::server);
  send_all(c.other.fd.get(), "GET / HTTP/1.1\r\nHost: server\r\n\r\n");
  const auto done = c.secure(*our_server());
  ASSERT_FALSE(done);
  expect_never_opened(done.error(), ending::malformed);
  EXPECT_EQ(done.error().detail, "TLS: http request");
}

TEST(tls_handshake, a_certificate_that_is_not_accepted_says_why_and_the_peer_is_told) {
  const certificates& m = made();
  struct {
    std::string certificate, key, name;
    const char *why, *alert;
  } const all[]{
      {m.stranger, m.stranger_key, "server", "self-signed certificate", "unknown CA"},
      {m.expired, m.expired_key, "server", "certificate has expired", "certificate expired"},
      {m.server, m.server_key, "elsewhere", "hostname mismatch", "bad certificate"},
      {m.server, m.server_key, "127.0.0.2", "IP address mismatch", "bad certificate"},
  };
  for (const auto& one : all) {
    secured c(role::client, {.certificate = one.certificate, .key = one.key});
    const auto theirs = meanwhile([&] { return !c.other.shake_hands() || c.other.read(1).empty(); });
    const auto done = c.play(c.s.secure(*our_client(), one.name, ample));
    ASSERT_FALSE(done);
    expect_never_opened(done.error(), ending::local_failure);
    EXPECT_EQ(done.error().detail, std::string("the peer's certificate is not accepted: ") + one.why);
    theirs.wait();
    EXPECT_EQ(c.other.alert(), one.alert);
  }
}

TEST(tls_handshake, an_address_may_be_what_the_certificate_names) {
  secured c;
  const auto theirs = meanwhile([&] { return c.other.shake_hands(); });
  EXPECT_TRUE(c.play(c.s.secure(*our_client(), "127.0.0.1", ample)));
}

TEST(tls_handshake, a_trailing_dot_is_not_a_part_of_the_name) {
  secured c;
  const auto theirs = meanwhile([&] { return c.other.shake_hands(); });
  EXPECT_TRUE(c.play(c.s.secure(*our_client(), "server.", ample)));
}

TEST(tls_handshake, without_a_name_there_is_nothing_to_verify) {
  for (const char* name : {"", "."}) {
    secured c;
    const auto done = c.play(c.s.secure(*our_client(), name, ample));
    ASSERT_FALSE(done);
    expect_never_opened(done.error(), ending::local_failure);
  }
}

TEST(tls_handshake, who_is_not_to_be_verified_may_be_anybody) {
  secured c(role::client, {.certificate = made().stranger, .key = made().stranger_key});
  const auto theirs = meanwhile([&] { return c.other.shake_hands(); });
  EXPECT_TRUE(c.play(c.s.secure(*our_client({.verify = false}), "", ample)));
}

TEST(tls_handshake, the_peers_alert_is_named) {
  // It asks for a certificate, and we have none.
  secured c(role::client, {.most = TLS1_2_VERSION, .trust = made().authority});
  const auto theirs = meanwhile([&] { return c.other.shake_hands(); });
  const auto done = c.secure(*our_client());
  ASSERT_FALSE(done);
  expect_never_opened(done.error(), ending::peer_closed);
  EXPECT_THAT(std::string(done.error().detail), StartsWith("the peer's TLS alert: "));
}

TEST(tls_handshake, our_client_shows_its_certificate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    secured c(role::client, {.least = version, .most = version, .trust = made().authority});
    auto theirs = meanwhile([&] { return c.other.shake_hands(); });
    EXPECT_TRUE(c.secure(*our_client({.certificate = made().client, .key = made().client_key})));
    EXPECT_TRUE(theirs.get());
  }
}

TEST(tls_handshake, our_server_may_ask_for_a_certificate) {
  for (const bool has_one : {true, false}) {
    peer_options options;
    options.certificate = has_one ? made().client : "";
    options.key = made().client_key;
    secured c(role::server, options);
    const auto theirs = meanwhile([&] { return c.other.shake_hands() && !c.other.read(1).empty(); });
    const auto done = c.secure(*our_server({.trust = made().authority}));
    EXPECT_EQ(done.has_value(), has_one);
    if (!has_one) {
      expect_never_opened(done.error(), ending::local_failure);
      EXPECT_EQ(done.error().detail, "the peer has shown no certificate");
    }
    EXPECT_TRUE(c.play([](stream& s, bool well) -> asio::awaitable<bool> {
      if (well) co_return (co_await s.write("x", ample)).has_value();
      co_return true;
    }(c.s, has_one)));
    c.play(c.s.close(20ms));
  }
}

TEST(tls_handshake, a_version_that_is_too_old_is_refused_and_the_refused_one_is_told) {
  secured c(role::server, {.most = TLS1_2_VERSION});
  auto theirs = meanwhile([&] { return c.other.shake_hands(); });
  const auto done = c.secure(*our_server({.least = tls_version::v1_3}));
  ASSERT_FALSE(done);
  expect_never_opened(done.error(), ending::malformed);
  EXPECT_EQ(done.error().detail, "TLS: unsupported protocol");
  EXPECT_FALSE(theirs.get());
  EXPECT_EQ(c.other.alert(), "protocol version");

  secured d(role::client, {.least = TLS1_3_VERSION});
  const auto server = meanwhile([&] { return d.other.shake_hands(); });
  EXPECT_TRUE(d.secure(*our_client({.least = tls_version::v1_3})));
}

TEST(tls_handshake, application_protocols_are_agreed_upon) {
  secured c(role::client, {.protocol = "h2"});
  const auto theirs = meanwhile([&] { return c.other.shake_hands(); });
  ASSERT_TRUE(c.secure(*our_client({.protocols = {"http/1.1", "h2"}})));
  EXPECT_EQ(c.s.tls().value().application_protocol, "h2");

  // The server's wish comes first.
  secured d(role::server, {.protocols = "\2h2\10http/1.1"});
  const auto client = meanwhile([&] { return d.other.shake_hands(); });
  ASSERT_TRUE(d.secure(*our_server({.protocols = {"http/1.1", "h2"}})));
  EXPECT_EQ(d.s.tls().value().application_protocol, "http/1.1");
}

TEST(tls_handshake, without_a_protocol_in_common_there_is_no_connection) {
  secured c(role::server, {.protocols = "\4smtp"});
  auto theirs = meanwhile([&] { return c.other.shake_hands(); });
  const auto done = c.secure(*our_server({.protocols = {"h2"}}));
  ASSERT_FALSE(done);
  expect_never_opened(done.error(), ending::malformed);
  EXPECT_FALSE(theirs.get());
  EXPECT_EQ(c.other.alert(), "no application protocol");
}

TEST(tls_handshake, who_asks_for_no_protocol_gets_none) {
  secured c(role::server);
  const auto theirs = meanwhile([&] { return c.other.shake_hands(); });
  ASSERT_TRUE(c.secure(*our_server({.protocols = {"h2"}})));
  EXPECT_EQ(c.s.tls().value().application_protocol, "");
}

TEST(tls_handshake, a_fin_in_it_is_peer_closed_and_an_rst_is_peer_reset) {
  for (const bool by_reset : {false, true}) {
    secured c(role::server);
    // The beginning of a ClientHello.
    send_all(c.other.fd.get(), std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
    if (by_reset)
      reset(c.other.fd);
    else
      finish(c.other.fd);
    const auto done = c.secure(*our_server());
    ASSERT_FALSE(done);
    expect_never_opened(done.error(), by_reset ? ending::peer_reset : ending::peer_closed);
    if (!by_reset) {
      EXPECT_EQ(done.error().detail, "end-of-file in the TLS handshake");
    }
  }
}

TEST(tls_handshake, it_ends_when_it_is_told_to_stop) {
  secured c(role::server);
  const auto context = our_server();
  const auto done = play_and_cancel(c.context, c.s.secure(*context, "", ample), moment);
  ASSERT_FALSE(done);
  expect_never_opened(done.error(), ending::shut_down);

  secured d(role::server);
  d.s.drain();
  const auto drained = d.secure(*our_server());
  ASSERT_FALSE(drained);
  expect_never_opened(drained.error(), ending::shut_down);
}

TEST(tls_handshake, bytes_from_before_are_the_handshakes_and_never_plaintext) {
  secured c(role::server);
  send_all(c.other.fd.get(), "injected\n");
  ASSERT_EQ(c.play(c.s.read(ample)).value(), "injected\n");
  const auto done = c.secure(*our_server());
  ASSERT_FALSE(done);
  expect_never_opened(done.error(), ending::malformed);
  EXPECT_EQ(c.s.unread(), "");

  secured d(role::server);
  const auto theirs = meanwhile([&] { return d.other.shake_hands(); });
  ASSERT_TRUE(d.play(d.s.read(ample)));  // the ClientHello, not consumed
  EXPECT_TRUE(d.secure(*our_server()));
}

TEST(tls_handshake, the_first_request_may_come_with_its_last_bytes) {
  secured c(role::server);
  const auto theirs = meanwhile([&] { return c.other.shake_hands() && c.other.write("request\n"); });
  ASSERT_TRUE(c.secure(*our_server()));
  EXPECT_EQ(c.line().value(), "request");
}

TEST(tls_handshake, a_session_goes_on_with_the_next_connection) {
  const auto ours = our_client();
  const auto theirs = our_server();
  const auto resumed = [&](const tls_context& context) {
    ends e = connection();
    asio::io_context io(1);
    stream client(io.get_executor(), std::move(e.here)), server(io.get_executor(), std::move(e.there));
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
          if (!co_await server.secure(*theirs, "", ample)) co_return;
          const auto sent = co_await server.write("hello\n", ample);
          EXPECT_TRUE(sent);
        },
        asio::detached);
    return play(io, [&]() -> asio::awaitable<bool> {
      const auto secured = co_await client.secure(context, "server", ample);
      EXPECT_TRUE(secured);
      const auto line = co_await client.read_line(100, ample);  // the tickets come before it
      EXPECT_TRUE(line);
      co_return client.tls().value().resumed;
    }());
  };
  EXPECT_FALSE(resumed(*ours));
  EXPECT_TRUE(resumed(*ours));
  EXPECT_TRUE(resumed(*ours));
  const auto forgetful = our_client({.resume = false});
  EXPECT_FALSE(resumed(*forgetful));
  EXPECT_FALSE(resumed(*forgetful));
}

TEST(tls_context, says_what_is_wrong_with_a_file) {
  const certificates& m = made();
  const auto of_server = [](const std::string& certificate, const std::string& key) {
    return tls_server({.certificate = certificate, .key = key}).error();
  };
  EXPECT_EQ(of_server("/nowhere.pem", m.server_key),
            "cannot take a certificate from '/nowhere.pem': No such file or directory");
  EXPECT_THAT(of_server(m.empty, m.server_key), HasSubstr("no start line"));
  EXPECT_THAT(of_server(m.server, m.client_key), HasSubstr("key values mismatch"));
  EXPECT_THAT(of_server(m.server, m.empty), HasSubstr("cannot take a private key from"));
  EXPECT_THAT(tls_client({.trust = m.empty}).error(), HasSubstr("cannot take certificates to trust from"));
  EXPECT_THAT(tls_client({.protocols = {""}}).error(), HasSubstr("1 to 255 bytes"));
  EXPECT_TRUE(tls_client());
}

// ---- the client and the server of the library -------------------------------------------------

asio::awaitable<fate> echo(stream& c) {
  for (;;) {
    if (const auto next = co_await c.next_message(ample); !next) co_return next.error();
    const auto line = co_await c.read_line(100, ample);
    if (!line) co_return line.error();
    const std::string reply = std::string(*line) + "\n";
    if (const auto sent = co_await c.write(reply, ample); !sent) co_return sent.error();
  }
}

asio::awaitable<stream::result<void>> echo_one(stream& c) {
  const auto line = co_await c.read_line(100, ample);
  if (!line) co_return std::unexpected(line.error());
  const std::string reply = std::string(*line) + "\n";
  co_return co_await c.write(reply, ample);
}

asio::awaitable<stream::result<std::string>> ask_for_echo(stream& s) {
  if (const auto sent = co_await s.write("hello\n", ample); !sent) co_return std::unexpected(sent.error());
  const auto reply = co_await s.read_line(100, ample);
  if (!reply) co_return std::unexpected(reply.error());
  co_return std::string(*reply);
}

struct running_server {
  explicit running_server(std::chrono::milliseconds handshake_limit = ample)
      : running_server(echo, handshake_limit) {}
  template <class Handler>
  explicit running_server(Handler serve, std::chrono::milliseconds handshake_limit = ample)
      : s({.heed_signals = false,
           .use_systemd = false,
           .tls = our_server(),
           .handshake_limit = handshake_limit,
           .ended = [this](const auto&, const fate& how) { ends.push_back(how); }},
          serve) {
    EXPECT_TRUE(s.open());
    thread = std::jthread([this] { EXPECT_TRUE(s.run()); });
  }
  std::string port() const { return std::to_string(s.local().port()); }
  void stop() {
    s.stop();
    thread.join();
  }

  server s;
  std::vector<fate> ends;  // to be read after stop()
  std::jthread thread;
};

TEST(tls_handshake, exchanges_and_handlers_need_not_know_of_it) {
  running_server there;
  asio::io_context io(1);
  client c(io.get_executor(), "127.0.0.1", there.port(), {.tls = our_client()});
  EXPECT_EQ(play(io, c.call(ask_for_echo, ample)).value(), "hello");
  EXPECT_EQ(play(io, c.call(ask_for_echo, ample)).value(), "hello");
  EXPECT_EQ(c.count().connected, 1U);
  EXPECT_EQ(c.count().idle, 1U);
  there.stop();
  ASSERT_EQ(there.ends.size(), 1U);
  EXPECT_EQ(there.ends[0].how, ending::shut_down);
  EXPECT_EQ(c.count().idle, 1U);
  // The pool sees the end before it asks, and the other attempt is refused.
  EXPECT_EQ(play(io, c.call(ask_for_echo, 300ms)).error().when, phase::connecting);
  EXPECT_EQ(c.count().stale, 1U);
}

TEST(tls_handshake, a_handler_of_messages_need_not_know_of_it) {
  running_server there(echo_one);
  asio::io_context io(1);
  client c(io.get_executor(), "127.0.0.1", there.port(), {.tls = our_client()});
  EXPECT_EQ(play(io, c.call(ask_for_echo, ample)).value(), "hello");
  EXPECT_EQ(play(io, c.call(ask_for_echo, ample)).value(), "hello");
  client plain(io.get_executor(), "127.0.0.1", there.port());
  EXPECT_FALSE(play(io, plain.call(ask_for_echo, ample))) << "no TLS, no handler";
  plain.close();
  there.stop();
  ASSERT_EQ(there.ends.size(), 2U);
  EXPECT_EQ(there.ends[0].how, ending::malformed);
  EXPECT_EQ(there.ends[1].how, ending::shut_down);
}

TEST(tls_handshake, a_server_tells_of_one_that_failed_and_serves_the_next) {
  running_server there;
  asio::io_context io(1);
  std::vector<attempt> failed;
  const auto trusted = our_client();
  const auto unverified =
      play(io, connect("localhost", there.port(), ample,
                       {.failed = &failed, .tls = trusted.get(), .tls_name = "elsewhere"}));
  ASSERT_FALSE(unverified);
  expect_never_opened(unverified.error(), ending::local_failure);
  EXPECT_FALSE(failed.empty());
  client c(io.get_executor(), "127.0.0.1", there.port(), {.tls = trusted});
  EXPECT_EQ(play(io, c.call(ask_for_echo, ample)).value(), "hello");
  c.close();
  there.stop();
  ASSERT_EQ(there.ends.size(), 2U);
  expect_never_opened(there.ends[0], ending::peer_closed);
  EXPECT_EQ(there.ends[0].detail, "the peer's TLS alert: bad certificate");
  EXPECT_EQ(there.ends[1].how, ending::completed);
}

TEST(tls_handshake, a_server_does_not_wait_for_who_says_nothing) {
  running_server there(20ms);
  const unique_fd silent = connect_to(there.s.local());
  EXPECT_TRUE(receive(silent.get()).ended);
  there.stop();
  ASSERT_EQ(there.ends.size(), 1U);
  expect_never_opened(there.ends[0], ending::deadline_passed);
}

}  // namespace
}  // namespace halfopen::tls
