// TCP is a stream of bytes: where a segment ends says nothing. And every byte of a stranger is hostile.

#include <fmt/format.h>

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

/// More single bytes than that prove nothing new, and each takes a round trip.
constexpr std::size_t single_bytes = 512;
constexpr std::size_t places_to_cut = 32;
constexpr std::uint64_t too_much_memory = 256ULL << 20U;

void answered(stage& s, const std::string& reply, const std::string& what) {
  s.require(reply.size() >= s.base.reply.least,
            fmt::format("{} ({} of {} bytes)", what, reply.size(), s.base.reply.least), read_on);
}

void bytewise(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.fault();
  const std::string_view request = c.request();
  const bool all_taken = c.send_bytewise(request.substr(0, single_bytes));
  const trace::flow& back = c.traffic()->of(trace::side::responder);
  s.prove(all_taken || back.fin || back.rst,
          all_taken ? "the request's bytes, each acknowledged for itself"
                    : "the request's bytes, each in a segment of its own, until the server closes");
  c.push(request.substr(std::min(request.size(), single_bytes)));
  answered(s, c.receive(s.base.reply, s.soon), "a request of one byte a segment is answered");
  c.close();
  s.judge_server(program, std::array{c.self()});
}

void cut_everywhere(stage& s) {
  const std::size_t size = s.need_request(2).size();
  lab::process& program = s.serve();
  s.fault();
  std::vector<trace::endpoint> used;
  std::set<std::size_t> places;
  for (std::size_t i = 1; i <= places_to_cut; ++i)
    places.insert(std::max<std::size_t>(1, i * (size - 1) / places_to_cut));
  std::string wrong;
  for (const std::size_t place : places) {
    stand_in_client c = s.stand_in();
    used.push_back(c.self());
    c.send(std::string_view(c.request()).substr(0, place));
    s.lab.run_for(10ms);
    c.push(std::string_view(c.request()).substr(place));
    if (c.receive(s.base.reply, s.soon).size() < s.base.reply.least) wrong += fmt::format(" {}", place);
    if (program.ended()) break;
  }
  s.prove(!used.empty(), fmt::format("{} requests in two segments", used.size()));
  s.require(wrong.empty(),
            wrong.empty() ? "cut anywhere, the request is answered"
                          : "cut at byte" + wrong + " the request is answered",
            read_on);
  s.judge_server(program, used);
}

void two_in_one(stage& s) {
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.fault();
  c.send(c.request() + c.request());
  std::string reply = c.receive({2 * s.base.reply.least, 2 * s.base.reply.most}, 2s);
  const bool one_and_closed = reply.size() >= s.base.reply.least && c.at_end();
  const trace::flow& said = c.traffic()->of(trace::side::opener);
  s.prove(said.acked >= c.said_so_far(),
          fmt::format("two requests, {} bytes in all, are acknowledged", said.acked));
  s.require(reply.size() >= 2 * s.base.reply.least || one_and_closed,
            one_and_closed
                ? "the first is answered, and the connection closed"
                : fmt::format("both are answered ({} of {} bytes)", reply.size(), 2 * s.base.reply.least),
            "what follows the first message in the same read is the beginning of the next one: keep it");
  c.close();
  s.judge_server(program, std::array{c.self()});
}

void cut_short(stage& s) {
  const std::string& request = s.need_request(2);
  lab::process& program = s.serve();
  stand_in_client c = s.stand_in();
  s.prove(c.send(std::string_view(request).substr(0, request.size() - 1)),
          "all of the request but its last byte");
  s.fault();
  c.close();
  s.prove_after(lab::from(s.client) && lab::fin(), "FIN from the client");
  s.judge_server(program, std::array{c.self()});
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
  stand_in_client c = s.stand_in();
  std::mt19937 seeded(20'260'101);  // NOLINT: the same bytes each time
  std::string noise(std::size_t{64} << 10U, '\0');
  for (char& byte : noise) byte = static_cast<char>(seeded());
  s.fault();
  push_all(s, c, noise);
  s.prove_after(lab::any(), "64 KiB of random bytes are sent");
  // The end is an orderly one: what a server makes of a reset is another case.
  c.shut_writing();
  (void)c.receive({SIZE_MAX, SIZE_MAX}, 500ms);
  c.close();
  s.judge_server(program, std::array{c.self()});
}

/// Nothing is known of the protocol, so the largest number is put wherever a length may be.
void largest_length(stage& s) {
  const std::string& request = s.need_request(4);
  lab::process& program = s.serve();
  std::vector<trace::endpoint> used;
  const std::uint64_t before = resident_bytes(s.server);
  std::uint64_t most = before;
  s.fault();
  for (std::size_t at = 0; at + 4 <= request.size() && at < 8 && !program.ended(); ++at) {
    stand_in_client c = s.stand_in();
    used.push_back(c.self());
    std::string bad = request;
    bad.replace(at, 4, "\xff\xff\xff\xff");
    push_all(s, c, bad);
    (void)c.receive({1, s.base.reply.most}, 300ms);
    most = std::max(most, resident_bytes(s.server));
  }
  s.prove(!used.empty(), fmt::format("{} requests with 0xFFFFFFFF in their first bytes", used.size()));
  s.require(most - before < too_much_memory,
            fmt::format("its memory grows by {} MiB at most", (most - before) >> 20U),
            "check a length against a limit before memory is taken for it");
  s.judge_server(program, used);
}

void reply_bytewise(stage& s) {
  s.need_replay_to_client();
  (void)s.need_reply(2);
  stand_in_server peer(s.server, s.base.said);
  peer.say_bytewise();
  lab::process& c = s.call();
  s.fault();
  s.must_succeed(read_on);
  s.judge_client(c, peer);
  s.prove(s.lab.traffic().connections().back()->of(trace::side::responder).data_segments >=
              std::min<std::size_t>(2, s.base.said.main().said(speaker::server)),
          "the reply's bytes, each in a segment of its own");
}

void smallest_segments(stage& s) {
  lab::process& program = s.serve();
  lab::process& c = s.call();
  s.fault();
  s.must_succeed(read_on);
  s.judge_client(c);
  s.prove(!s.lab.traffic().connections().empty(), "both sides were told of a maximum segment size of 48");
  (void)program;
}

constexpr judge_case cases[]{
    {"format/1", subject::server, "the request comes one byte a segment", stream_rule, bytewise},
    {"format/2", subject::server, "the request comes in two segments, cut at every place", stream_rule,
     cut_everywhere},
    {"format/3", subject::server, "two requests come in one segment", stream_rule, two_in_one},
    {"format/4", subject::server, "the request is cut short by one byte, then FIN", hostile_rule, cut_short},
    {"format/5", subject::server, "64 KiB of random bytes", hostile_rule, random_bytes},
    {"format/6", subject::server, "a length field of the largest value", hostile_rule, largest_length},
    {"format/7", subject::client, "the reply comes one byte a segment", stream_rule, reply_bytewise},
    {"format/8", subject::client, "the smallest segment size both ways", stream_rule, smallest_segments,
     [](lab::options& o) { o.clamp_mss = 48; }},
};

}  // namespace

const family format_family{"format", "bytes", cases};

}  // namespace halfopen::judge
