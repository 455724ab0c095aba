// 7. The format of the data.
//
// The naive pair sends a struct of two longs as it lies in memory. Its server is
// declared to be another machine (`--layout`): it reads exactly the bytes that
// such a machine's struct would have, with the calls that it would make
// (between_machines.cpp has programs that are in fact compiled for others). The
// robust pair says the same two numbers as text, and in the explicitly defined
// binary format (docs/wire-format.md), to which the machine does not matter.
//
// TCP keeps no message boundaries either: a request may come byte by byte, or
// with the next one in the same segment.

#include <sys/socket.h>

#include <cstring>

#include "halfopen/wire/binary.hpp"
#include "situation/asking.hpp"
#include "situation/catalogue.hpp"

namespace halfopen::situation {
namespace {

void ask_in_explicit_formats(scene& s) {
  std::string answers;
  std::uint16_t port = scene::port;
  for (const char* format : {"text", "binary"}) {
    const std::string answer = ask_in_explicit_format(s, format, port++).answer;
    answers += (answers.empty() ? "-22 + -77 = " : ", ") + answer + " (" + format + ")";
  }
  s.saw(answers);
}

void between(scene& s, const char* client_layout, const char* server_layout) {
  if (!s.naive()) return ask_in_explicit_formats(s);
  s.serve({"sum", "--format", "raw", "--layout", server_layout});
  s.fault();
  const std::string answer =
      answer_of(ask(s, {"sum", "--format", "raw", "--layout", client_layout}, scene::port).by);
  s.saw("-22 + -77 = " + answer);
  s.expect(is_number(answer) && answer != answer_is, "a wrong sum, and no error");
}

void byte_order(scene& s) {
  between(s, "le64", "be64");
}
void long_size(scene& s) {
  between(s, "le32", "le64");
}
void padding(scene& s) {
  between(s, "le32", "le32-padded");
}

/// The request one byte a segment, each read by the server before the next is sent.
std::string ask_byte_by_byte(scene& s, std::uint16_t port, std::string_view request, std::size_t reply_size) {
  const lab::unique_fd socket = s.connect(port);
  for (std::size_t i = 0; i < request.size(); ++i) {
    if (::send(socket.get(), request.data() + i, 1, MSG_NOSIGNAL) != 1) break;
    s.lab.after(lab::acked(s.client, i + 1), 1s);
    s.lab.until([&] { return s.server.unread_bytes(port) == 0; }, 1s);
  }
  // What the kernel says again because an acknowledgement was late is no segment more of the request.
  const trace::flow& said = s.connection(port)->of(trace::side::opener);
  const std::uint64_t segments = said.data_segments - std::min(said.data_segments, said.retransmissions);
  s.prove(segments == request.size(),
          std::to_string(segments) + " segments of one byte to port " + std::to_string(port));
  return s.receive(socket, reply_size, 1s);
}

std::string text_request() {
  return std::string(question) + "\n";
}
std::string text_reply() {
  return std::string(answer_is) + "\n";
}
std::string binary_request() {
  return wire::binary::encode(wire::sum_request{numbers[0], numbers[1]});
}
std::string binary_reply() {
  return wire::binary::encode(wire::sum_reply(numbers[0] + numbers[1]));
}

void one_byte_segments(scene& s) {
  if (s.naive()) {
    s.serve({"sum", "--format", "raw"});
    std::string request(sizeof numbers, '\0');
    std::memcpy(request.data(), numbers.data(), sizeof numbers);
    const std::string reply = ask_byte_by_byte(s, scene::port, request, sizeof(long));
    long sum = 0;
    std::memcpy(&sum, reply.data(), std::min(reply.size(), sizeof sum));
    s.saw(reply.size() < sizeof sum ? "no answer" : "-22 + -77 = " + std::to_string(sum));
    s.expect(reply.size() == sizeof sum && sum != numbers[0] + numbers[1],
             "a wrong sum: the first read took a part for the whole");
    return;
  }
  const lab::process& text_server = s.serve({"sum", "--format", "text"}, 7);
  const lab::process& binary_server = s.serve({"sum", "--format", "binary"}, 8);
  const bool text = ask_byte_by_byte(s, 7, text_request(), text_reply().size()) == text_reply();
  const bool binary = ask_byte_by_byte(s, 8, binary_request(), binary_reply().size()) == binary_reply();
  prove_orderly_end(s, text_server, nullptr, 7);
  prove_orderly_end(s, binary_server, nullptr, 8);
  s.saw(text && binary ? "-22 + -77 = -99 (text), -99 (binary)" : "a wrong answer");
  s.expect(text, "as text: the right sum");
  s.expect(binary, "as binary: the right sum");
}

/// Two requests in one segment; gives what comes back until both could have.
std::string ask_two_at_once(scene& s, std::uint16_t port, const std::string& request,
                            std::size_t reply_size) {
  const lab::unique_fd socket = s.connect(port);
  const std::string both = request + request;
  (void)!::send(socket.get(), both.data(), both.size(), MSG_NOSIGNAL);
  s.lab.after(lab::acked(s.client, both.size()), scene::soon);
  s.prove(s.connection(port)->of(trace::side::opener).data_segments == 1,
          "two requests in one segment to port " + std::to_string(port));
  return s.receive(socket, 2 * reply_size, 1s);
}

void two_in_one(scene& s) {
  if (s.naive()) {
    s.serve({"echo"});
    const std::string reply = ask_two_at_once(s, scene::port, "one\n", 4);
    s.saw(reply == "one\n" ? "one answer to two requests: the second lies in its buffer"
                           : std::to_string(reply.size()) + " bytes of answer");
    s.expect(reply == "one\n", "the second request is not answered");
    return;
  }
  const lab::process& text_server = s.serve({"sum", "--format", "text"}, 7);
  const lab::process& binary_server = s.serve({"sum", "--format", "binary"}, 8);
  const bool text = ask_two_at_once(s, 7, text_request(), text_reply().size()) == text_reply() + text_reply();
  const bool binary =
      ask_two_at_once(s, 8, binary_request(), binary_reply().size()) == binary_reply() + binary_reply();
  prove_orderly_end(s, text_server, nullptr, 7);
  prove_orderly_end(s, binary_server, nullptr, 8);
  s.saw(text && binary ? "both answered (text), both answered (binary)" : "not all answered");
  s.expect(text, "as text: both answered");
  s.expect(binary, "as binary: both answered");
}

constexpr variant variants[]{
    {"byte-order", "-22 + -77 from a little-endian client to a big-endian server", byte_order},
    {"long-size", "-22 + -77 from a client with 4-byte longs to a server with 8-byte longs", long_size},
    {"padding", "-22 + -77 from a client that packs its struct to a server that pads it", padding},
    {"one-byte-segments", "a request comes one byte a segment", one_byte_segments},
    {"two-in-one", "two requests come in one segment", two_in_one},
};

}  // namespace

const situation format_situation{"format", "the format of the data", variants};

}  // namespace halfopen::situation
