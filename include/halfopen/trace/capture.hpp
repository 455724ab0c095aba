#ifndef HALFOPEN_TRACE_CAPTURE_HPP
#define HALFOPEN_TRACE_CAPTURE_HPP

/// \file
/// From the bytes of a capture file, pcap, pcapng or snoop, to frames, one at a time.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "halfopen/trace/packet.hpp"

namespace halfopen::trace {

/// The link that a capture file's LINKTYPE_ number means; nothing if it is none that
/// decode() reads.
[[nodiscard]] std::optional<link> link_of(std::uint16_t linktype) noexcept;

/// One captured frame. Its spans live until the reader's next call.
struct captured_frame {
  std::uint64_t number = 0;  ///< counted from 1 over the whole file, as Wireshark counts
  std::uint64_t offset = 0;  ///< of its record in the file
  time_point when{};         ///< 1970 where the format has no time (Simple Packet Block)
  std::uint16_t linktype = 0;
  std::optional<link> type;           ///< what decode() wants; nothing for a link that it does not read
  std::uint32_t original_length = 0;  ///< on the wire
  std::span<const std::byte> bytes;
  std::span<const std::byte> options;  ///< pcapng only, see capture_reader::comments()
};

/// Where and why a file could not be read any further.
struct capture_error {
  std::uint64_t offset = 0;       ///< in the file; in what was unpacked, if it is compressed
  std::string what;               ///< "the file ends inside a packet's record"
  bool is_no_capture = false;     ///< already its first bytes are of neither format
  std::string at_offset() const;  ///< "at byte 1234: the file ends ..."
};

/// Reads a capture front to back, in constant memory.
///
/// pcap: micro- and nanoseconds, either byte order, and Kuznetzov's variant. pcapng:
/// several sections, byte orders, interfaces and link types; packets of all three kinds
/// of blocks; a block that is damaged is left out by its length. snoop (RFC 1761). Every byte is
/// taken for hostile. Not thread-safe.
class capture_reader {
 public:
  /// Fills the beginning of the span and says how much; 0 is the end of the file. It may
  /// wait, as for a file that grows. The error is a sentence.
  using source = std::function<std::expected<std::size_t, std::string>(std::span<std::byte>)>;

  explicit capture_reader(source from);

  /// The next frame; nullptr at the end, or if error() says so.
  [[nodiscard]] const captured_frame* next();

  /// Set once next() has found damage or the source has failed.
  [[nodiscard]] const std::optional<capture_error>& error() const noexcept { return error_; }

  /// Comments on the frame (pcapng's opt_comment), which must be the latest.
  [[nodiscard]] std::vector<std::string> comments(const captured_frame& frame) const;

  /// Names that the file gives to addresses (Name Resolution Blocks), at most 10,000.
  [[nodiscard]] const std::map<ip_address, std::string>& names() const noexcept { return names_; }

  /// Blocks of pcapng that were damaged, and left out.
  [[nodiscard]] std::uint64_t damaged_blocks() const noexcept { return damaged_; }

  /// Packets that the capture lost, by its own statistics (Interface Statistics Blocks).
  [[nodiscard]] std::uint64_t dropped() const noexcept;

  /// Bytes taken from the source and understood.
  [[nodiscard]] std::uint64_t offset() const noexcept { return base_ + at_; }

 private:
  enum class format : std::uint8_t { unknown, pcap, pcapng, snoop, broken };
  struct interface {
    std::uint16_t linktype = 0;
    std::uint64_t per_second = 1'000'000;
    std::int64_t offset_seconds = 0;
    std::uint64_t dropped = 0;
    std::uint32_t snaplen = 0;
  };

  [[nodiscard]] bool have(std::size_t size);
  [[nodiscard]] bool skip(std::uint64_t size);
  [[nodiscard]] std::size_t left() const noexcept { return filled_ - at_; }
  [[nodiscard]] std::span<const std::byte> peek(std::size_t size) const noexcept {
    return {buffer_.data() + at_, size};
  }
  [[nodiscard]] std::uint16_t u16(std::size_t at) const noexcept;
  [[nodiscard]] std::uint32_t u32(std::size_t at) const noexcept;
  [[nodiscard]] std::uint64_t u64(std::size_t at) const noexcept;
  const captured_frame* fail(std::string what);
  const captured_frame* cut_off(const char* inside);

  [[nodiscard]] bool recognise();
  [[nodiscard]] bool begin_pcap();
  const captured_frame* next_pcap();
  [[nodiscard]] bool begin_snoop();
  const captured_frame* next_snoop();
  [[nodiscard]] bool sane_block_at(std::uint32_t length);
  const captured_frame* next_pcapng();
  [[nodiscard]] std::optional<std::uint32_t> block_length();
  [[nodiscard]] bool take_section();
  const captured_frame* take_block(std::uint32_t type, std::uint32_t length);
  void take_interface(std::size_t end);
  void take_names(std::size_t end);
  void take_statistics(std::size_t end);
  const captured_frame* take_packet(std::uint32_t type, std::size_t end);
  template <class Take>
  void each_option(std::size_t at, std::size_t end, Take&& take) const;
  [[nodiscard]] time_point time_of(const interface& i, std::uint64_t stamp) const noexcept;

  source source_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0, filled_ = 0;  ///< what is not yet understood stands between
  std::uint64_t base_ = 0;           ///< where in the file the buffer begins
  bool ended_ = false;               ///< the source has no more
  format format_ = format::unknown;
  bool swapped_ = false;
  std::size_t record_header_ = 16;
  bool nanoseconds_ = false;
  std::vector<interface> interfaces_;  ///< of the section, in pcapng
  std::size_t consume_ = 0;            ///< the size of the record that was handed out last
  std::uint64_t dropped_before_ = 0;
  std::uint64_t damaged_ = 0;
  captured_frame frame_;
  std::uint64_t count_ = 0;
  std::map<ip_address, std::string> names_;
  std::optional<capture_error> error_;
};

}  // namespace halfopen::trace

#endif
