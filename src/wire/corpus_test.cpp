// The fuzzers' properties hold for every file of their corpora, with any compiler.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

// Each fuzzer under a name of its own, so that both fit into one program.
#define LLVMFuzzerTestOneInput check_text
#include "wire/text_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput check_binary
#include "wire/binary_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace halfopen::wire {
namespace {

// The properties abort if they do not hold.
template <class Check>
int replay(const std::filesystem::path& corpus, Check check) {
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator{corpus}) {
    std::ifstream in{file.path(), std::ios::binary};
    const std::vector<char> chars{std::istreambuf_iterator<char>{in}, {}};
    const std::vector<std::uint8_t> bytes{chars.begin(), chars.end()};
    SCOPED_TRACE(file.path());
    EXPECT_EQ(check(bytes.data(), bytes.size()), 0);
    ++files;
  }
  return files;
}

TEST(corpus, text) {
  EXPECT_GT(replay(HALFOPEN_WIRE_CORPUS "/text", text::check_text), 0);
}
TEST(corpus, binary) {
  EXPECT_GT(replay(HALFOPEN_WIRE_CORPUS "/binary", binary::check_binary), 0);
}

}  // namespace
}  // namespace halfopen::wire
