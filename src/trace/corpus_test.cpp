// What the fuzzer was given and has found, replayed by every compiler.
//
// The files in corpus/ are inputs of trace_fuzz.cpp. The conversations among them
// are written by the disabled test below:
//   HALFOPEN_CORPUS=src/trace/corpus/trace trace_test --gtest_also_run_disabled_tests
//   --gtest_filter='corpus.*'

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "trace/conversation.hpp"
#include "trace/encapsulations.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace halfopen::trace {

int tell_capture(std::span<const std::byte> rest);
link chosen_link(std::uint8_t byte);

namespace {

using namespace testing;

constexpr side opener = side::opener;
constexpr side responder = side::responder;

/// Gives each file of the folder to `take`, and says how many there were.
template <class Take>
int each_file(const char* folder, Take&& take) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator{std::filesystem::path{HALFOPEN_TRACE_CORPUS} / folder}) {
    std::ifstream in{entry.path(), std::ios::binary};
    const std::vector<char> content{std::istreambuf_iterator<char>{in}, {}};
    const std::vector<std::uint8_t> input(content.begin(), content.end());
    EXPECT_EQ(take(input), 0) << entry.path();
    ++files;
  }
  return files;
}

TEST(corpus, every_file_is_told_to_the_end) {
  const auto tell = [](const std::vector<std::uint8_t>& input) {
    return LLVMFuzzerTestOneInput(input.data(), input.size());
  };
  EXPECT_GT(each_file("trace", tell), 0);
}

TEST(corpus, every_capture_is_told_to_the_end) {
  const auto tell = [](const std::vector<std::uint8_t>& input) {
    return tell_capture(std::as_bytes(std::span{input}));
  };
  EXPECT_GT(each_file("capture", tell), 0);
}

/// Frames of the link that the byte chooses.
void write(const std::filesystem::path& folder, const std::string& name, const std::vector<frame>& frames,
           std::uint8_t link_byte = 0) {
  frame all{std::byte{link_byte}};
  for (const frame& f : frames) {
    put16(all, static_cast<unsigned>(f.size()));
    put8(all, 200);
    put(all, f);
  }
  std::ofstream out{folder / name, std::ios::binary};
  for (const std::byte b : all) out.put(static_cast<char>(b));
}
void write(const std::filesystem::path& folder, const char* name, const conversation& c) {
  write(folder, name, c.frames());
}

std::uint8_t byte_for(link wanted) {
  for (std::uint8_t byte = 0;; ++byte)
    if (chosen_link(byte) == wanted) return byte;
}

TEST(corpus, DISABLED_write_the_conversations) {
  const char* folder = std::getenv("HALFOPEN_CORPUS");
  ASSERT_NE(folder, nullptr);
  const auto talk = [] {
    conversation c;
    c.handshake().data(opener, 8).data(responder, 8);
    return c;
  };
  write(folder, "refused", conversation{}.syn().no_such_socket(responder));
  write(folder, "unreachable", conversation{}.syn().icmp(opener, 1));
  write(folder, "aborted", conversation{}.handshake().abort(opener));
  write(folder, "completed", talk().fin(opener).fin(responder).ack(opener));
  write(folder, "closed", talk().fin(responder).ack(opener).data(opener, 4).no_such_socket(responder));
  write(folder, "rebooted", talk().data(opener, 4).again(opener).no_such_socket(responder));
  write(folder, "vanished", talk().data(opener, 4).again(opener).icmp(opener, 0).again(opener));
  write(folder, "keepalive", talk().ack(opener).probe(opener).probe(opener).abort(opener));
  for (const encapsulation& e : encapsulations())
    write(folder, "in_" + e.name, std::vector<frame>{e.bytes}, byte_for(e.type));
  const frame whole = segment{.sequence = 9, .payload = 60}.bytes(client.port, server.port);
  const auto piece = [&](std::size_t at, unsigned more) {
    const frame part(whole.begin() + static_cast<std::ptrdiff_t>(at),
                     whole.begin() + static_cast<std::ptrdiff_t>(at) + 40);
    return ethernet(
        ipv4(client.address, server.address, part, {.fragment = more | static_cast<unsigned>(at / 8)}));
  };
  write(folder, "fragments", std::vector<frame>{piece(0, 0x2000), piece(40, 0)});
  conversation twice = talk();
  twice.begin(77, 88);
  write(folder, "port_reused", twice.handshake().fin(opener, 3));
  frame extended;
  put32(extended, 0x06000000);
  put32(extended, 0);
  put(extended, segment{.flags = syn}.bytes(client_v6.port, server_v6.port));
  const frame quoted = ipv6(client_v6.address, server_v6.address, extended, 60);
  write(folder, "ipv6",
        conversation{}.give(quoted).give(icmp_packet(server_v6.address, client_v6.address, 3, quoted)));
}

}  // namespace
}  // namespace halfopen::trace
