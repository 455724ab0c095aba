#include "judge/last_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/utf8.hpp"

namespace halfopen::judge {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::size_t characters(std::string_view text) {
  std::size_t n = 0;
  for (; !text.empty(); ++n) (void)report::take_code_point(text);
  return n;
}

TEST(telling_line, python_says_it_below_the_frames) {
  EXPECT_EQ(telling_line("Traceback (most recent call last):\n"
                         "  File \"client.py\", line 3, in <module>\n"
                         "    s.recv(1)\n"
                         "    ~~~~~~^^^\n"
                         "ConnectionResetError: [Errno 104] Connection reset by peer\n"
                         "and then a line of the program's own\n",
                         "ignored"),
            "ConnectionResetError: [Errno 104] Connection reset by peer");
}

TEST(telling_line, of_chained_exceptions_of_python_the_last_got_away) {
  EXPECT_EQ(telling_line("Traceback (most recent call last):\n"
                         "  File \"a.py\", line 3, in get\n"
                         "ConnectionResetError: [Errno 104] Connection reset by peer\n"
                         "\n"
                         "During handling of the above exception, another exception occurred:\n"
                         "\n"
                         "Traceback (most recent call last):\n"
                         "  File \"b.py\", line 9, in <module>\n"
                         "    raise Gone(\"the\\nserver\")\n"
                         "app.Gone: no answer\n",
                         ""),
            "app.Gone: no answer");
}

TEST(telling_line, python_has_traces_with_a_margin_and_without_a_header) {
  EXPECT_EQ(telling_line("  + Exception Group Traceback (most recent call last):\n"
                         "  |   File \"a.py\", line 3, in main\n"
                         "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
                         "  +-+---------------- 1 ----------------\n"
                         "    | Traceback (most recent call last):\n"
                         "    |   File \"a.py\", line 5, in ask\n"
                         "    | ConnectionRefusedError: [Errno 111] Connect call failed\n"
                         "    +------------------------------------\n",
                         ""),
            "ConnectionRefusedError: [Errno 111] Connect call failed");
  EXPECT_EQ(
      telling_line("  File \"a.py\", line 1\n    x = (\n        ^\nSyntaxError: '(' was never closed\n", ""),
      "SyntaxError: '(' was never closed");
  EXPECT_EQ(telling_line("Traceback (most recent call last):\n"
                         "  File \"a.py\", line 3, in <module>\n"
                         "TimeoutError: timed out\n"
                         "Exception ignored in: <function f.__del__ at 0x7f>\n"
                         "Traceback (most recent call last):\n"
                         "  File \"a.py\", line 9, in __del__\n"
                         "AttributeError: 'f' object has no attribute 'g'\n",
                         ""),
            "TimeoutError: timed out");
  EXPECT_EQ(telling_line("Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n", ""),
            "Traceback (most recent call last):")
      << "cut off before it came to the point";
}

TEST(telling_line, node_says_it_above_the_frames) {
  EXPECT_EQ(telling_line("node:events:496\n"
                         "      throw er; // Unhandled 'error' event\n"
                         "      ^\n"
                         "\n"
                         "Error: connect ECONNREFUSED 10.0.0.1:6379\n"
                         "    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1595:16)\n"
                         "Emitted 'error' event on Socket instance at:\n"
                         "    at emitErrorNT (node:internal/streams/destroy:169:8) {\n"
                         "  errno: -111,\n"
                         "  code: 'ECONNREFUSED'\n"
                         "}\n"
                         "\n"
                         "Node.js v20.11.0\n",
                         ""),
            "Error: connect ECONNREFUSED 10.0.0.1:6379");
  EXPECT_EQ(telling_line("TypeError: fetch failed\n"
                         "    at node:internal/deps/undici/undici:12345:11 {\n"
                         "  [cause]: Error: read ECONNRESET\n"
                         "      at TCP.onStreamRead (node:internal/stream_base_commons:217:20) {\n"
                         "    errno: -104\n"
                         "  }\n"
                         "}\n",
                         ""),
            "TypeError: fetch failed; caused by: Error: read ECONNRESET");
  EXPECT_EQ(telling_line("Error: the first line\nand the second\n    at f (a.js:1:1)\n", ""),
            "Error: the first line");
}

TEST(telling_line, java_and_dotnet_have_a_first_and_a_last_cause) {
  const std::string trace =
      "Exception in thread \"main\" java.lang.RuntimeException: no reply\n"
      "\tat app.Client.ask(Client.java:14)\n"
      "\tat app.Client.main(Client.java:7)\n"
      "Caused by: java.io.UncheckedIOException: outer\n"
      "\t... 2 more\n"
      "Caused by: java.net.SocketException: Connection reset\n"
      "\tat java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:318)\n"
      "\t... 3 more\n";
  const std::string says =
      "java.lang.RuntimeException: no reply; caused by: java.net.SocketException: Connection reset";
  EXPECT_EQ(telling_line(trace, ""), says);
  EXPECT_EQ(telling_line("WARN a log line\n" + trace, ""), says);
  EXPECT_EQ(telling_line("Exception in thread \"main\" java.net.ConnectException: Connection refused\n"
                         "\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)\n",
                         ""),
            "java.net.ConnectException: Connection refused");
  EXPECT_EQ(telling_line("Unhandled exception. System.Net.Http.HttpRequestException: no reply\n"
                         " ---> System.Net.Sockets.SocketException (111): Connection refused\n"
                         "   at System.Net.Sockets.Socket.AwaitableSocketAsyncEventArgs.ThrowException()\n"
                         "   --- End of inner exception stack trace ---\n"
                         "   at Program.Main()\n",
                         ""),
            "Unhandled exception. System.Net.Http.HttpRequestException: no reply; caused by: "
            "System.Net.Sockets.SocketException (111): Connection refused");
}

TEST(telling_line, the_last_cause_has_its_room_however_long_the_error_is) {
  const std::string said =
      telling_line("java.lang.Error: " + std::string(500, 'x') +
                       "\n\tat a.b(c.java:1)\nCaused by: java.io.IOException: Broken pipe\n",
                   "");
  EXPECT_THAT(said, EndsWith("…; caused by: java.io.IOException: Broken pipe"));
  EXPECT_EQ(characters(said), 160U);
}

TEST(telling_line, go_panics_before_its_goroutines) {
  EXPECT_EQ(telling_line("2026/01/02 03:04:05 connecting\n"
                         "panic: read tcp 10.0.0.2:4->10.0.0.1:7: connection reset by peer\n"
                         "\n"
                         "goroutine 1 [running]:\n"
                         "main.main()\n"
                         "\t/src/main.go:9 +0x1d\n"
                         "exit status 2\n",
                         ""),
            "panic: read tcp 10.0.0.2:4->10.0.0.1:7: connection reset by peer");
  EXPECT_EQ(telling_line("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select]:\n", ""),
            "fatal error: all goroutines are asleep - deadlock!");
}

TEST(telling_line, rust_says_it_on_the_next_line) {
  EXPECT_EQ(telling_line("\nthread 'main' (4711) panicked at src/main.rs:4:5:\n"
                         "Connection reset by peer (os error 104)\n"
                         "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
                         ""),
            "thread 'main' (4711) panicked at src/main.rs:4:5: Connection reset by peer (os error 104)");
  EXPECT_EQ(telling_line("thread 'main' panicked at 'oh', src/main.rs:4:5\n", ""),
            "thread 'main' panicked at 'oh', src/main.rs:4:5");
  EXPECT_EQ(telling_line("Error: asking the server\n"
                         "\n"
                         "Caused by:\n"
                         "    0: error sending request\n"
                         "    1: Connection refused (os error 111)\n",
                         ""),
            "Error: asking the server; caused by: Connection refused (os error 111)");
}

TEST(telling_line, of_plain_text_the_line_that_speaks_of_a_failure_else_the_first_with_words) {
  EXPECT_EQ(telling_line("\n  hello  \nworld\n", ""), "hello");
  EXPECT_EQ(telling_line("----\n====\n\n(!) ...\nthere: it stopped\n", ""), "there: it stopped");
  EXPECT_EQ(telling_line("", "first\nsecond\n"), "first");
  EXPECT_EQ(telling_line("----\n", "from the output\n"), "from the output");
  EXPECT_EQ(telling_line("----\n", "\n***\n"), "");
  EXPECT_EQ(telling_line("", ""), "");
  EXPECT_EQ(telling_line("---\n42\n", ""), "42") << "a figure is better than nothing";
  EXPECT_EQ(telling_line("─────\nödes Ende\n", ""), "ödes Ende");
  EXPECT_EQ(telling_line(
                "Resolving server (server)... 10.0.0.1\n"
                "HTTP request sent, awaiting response... Read error (Connection reset by peer) in headers.\n",
                ""),
            "HTTP request sent, awaiting response... Read error (Connection reset by peer) in headers.");
}

TEST(telling_line, what_a_carriage_return_goes_over_is_not_seen) {
  EXPECT_EQ(
      telling_line("  % Total    % Received % Xferd  Average Speed\n"
                   "\r  0     0    0     0\r  0     0    0     0\rcurl: (52) Empty reply from server\r\n",
                   ""),
      "curl: (52) Empty reply from server");
}

TEST(telling_line, control_characters_and_escape_sequences_are_gone) {
  EXPECT_EQ(telling_line("\x1b[1;31merror:\x1b[0m it\tbroke\x07 \x1b]0;title\x07off\x7f\n", ""),
            "error: it broke off");
  EXPECT_EQ(telling_line(std::string("a\0b\xff\x1b[2J\n", 9), ""), "ab\uFFFD");
  for (const char* cut : {"x\x1b", "x\x1b[", "x\x1b[3", "x\x1b]", "x\x1b]0;t"})
    EXPECT_EQ(telling_line(cut, ""), "x") << "a sequence that does not end";
}

TEST(telling_line, is_at_most_160_characters_and_whole_ones) {
  std::string umlauts;
  for (int i = 0; i < 160; ++i) umlauts += "ü";
  EXPECT_EQ(telling_line(umlauts + "\n", ""), umlauts);
  const std::string longer = telling_line(umlauts + "ü\n", "");
  EXPECT_EQ(characters(longer), 160U);
  EXPECT_THAT(longer, EndsWith("ü…"));
  EXPECT_EQ(characters(telling_line("Traceback (most recent call last):\nE: " + std::string(5000, 'x'), "")),
            160U);
}

TEST(difference, names_the_first_line_that_differs) {
  EXPECT_EQ(difference("one\n1\nthree\n", "one\nnull\nthree\n"), "line 2 is \"null\" where \"1\" is usual");
  EXPECT_EQ(difference("ab\n", "abc\n"), "line 1 is \"abc\" where \"ab\" is usual");
  EXPECT_EQ(difference("a\nb\n", "a\n\nb\n"), "line 2 is \"\" where \"b\" is usual");
  EXPECT_EQ(difference("a\n", "a\r\n"), "line 1 is \"a\\r\" where \"a\" is usual");
}

TEST(difference, one_may_be_a_part_of_the_other) {
  EXPECT_EQ(difference("abcdefghijklmnopqrstuvwx", "abcdefghijkl"), "it ends after 12 of 24 bytes");
  EXPECT_EQ(difference("a\nb\n", "a\n"), "it ends after 2 of 4 bytes");
  EXPECT_EQ(difference("a\n", "a\nerror\n"), "it goes on after its usual 2 bytes: \"error\\n\"");
  EXPECT_EQ(difference("abc", ""), "it is empty where 3 bytes are usual");
  EXPECT_EQ(difference("", "x\ny\n"), "it is \"x\" where nothing is usual");
  EXPECT_EQ(difference("same\n", "same\n"), "");
  EXPECT_EQ(difference("", ""), "");
}

TEST(difference, a_long_line_is_quoted_where_it_differs) {
  const std::string before(1000, 'x');
  EXPECT_EQ(difference(before + "1" + before, before + "2" + before),
            "line 1 is \"…xxxxxxxxxx2xxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" where "
            "\"…xxxxxxxxxx1xxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" is usual");
  EXPECT_EQ(difference(before + "\n", before + "2\n"),
            "line 1 is \"…xxxxxxxxxx2\" where \"…xxxxxxxxxx\" is usual");
  EXPECT_THAT(difference("1" + before, "2" + before), StartsWith("line 1 is \"2xxx"));
}

TEST(difference, what_cannot_be_seen_is_escaped) {
  EXPECT_EQ(difference("ä\"\\\t", std::string("\xff\0\x1b\x7f\xc2\x85", 6)),
            "line 1 is \"\\xff\\x00\\x1b\\x7f\\xc2\\x85\" where \"ä\\\"\\\\\\t\" is usual");
  std::string umlauts;
  for (int i = 0; i < 40; ++i) umlauts += "ü";
  const std::string said = difference(umlauts + "1", umlauts + "2");
  EXPECT_THAT(said, HasSubstr("üü2\" where"));
  EXPECT_EQ(said.find("\\x"), std::string::npos) << "no character is cut in half: " << said;
}

TEST(last_words, any_bytes_give_one_legible_line) {
  std::string bytes;
  for (unsigned i = 0; i < 20'000; ++i) bytes += static_cast<char>((i * i * 7 + i / 3) % 256);
  for (std::size_t from = 0; from < 2000; from += 37) {
    const std::string_view part = std::string_view(bytes).substr(from, 700);
    for (const std::string& said :
         {telling_line(part, {}), difference(part, std::string_view(bytes).substr(from + 1, 700))}) {
      EXPECT_EQ(report::clean(said), said);
      EXPECT_LE(characters(said), 420U);
    }
  }
}

}  // namespace
}  // namespace halfopen::judge
