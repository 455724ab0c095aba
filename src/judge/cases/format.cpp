// TCP is a stream of bytes: where a segment ends says nothing. And every byte of a stranger is hostile.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <random>
#include <set>

#include "judge/stage.hpp"

namespace halfopen::judge {
namespace {

constexpr const char* stream_rule =
    "TCP keeps no boundaries: a read gives any number of bytes from one on (RFC 9293 section 3.8, read(2))";
constexpr const char* read_on = "read until the message is whole: what one read gives is a piece of any size";
constexpr const char* hostile_rule =
    "what comes from a network is checked before it is used: lengths, ranges, ends (CERT INT04-C)";

constexpr std::size_t places_to_cut = 32;
constexpr std::uint16_t smallest_mss = 48;
constexpr std::uint64_t too_much_memory = 256ULL << 20U;

void answered(stage& s, std::size_t reply, const std::string& what) {
  s.require_whole(reply >= s.base.reply.least,
                  fmt::format("{} ({} of {} bytes)", what, reply, s.base.reply.least), read_on);
}

/// One byte a segment and a read: each is sent when the server's program has read the one before. It stops
/// where none is read for that long.
struct bytes_said {
  std::size_t sent = 0, read = 0;
};
bytes_said say_bytewise(stage& s, client_part& c, std::size_t bytes, milliseconds limit) {
  bytes_said so_far;
  while (so_far.read < bytes) {
    ++so_far.sent;
    if (!c.say(so_far.sent, limit)) break;
    s.lab.until([&] { return c.was_read() || c.at_end(); }, limit);
    if (!c.was_read()) break;
    ++so_far.read;
  }
  return so_far;
}

/// How many of the connection's first segments with payload have just one byte. At the end: the
/// latest packets are taken in late.
std::size_t single_segments(const stage& s, const trace::endpoint& opener, trace::side of,
                            std::size_t said_before) {
  std::size_t before = 0;
  std::size_t singles = 0;
  for (const data_segment& one : s.packets().segments(opener, of)) {
    if (before < said_before)
      before += one.length;
    else if (one.length == 1)
      ++singles;
    else
      break;
  }
  return singles;
}

void bytewise(stage& s) {
  const asked request = s.need_request(2);
  lab::process& program = s.serve();
  const auto c = s.play_client();
  const std::size_t wanted = std::min(request.bytes.size(), single_bytes);
  bytes_said said;
  s.inject([&] { said = say_bytewise(s, *c, wanted, 1s); });
  c->say_the_rest();
  answered(s, c->hear(s.base.reply, s.soon), "a request of which each read gives one byte is answered");
  c->close();
  s.judge_server(program, c->ends());
  const trace::flow& back = c->traffic()->of(trace::side::responder);
  const bool gave_up = back.fin || back.rst || said.read == said.sent;
  s.prove(
      said.read >= 1 && (said.read == wanted || gave_up || program.ended()) &&
          single_segments(s, c->self(), trace::side::opener, c->said_before()) >= said.read,
      fmt::format("{} of the request's bytes, each in a segment of its own, read before the next was sent",
                  said.read));
}

void cut_everywhere(stage& s) {
  const std::size_t size = s.need_request(2).bytes.size();
  lab::process& program = s.serve();
  std::vector<trace::endpoint> used;
  std::set<std::size_t> places;
  for (std::size_t i = 1; i <= places_to_cut; ++i)
    places.insert(std::max<std::size_t>(1, i * (size - 1) / places_to_cut));
  std::string wrong;
  std::size_t said_before = 0;
  for (const std::size_t place : places) {
    const auto c = s.play_client();
    used.push_back(c->self());
    said_before = c->said_before();
    s.inject([&] {
      c->say(place, s.soon);
      s.until_read(s.server, c->self(), 100ms);
    });
    c->say_the_rest();
    if (c->hear(s.base.reply, s.soon) < s.base.reply.least) wrong += fmt::format(" {}", place);
    if (program.ended()) break;
  }
  s.require_whole(wrong.empty(),
                  wrong.empty() ? "cut anywhere, the request is answered"
                                : "cut at byte" + wrong + " the request is answered",
                  read_on);
  s.judge_server(program, used);
  const auto in_two = std::ranges::count_if(used, [&](const trace::endpoint& opener) {
    std::size_t sum = 0;
    const auto all = s.packets().segments(opener, trace::side::opener);
    return std::ranges::any_of(all, [&](const data_segment& one) {
      sum += one.length;
      return sum > said_before && sum < said_before + size;
    });
  });
  s.prove(in_two > 0 && static_cast<std::size_t>(in_two) + 1 >= used.size(),
          fmt::format("{} of {} requests are in more than one segment", in_two, used.size()));
}

void two_in_one(stage& s) {
  const std::size_t size = s.need_request().bytes.size();
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.hold_server();  // so that one read finds both
  s.inject([&] { c.send(c.request() + c.request()); });
  if (!s.faulty()) c.send(c.request());
  std::uint64_t waiting = 0;
  for (const lab::socket_view& v : s.server.sockets())
    if (v.remote == c.self()) waiting = v.unread;
  s.prove(waiting >= 2 * size,
          fmt::format("two requests, {} bytes in all, wait for the server to read them", waiting));
  s.resume_server();
  std::string reply =
      c.receive({2 * s.base.reply.least, 2 * s.base.reply.most}, std::max(s.soon, 2 * s.base.took));
  const bool one_and_closed = reply.size() >= s.base.reply.least && c.at_end();
  s.require_whole(
      reply.size() >= 2 * s.base.reply.least || one_and_closed,
      one_and_closed
          ? "the first is answered, and the connection closed"
          : fmt::format("both are answered ({} of {} bytes)", reply.size(), 2 * s.base.reply.least),
      "what follows the first message in the same read is the beginning of the next one: keep it");
  c.close();
  s.judge_server(program, std::array{c.self()});
}

void cut_short(stage& s) {
  const asked request = s.need_request(2);
  lab::process& program = s.serve();
  const auto c = s.play_client();
  const std::size_t all_but_one = c->said_before() + request.bytes.size() - 1;
  bool sent = false;
  s.inject([&] {
    sent = c->say(request.bytes.size() - 1, s.soon);
    // The beginning may be answered by itself, and who closes with bytes unread sends RST.
    (void)c->hear({1, s.base.reply.most}, settled);
    c->close();
  });
  s.prove(sent, "all of the request but its last byte is acknowledged");
  s.prove_after(lab::from(s.client) && lab::fin(), "FIN from the client");
  s.judge_server(program, c->ends());
  s.prove(s.packets().said_by(c->self()).size() == all_but_one,
          fmt::format("the client said {} bytes, and not the one that is missing", all_but_one));
}

/// Pushes all that the server takes, within a second or two.
void push_all(stage& s, stand_in_client& c, std::string_view bytes) {
  s.lab.until(
      [&] {
        bytes.remove_prefix(c.push(bytes));
        return bytes.empty() || c.at_end();
      },
      2s);
}

std::uint64_t resident_bytes(const lab::host& h) {
  std::uint64_t pages = 0;
  for (const pid_t pid : h.pids()) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (file >> size >> resident) pages += resident;
  }
  return pages * 4096;
}

void random_bytes(stage& s) {
  lab::process& program = s.serve();
  // Where what comes before a request cannot be repeated, they come in its place.
  stand_in_client c = s.base.no_replay_to_server.empty()
                          ? s.stand_in()
                          : stand_in_client(s.client, s.server, s.port(), s.base.said.main());
  std::mt19937 seeded(20'260'101);  // NOLINT: the same bytes each time
  std::string noise(std::size_t{64} << 10U, '\0');
  for (char& byte : noise) byte = static_cast<char>(seeded());
  const std::size_t before = c.said_so_far();
  s.inject([&] { push_all(s, c, noise); });
  // The end is an orderly one: what a server makes of a reset is another case.
  c.shut_writing();
  (void)c.receive({SIZE_MAX, SIZE_MAX}, 500ms);
  c.close();
  s.judge_server(program, std::array{c.self()});
  const std::string said = s.packets().said_by(c.self());
  const std::string_view came = std::string_view(said).substr(std::min(before, said.size()));
  const trace::flow& back = c.traffic()->of(trace::side::responder);
  s.prove(came.size() >= 16 && noise.starts_with(came) && (came == noise || back.fin || back.rst),
          came == noise ? "64 KiB of random bytes are sent"
                        : fmt::format("{} random bytes are sent, then the server closes", came.size()));
}

/// Nothing is known of the protocol, so the largest number is put wherever a length may be.
void largest_length(stage& s) {
  const std::string& request = s.need_request(4).bytes;
  lab::process& program = s.serve();
  std::vector<trace::endpoint> used;
  std::vector<std::string> sent;
  std::size_t said_before = 0;
  const std::uint64_t before = resident_bytes(s.server);
  std::uint64_t most = before;
  for (std::size_t at = 0; at + 4 <= request.size() && at < 8 && !program.ended(); ++at) {
    stand_in_client c = s.stand_in();
    used.push_back(c.self());
    said_before = c.said_so_far();
    std::string bad = request;
    bad.replace(at, 4, "\xff\xff\xff\xff");
    sent.push_back(bad);
    s.inject([&] { push_all(s, c, bad); });
    if (!s.faulty()) push_all(s, c, request);
    (void)c.receive({1, s.base.reply.most}, 300ms);
    most = std::max(most, resident_bytes(s.server));
  }
  s.require(most - before < too_much_memory,
            fmt::format("its memory grows by {} MiB at most", (most - before) >> 20U),
            "check a length against a limit before memory is taken for it");
  s.judge_server(program, used);
  std::size_t bad = 0;
  for (std::size_t i = 0; i < used.size(); ++i)
    if (s.packets()
            .said_by(used[i])
            .substr(std::min(said_before, s.packets().said_by(used[i]).size()))
            .starts_with(sent[i].substr(0, 12)))
      ++bad;
  s.prove(bad > 0 && bad + 1 >= used.size(),
          fmt::format("{} requests with 0xFFFFFFFF in their first bytes", bad));
}

void reply_bytewise(stage& s) {
  (void)s.need_request(1, 2);
  const auto peer = s.play_server(false, false);
  s.inject([&] { peer->say_bytewise(); });
  lab::process& c = s.call();
  s.must_succeed(read_on);
  s.judge_client(c, peer.get());
  s.lab.run_for(20ms);
  const std::size_t wanted = std::min(single_bytes, s.base.said.main().said(speaker::server));
  const std::size_t singles = single_segments(s, peer->peer(), trace::side::responder, 0);
  const auto& turns = s.base.said.main().turns;
  const auto uncut = static_cast<std::size_t>(std::ranges::count_if(
      turns, [](const turn& t) { return t.by == speaker::server && t.bytes.size() == 1; }));
  s.prove(singles > uncut && (singles >= wanted || c.ended()),
          fmt::format("{} bytes of the reply, each in a segment of its own, read before the next was sent",
                      singles));
}

void smallest_segments(stage& s) {
  (void)s.serve();
  s.inject([] {});  // both sides are told so in their SYNs
  lab::process& c = s.call();
  s.must_succeed(read_on);
  s.judge_client(c);
  std::uint32_t longest = 0;
  for (const auto* one : s.lab.traffic().connections())
    for (const trace::side of : {trace::side::opener, trace::side::responder})
      for (const data_segment& d : s.packets().segments(one->opener, of))
        longest = std::max(longest, d.length);
  const auto& offered = s.packets().offered_mss();
  s.prove(
      offered.size() >= 2 && std::ranges::all_of(offered, [](auto mss) { return mss <= smallest_mss; }) &&
          longest <= smallest_mss,
      fmt::format(
          "both sides were told of a maximum segment size of {}, and no segment carries more than {} bytes",
          smallest_mss, longest));
}

constexpr judge_case cases[]{
    expecting(expectation::whole_reply,
              {"format/1", subject::server, "the request comes one byte a segment", stream_rule, bytewise}),
    expecting(expectation::whole_reply,
              {"format/2", subject::server, "the request comes in two segments, cut at every place",
               stream_rule, cut_everywhere}),
    expecting(expectation::two_replies,
              {"format/3", subject::server, "two requests come in one segment", stream_rule, two_in_one}),
    {"format/4", subject::server, "the request is cut short by one byte, then FIN", hostile_rule, cut_short},
    {"format/5", subject::server, "64 KiB of random bytes", hostile_rule, random_bytes},
    {"format/6", subject::server, "a length field of the largest value", hostile_rule, largest_length},
    {"format/7", subject::client, "the reply comes one byte a segment", stream_rule, reply_bytewise},
    {"format/8", subject::client, "the smallest segment size both ways", stream_rule, smallest_segments,
     [](lab::options& o) { o.clamp_mss = smallest_mss; }},
};

}  // namespace

const family format_family{"format", "bytes", cases};

}  // namespace halfopen::judge
