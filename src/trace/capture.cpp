// Capture files, byte by byte.
//
// libpcap reads both formats, and was the first choice. Three things that are wanted here
// it does not do: it cannot say at which offset a file is damaged; it refuses a pcapng
// file whose interfaces have different link types; and a file that another program is
// still writing ends for it in the middle of a packet, after which it cannot go on. It
// also knows nothing of the comments and names in pcapng, which our own lab writes. The
// formats are small (pcap: draft-ietf-opsawg-pcap; pcapng: draft-ietf-opsawg-pcapng), and
// a test holds this reader against libpcap, frame by frame.
//
// The file goes through one buffer, which holds at least the record at hand. A record is
// understood where it stands, and no byte of it is copied.

#include "halfopen/trace/capture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace halfopen::trace {
namespace {

constexpr std::size_t chunk = std::size_t{1} << 16U;  // stays in the processor's nearest caches
/// As libpcap has it: no packet is longer (pcap-int.h, MAXIMUM_SNAPLEN), no block either
/// (sf-pcapng.c, 16 MB), or the length is taken for damage.
constexpr std::uint32_t longest_packet = 262'144;
constexpr std::uint32_t longest_block = 16U << 20U;
constexpr std::size_t most_interfaces = 65'536;
constexpr std::size_t most_names = 10'000;

constexpr std::uint32_t magic_microseconds = 0xA1B2C3D4;
constexpr std::uint32_t magic_nanoseconds = 0xA1B23C4D;
constexpr std::uint32_t magic_kuznetzov = 0xA1B2CD34;  // patched libpcaps of 1999 to 2001: 8 bytes more
constexpr std::uint32_t magic_byte_order = 0x1A2B3C4D;

constexpr std::uint32_t magic_snoop = 0x6F6F6E73;  // "snoo", read in this machine's order

constexpr std::uint32_t block_section = 0x0A0D0D0A;
constexpr std::uint32_t block_interface = 1;
constexpr std::uint32_t block_old_packet = 2;
constexpr std::uint32_t block_simple_packet = 3;
constexpr std::uint32_t block_names = 4;
constexpr std::uint32_t block_statistics = 5;
constexpr std::uint32_t block_packet = 6;

constexpr std::size_t padded(std::size_t size) noexcept {
  return (size + 3) & ~std::size_t{3};
}

template <class Integer>
Integer load(const std::byte* from, bool swapped) noexcept {
  Integer value{};
  std::memcpy(&value, from, sizeof value);
  return swapped ? std::byteswap(value) : value;
}

std::uint64_t power(std::uint64_t base, unsigned exponent) noexcept {
  std::uint64_t result = 1;
  while (exponent-- > 0) result *= base;
  return result;
}

}  // namespace

std::optional<link> link_of(std::uint16_t linktype) noexcept {
  switch (linktype) {
    case 0:    // NULL
    case 108:  // LOOP: the same, in network order
      return link::bsd_loopback;
    case 12:  // RAW as some systems' DLT_ value was written
    case 14:  // RAW on OpenBSD
    case 101:
    case 228:  // IPV4
    case 229:  // IPV6
      return link::raw_ip;
    case 9:
    case 50:   // PPP_SERIAL
    case 166:  // PPP_PPPD: the direction stands in place of 0xFF
      return linktype == 166 ? link::ppp_with_direction : link::ppp;
    case 11:  // ATM_RFC1483 as it was written before 100
    case 100:
    case 106:  // ATM_CLIP
      return link::atm_llc;
    case 1:
    case 8:
    case 10:
    case 51:
    case 104:
    case 105:
    case 107:
    case 109:
    case 113:
    case 117:
    case 119:
    case 123:
    case 127:
    case 129:
    case 137:
    case 182:
    case 192:
    case 204:
    case 239:
    case 276:
      return static_cast<link>(linktype);
    default:
      return std::nullopt;
  }
}

std::string capture_error::at_offset() const {
  return fmt::format("at byte {}: {}", offset, what);
}

capture_reader::capture_reader(source from) : source_{std::move(from)}, buffer_(chunk) {}

std::uint16_t capture_reader::u16(std::size_t at) const noexcept {
  return load<std::uint16_t>(buffer_.data() + at_ + at, swapped_);
}
std::uint32_t capture_reader::u32(std::size_t at) const noexcept {
  return load<std::uint32_t>(buffer_.data() + at_ + at, swapped_);
}
std::uint64_t capture_reader::u64(std::size_t at) const noexcept {
  return load<std::uint64_t>(buffer_.data() + at_ + at, swapped_);
}

std::uint64_t capture_reader::dropped() const noexcept {
  std::uint64_t all = dropped_before_;
  for (const interface& i : interfaces_) all += i.dropped;
  return all;
}

// ---- the buffer ------------------------------------------------------------------

/// Whether the next `size` bytes are there, read if need be.
bool capture_reader::have(std::size_t size) {
  while (left() < size) {
    if (ended_) return false;
    if (at_ > 0 && buffer_.size() - at_ < std::max(size, chunk / 2)) {
      std::memmove(buffer_.data(), buffer_.data() + at_, left());
      base_ += at_;
      filled_ -= at_;
      at_ = 0;
    }
    if (buffer_.size() < size) buffer_.resize(padded(size) + chunk);
    const auto got = source_(std::span{buffer_}.subspan(filled_));
    if (!got) error_ = capture_error{base_ + filled_, got.error()};
    ended_ = !got || *got == 0;
    if (got) filled_ += *got;
  }
  return true;
}

/// Leaves `size` bytes behind, which need not fit into the buffer.
bool capture_reader::skip(std::uint64_t size) {
  while (size > 0) {
    if (!have(1)) return false;
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, left()));
    at_ += part;
    size -= part;
  }
  return true;
}

const captured_frame* capture_reader::fail(std::string what) {
  if (!error_) error_ = capture_error{offset(), std::move(what)};
  format_ = format::broken;
  return nullptr;
}

const captured_frame* capture_reader::cut_off(const char* inside) {
  if (left() == 0 && !error_) return nullptr;
  return fail(fmt::format("the file ends inside {}, {} bytes after its begin", inside, left()));
}

// ---- which format ------------------------------------------------------------------

const captured_frame* capture_reader::next() {
  if (!skip(std::exchange(consume_, 0))) return fail("the file ends inside a packet's record");
  if (format_ == format::unknown && !recognise()) return nullptr;
  switch (format_) {
    case format::pcap:
      return next_pcap();
    case format::pcapng:
      return next_pcapng();
    case format::snoop:
      return next_snoop();
    default:
      return nullptr;
  }
}

bool capture_reader::recognise() {
  const auto refuse = [this](std::string why) {
    fail(std::move(why));
    error_->is_no_capture = true;
    return false;
  };
  if (!have(4)) return error_ ? false : refuse(left() == 0 ? "the file is empty" : "too short for a capture");
  const auto magic = load<std::uint32_t>(buffer_.data(), false);
  if (magic == block_section) {
    format_ = format::pcapng;
    return true;
  }
  constexpr bool little = std::endian::native == std::endian::little;
  if ((little ? magic : std::byteswap(magic)) == magic_snoop) {
    swapped_ = little;  // its numbers are in network order
    return begin_snoop();
  }
  for (const bool swapped : {false, true}) {
    const std::uint32_t m = swapped ? std::byteswap(magic) : magic;
    if (m != magic_microseconds && m != magic_nanoseconds && m != magic_kuznetzov) continue;
    swapped_ = swapped;
    nanoseconds_ = m == magic_nanoseconds;
    record_header_ = m == magic_kuznetzov ? 24 : 16;
    return begin_pcap();
  }
  return refuse(fmt::format("neither pcap nor pcapng begins with {:02x} {:02x} {:02x} {:02x}", buffer_[0],
                            buffer_[1], buffer_[2], buffer_[3]));
}

// ---- pcap ----------------------------------------------------------------------------

bool capture_reader::begin_pcap() {
  constexpr std::size_t header = 24;
  if (!have(header)) return cut_off("the file's header") != nullptr;
  if (u16(4) != 2) return fail(fmt::format("version {}.{} of pcap is unknown", u16(4), u16(6))) != nullptr;
  // The upper half of the link type says how long Ethernet's checksum is; the IP length rules.
  frame_.linktype = static_cast<std::uint16_t>(u32(20) & 0xFFFFU);
  frame_.type = link_of(frame_.linktype);
  at_ += header;
  format_ = format::pcap;
  return true;
}

const captured_frame* capture_reader::next_pcap() {
  if (!have(record_header_)) return cut_off("a packet's header");
  const std::uint32_t captured = u32(8);
  if (captured > longest_packet)
    return fail(fmt::format("a packet of {} bytes: the file is damaged here", captured));
  if (!have(record_header_ + captured)) return cut_off("a packet");
  frame_.number = ++count_;
  frame_.offset = offset();
  const auto fraction = std::chrono::nanoseconds{std::int64_t{u32(4)} * (nanoseconds_ ? 1 : 1000)};
  frame_.when = time_point{std::chrono::seconds{u32(0)} + fraction};
  frame_.original_length = u32(12);
  frame_.bytes = peek(record_header_ + captured).subspan(record_header_);
  frame_.options = {};
  consume_ = record_header_ + captured;
  return &frame_;
}

// ---- snoop ---------------------------------------------------------------------------

/// RFC 1761; Solaris, and many a network analyser.
bool capture_reader::begin_snoop() {
  constexpr std::size_t header = 16;
  if (!have(header)) return cut_off("the file's header") != nullptr;
  constexpr std::uint32_t rest_of_magic = 0x70000000;  // "p" and three zeros
  if (u32(4) != rest_of_magic || u32(8) != 2)
    return fail(fmt::format("version {} of snoop is unknown", u32(8))) != nullptr;
  switch (const std::uint32_t type = u32(12)) {
    case 0:  // IEEE 802.3
    case 4:  // Ethernet
      frame_.linktype = 1;
      break;
    case 8:
      frame_.linktype = 10;  // FDDI
      break;
    default:  // above the LINKTYPE_ numbers, so that it is named and not taken for one
      frame_.linktype = static_cast<std::uint16_t>(0x8000U | (type & 0x7FFFU));
  }
  frame_.type = link_of(frame_.linktype);
  at_ += header;
  format_ = format::snoop;
  return true;
}

const captured_frame* capture_reader::next_snoop() {
  constexpr std::size_t header = 24;
  if (!have(header)) return cut_off("a packet's header");
  const std::uint32_t captured = u32(4), record = u32(8);
  if (captured > longest_packet || record < header + captured || record > longest_block)
    return fail(
        fmt::format("a packet of {} bytes in a record of {}: the file is damaged here", captured, record));
  if (!have(record)) return cut_off("a packet");
  frame_.number = ++count_;
  frame_.offset = offset();
  frame_.when = time_point{std::chrono::seconds{u32(16)} + std::chrono::microseconds{u32(20)}};
  frame_.original_length = u32(0);
  frame_.bytes = peek(header + captured).subspan(header);
  frame_.options = {};
  consume_ = record;
  return &frame_;
}

// ---- pcapng --------------------------------------------------------------------------

const captured_frame* capture_reader::next_pcapng() {
  for (;;) {
    if (!skip(std::exchange(consume_, 0))) return fail("the file ends inside a block");
    if (!have(12)) return cut_off("a block's header");
    const auto type = u32(0);
    if (type == block_section && !take_section()) return nullptr;
    const auto length = block_length();
    if (!length) return nullptr;
    const bool wanted = type == block_section || (type >= block_interface && type <= block_packet);
    if (wanted && *length > longest_block)
      return fail(fmt::format("a block of {} bytes: the file is damaged here", *length));
    if (!wanted) {
      if (!skip(*length)) return fail("the file ends inside a block of an unknown type");
      continue;
    }
    if (!have(*length)) return cut_off("a block");
    if (const std::uint32_t at_end = u32(*length - 4); at_end != *length) {
      if (!sane_block_at(*length))
        return fail(fmt::format("a block says that it is {} bytes long, and at its end {}", *length, at_end));
      ++damaged_;
      consume_ = *length;
      continue;
    }
    consume_ = *length;
    if (const captured_frame* f = take_block(type, *length)) return f;
    if (format_ == format::broken) return nullptr;
  }
}

/// Whether a block may begin that far from here, or the file ends there: then it is only the
/// block at hand that is damaged.
bool capture_reader::sane_block_at(std::uint32_t length) {
  if (!have(length + std::size_t{12})) return left() == length;
  const std::uint32_t type = u32(length), next = u32(length + 4);
  const bool known = type == block_section || (type >= block_interface && type <= 0x0D) || type == 0x0BAD ||
                     type == 0x40000BAD;
  return known && next >= 12 && next % 4 == 0 && next <= longest_block;
}

std::optional<std::uint32_t> capture_reader::block_length() {
  const std::uint32_t length = u32(4);
  if (length >= 12 && length % 4 == 0) return length;
  fail(fmt::format("a block of {} bytes, which cannot be: the file is damaged here", length));
  return std::nullopt;
}

/// A section has a byte order and interfaces of its own.
bool capture_reader::take_section() {
  if (!have(28)) return cut_off("a section's header") != nullptr;
  const auto order = load<std::uint32_t>(buffer_.data() + at_ + 8, false);
  if (order != magic_byte_order && std::byteswap(order) != magic_byte_order)
    return fail("a section's byte-order mark is neither way round") != nullptr;
  swapped_ = order != magic_byte_order;
  if (u16(12) != 1)
    return fail(fmt::format("version {}.{} of pcapng is unknown", u16(12), u16(14))) != nullptr;
  dropped_before_ = dropped();
  interfaces_.clear();
  return true;
}

const captured_frame* capture_reader::take_block(std::uint32_t type, std::uint32_t length) {
  const std::size_t end = length - 4;
  switch (type) {
    case block_interface:
      take_interface(end);
      return nullptr;
    case block_names:
      take_names(end);
      return nullptr;
    case block_statistics:
      take_statistics(end);
      return nullptr;
    case block_packet:
    case block_old_packet:
    case block_simple_packet:
      return take_packet(type, end);
    default:
      return nullptr;
  }
}

/// Calls take(code, begin, size) for each option between two places of the block.
template <class Take>
void capture_reader::each_option(std::size_t at, std::size_t end, Take&& take) const {
  while (at + 4 <= end) {
    const std::uint16_t code = u16(at), size = u16(at + 2);
    at += 4;
    if (code == 0 || size > end - at) return;
    take(code, at, std::size_t{size});
    at += std::min(padded(size), end - at);
  }
}

void capture_reader::take_interface(std::size_t end) {
  if (end < 16 || interfaces_.size() >= most_interfaces) {
    fail(end < 16 ? "an interface's block is too short" : "more than 65536 interfaces");
    return;
  }
  interface made{.linktype = u16(8), .snaplen = u32(12)};
  each_option(16, end, [&](std::uint16_t code, std::size_t at, std::size_t size) {
    constexpr std::uint16_t tsresol = 9, tsoffset = 14;
    if (code == tsresol && size >= 1) {
      const auto value = std::to_integer<unsigned>(buffer_[at_ + at]);
      const unsigned exponent = value & 0x7FU;
      // 10^19 and 2^63 are the finest units that a 64-bit second can be counted in.
      made.per_second =
          (value & 0x80U) != 0 ? power(2, std::min(exponent, 63U)) : power(10, std::min(exponent, 19U));
    }
    if (code == tsoffset && size >= 8) made.offset_seconds = static_cast<std::int64_t>(u64(at));
  });
  interfaces_.push_back(made);
}

time_point capture_reader::time_of(const interface& i, std::uint64_t stamp) const noexcept {
  constexpr std::uint64_t giga = 1'000'000'000;
  // A nonsensical time may become any other, if only the difference of two fits 64 bits.
  const std::uint64_t whole = stamp / i.per_second + static_cast<std::uint64_t>(i.offset_seconds);
  const std::uint64_t rest = stamp % i.per_second;
  const std::uint64_t fraction =
      i.per_second <= giga ? rest * giga / i.per_second : rest / (i.per_second / giga);
  const auto all = static_cast<std::int64_t>(whole * giga + fraction);
  return time_point{std::chrono::nanoseconds{std::clamp(all, std::int64_t{0}, std::int64_t{1} << 62U)}};
}

const captured_frame* capture_reader::take_packet(std::uint32_t type, std::size_t end) {
  const bool simple = type == block_simple_packet;
  const std::size_t header = simple ? 12 : 28;
  const auto damaged = [this]() -> const captured_frame* {
    ++damaged_;
    return nullptr;
  };
  if (end < header) return damaged();
  const std::uint32_t which = simple ? 0 : type == block_packet ? u32(8) : u16(8);
  if (which >= interfaces_.size()) return damaged();
  const interface& i = interfaces_[which];
  std::uint32_t captured = simple ? u32(8) : u32(20);
  if (simple && i.snaplen != 0) captured = std::min(captured, i.snaplen);
  if (captured > end - header) return damaged();

  frame_.number = ++count_;
  frame_.offset = offset();
  frame_.when = simple ? time_point{} : time_of(i, (std::uint64_t{u32(12)} << 32U) | u32(16));
  frame_.linktype = i.linktype;
  frame_.type = link_of(i.linktype);
  frame_.original_length = simple ? u32(8) : u32(24);
  frame_.bytes = peek(end).subspan(header, captured);
  const std::size_t options = header + padded(captured);
  frame_.options = simple || options >= end ? std::span<const std::byte>{} : peek(end).subspan(options);
  return &frame_;
}

std::vector<std::string> capture_reader::comments(const captured_frame& frame) const {
  std::vector<std::string> found;
  if (frame.options.empty()) return found;
  const auto begin = static_cast<std::size_t>(frame.options.data() - (buffer_.data() + at_));
  each_option(begin, begin + frame.options.size(), [&](std::uint16_t code, std::size_t at, std::size_t size) {
    constexpr std::uint16_t comment = 1;
    if (code != comment) return;
    found.emplace_back(reinterpret_cast<const char*>(buffer_.data() + at_ + at), size);
  });
  return found;
}

void capture_reader::take_names(std::size_t end) {
  each_option(8, end, [&](std::uint16_t kind, std::size_t at, std::size_t size) {
    const std::size_t address = kind == 1 ? 4 : kind == 2 ? 16 : 0;
    if (address == 0 || size <= address || names_.size() >= most_names) return;
    const std::span<const std::byte> record{buffer_.data() + at_ + at, size};
    const auto name = record.subspan(address);
    const auto stop = std::ranges::find(name, std::byte{0});
    names_.try_emplace(ip_address{record.first(address)},
                       std::string{reinterpret_cast<const char*>(name.data()),
                                   static_cast<std::size_t>(stop - name.begin())});
  });
}

void capture_reader::take_statistics(std::size_t end) {
  if (end < 20 || u32(8) >= interfaces_.size()) return;
  interface& of = interfaces_[u32(8)];
  each_option(20, end, [&](std::uint16_t code, std::size_t at, std::size_t size) {
    constexpr std::uint16_t dropped_by_interface = 5;
    if (code == dropped_by_interface && size >= 8) of.dropped = u64(at);
  });
}

}  // namespace halfopen::trace
