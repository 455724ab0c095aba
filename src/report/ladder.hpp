#ifndef HALFOPEN_REPORT_LADDER_HPP
#define HALFOPEN_REPORT_LADDER_HPP

/// Who said what when: a column a host, an arrow a packet, time downwards. As text for a
/// terminal and as SVG for a page. It decides how packets look, never what they mean.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfopen/trace/story_stream.hpp"
#include "report/table.hpp"

namespace halfopen::report {

/// Something that happened beside the packets: a fault, a program's exit.
struct ladder_mark {
  std::chrono::nanoseconds at{};    ///< since the ladder's begin
  std::string text;                 ///< "the server host crashes"
  std::optional<std::size_t> on{};  ///< the column of whom it happened to; nothing: of none, or of several
  bool stressed = false;            ///< what the diagram is about
  enum class kind : std::uint8_t { event, wait, outlook } what = kind::event;  ///< see ladder_wait
};

/// Somebody waits, and nothing comes.
struct ladder_wait {
  std::size_t on = 0;                              ///< the column of who does
  std::chrono::nanoseconds from{};                 ///< since the ladder's begin
  std::optional<std::chrono::nanoseconds> seen{};  ///< it was looked at then, and waited still
  std::string still{};                             ///< "still waiting after 20.0 s"
  std::string outlook{};                           ///< "would wait 15 min 24 s (computed)"; empty: not known
  /// When what `outlook` says was seen; nothing: nobody watched for so long.
  std::optional<std::chrono::nanoseconds> outlook_seen{};
};

/// One arrow.
struct ladder_arrow {
  enum class kind : std::uint8_t { ack, data, opening, closing, reset, icmp };

  std::chrono::nanoseconds at{};  ///< since the ladder's begin
  std::uint64_t number = 0;       ///< of the packet; 0: none
  std::size_t from = 0, to = 1;   ///< columns
  kind what = kind::ack;
  std::string label{};      ///< "SYN", "120 bytes, ACK"
  std::string detail{};     ///< "seq 1, ack 1, win 65535"
  bool stressed = false;    ///< one that proves something
  bool lost = false;        ///< it never arrived
  std::uint32_t bytes = 0;  ///< of payload
  bool telling = false;     ///< worth a row of its own, though it proves nothing
};

/// Packets that are missing before an arrow.
struct ladder_omission {
  std::size_t before = 0;
  std::uint64_t count = 0;
};

/// A diagram of at least two hosts.
struct ladder {
  std::string title;
  std::vector<std::string> hosts;  ///< their labels, from left to right; of a connection the opener's first
  std::vector<ladder_arrow> arrows;
  std::vector<ladder_mark> marks;         ///< in any order
  std::vector<ladder_omission> left_out;  ///< in the order of the arrows
  std::optional<ladder_wait> wait{};
};

/// The names under which two hosts are shown, beside their addresses; may be empty.
struct host_names {
  std::string opener, responder;
};

/// The ladder of a connection, from the packets that were kept of it. Times count from
/// the first packet of the connection, sequence numbers from its SYN; the packets that
/// prove its story are stressed.
[[nodiscard]] ladder ladder_of(const trace::file_entry& c, const host_names& names = {});

/// Lines for a terminal; at least 60 columns wide.
[[nodiscard]] std::string to_text(const ladder& l, const canvas& where = {});

/// In CSS pixels.
struct svg_layout {
  int width = 900;
  int left = 190;          ///< where the first host's line is; times and numbers stand left of it
  bool with_style = true;  ///< false in a page that has ladder_style() already
};

/// One <svg> element, to stand in an HTML page or (with its namespace and style) alone. Its
/// colours are CSS classes with defaults: .ladder-reset and so on, see ladder_style().
[[nodiscard]] std::string to_svg(const ladder& l, const svg_layout& how = {});

/// The CSS of to_svg(), to be put into a page once. A lone SVG has it inside.
[[nodiscard]] const char* ladder_style() noexcept;

/// Text as it may stand in HTML, between tags or in a quoted attribute. The text is
/// clean()ed too.
[[nodiscard]] std::string html_escaped(std::string_view text);

/// A duration in a unit that suits it: "120 us", "3.2 ms", "4.50 s", "2 min 3 s".
[[nodiscard]] std::string readable(std::chrono::nanoseconds d);

}  // namespace halfopen::report

#endif
