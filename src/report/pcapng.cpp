// pcapng by hand (draft-ietf-opsawg-pcapng).
//
// libpcap writes only the older pcap format, which has no place for comments,
// names or directions. Wireshark's libwiretap writes all of it, but is no stable
// library and brings Wireshark along; LightPcapNg is not in Debian. The format
// is a sequence of blocks, each of which says its length at both ends, so the
// part needed here takes less code than a wrapper would:
//
//     Section Header (0x0A0D0D0A)     once, at the start
//     Interface Description (1)       one for each cable end
//     Name Resolution (4)             one for each host
//     Enhanced Packet (6)             one for each packet
//
// Numbers are in the host's byte order; the header's magic number tells readers
// which that is.

#include "report/pcapng.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "report/utf8.hpp"

namespace halfopen::report {
namespace {

// Section 3.5: option codes mean different things in different blocks, except comment.
constexpr std::uint16_t opt_end = 0;
constexpr std::uint16_t opt_comment = 1;
constexpr std::uint16_t shb_os = 3;
constexpr std::uint16_t shb_userappl = 4;
constexpr std::uint16_t if_name = 2;
constexpr std::uint16_t if_description = 3;
constexpr std::uint16_t if_tsresol = 9;
constexpr std::uint16_t epb_flags = 2;
constexpr std::uint16_t nrb_record_end = 0;
constexpr std::uint16_t nrb_record_ipv4 = 1;
constexpr std::uint16_t nrb_record_ipv6 = 2;

constexpr std::byte nanoseconds{9};  // the timestamps' unit is 10^-9 s

// Wireshark refuses a name longer than a DNS name can be.
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_option = 0xFFFF;

/// The beginning of well-formed UTF-8 in at most `limit` bytes, cut between characters.
std::string_view cut_bytes(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

class block_builder {
 public:
  explicit block_builder(std::uint32_t type) {
    number(type);
    number(std::uint32_t{0});  // the length, known at the end
  }

  template <class Integer>
  void number(Integer value) {
    raw(std::as_bytes(std::span{&value, 1}));
  }

  void raw(std::span<const std::byte> data) { bytes_.insert(bytes_.end(), data.begin(), data.end()); }

  void padded(std::span<const std::byte> data) {
    raw(data);
    while (bytes_.size() % 4 != 0) bytes_.push_back(std::byte{0});
  }

  /// An option or a name record: both are code, length, value, padding.
  void option(std::uint16_t code, std::span<const std::byte> value) {
    number(code);
    number(static_cast<std::uint16_t>(value.size()));
    padded(value);
  }

  void text_option(std::uint16_t code, std::string_view text, newlines lines = newlines::to_spaces) {
    const std::string cleaned = clean(text, lines);
    option(code, std::as_bytes(std::span{cut_bytes(cleaned, longest_option)}));
  }

  /// The end of options, and the length at both ends.
  [[nodiscard]] std::span<const std::byte> finish() {
    option(opt_end, {});
    const auto total = static_cast<std::uint32_t>(bytes_.size() + sizeof(std::uint32_t));
    number(total);
    std::memcpy(bytes_.data() + 4, &total, sizeof total);
    return bytes_;
  }

 private:
  std::vector<std::byte> bytes_;
};

std::string operating_system() {
  utsname u{};
  if (::uname(&u) != 0) return "Linux";
  return fmt::format("{} {}", static_cast<const char*>(u.sysname), static_cast<const char*>(u.release));
}

}  // namespace

std::expected<pcapng_writer, std::string> pcapng_writer::create(const std::filesystem::path& path,
                                                                std::string_view comment) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0)
    return std::unexpected{fmt::format("cannot create {}: {}", path.string(), std::strerror(errno))};
  pcapng_writer writer{fd, path.string()};

  block_builder header{0x0A0D0D0A};
  header.number(std::uint32_t{0x1A2B3C4D});  // byte-order magic
  header.number(std::uint16_t{1});           // version 1.0
  header.number(std::uint16_t{0});
  header.number(std::int64_t{-1});  // the section's length is not known in advance
  if (!comment.empty()) header.text_option(opt_comment, comment, newlines::kept);
  header.text_option(shb_os, operating_system());
  header.text_option(shb_userappl, "halfopen");
  if (!writer.append(header.finish())) return std::unexpected{writer.error_};
  return writer;
}

pcapng_writer::~pcapng_writer() {
  if (fd_ >= 0) ::close(fd_);
}

pcapng_writer::pcapng_writer(pcapng_writer&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)},
      interfaces_{other.interfaces_},
      whole_{other.whole_},
      path_{std::move(other.path_)},
      error_{std::move(other.error_)} {}

pcapng_writer& pcapng_writer::operator=(pcapng_writer&& other) noexcept {
  std::swap(fd_, other.fd_);  // the old file is closed with `other`
  std::swap(interfaces_, other.interfaces_);
  std::swap(whole_, other.whole_);
  path_.swap(other.path_);
  error_.swap(other.error_);
  return *this;
}

std::uint32_t pcapng_writer::add_interface(std::string_view name, std::string_view description,
                                           trace::link type, const std::vector<std::string>& comments) {
  block_builder block{1};
  block.number(static_cast<std::uint16_t>(type));
  block.number(std::uint16_t{0});
  block.number(std::uint32_t{0});  // no limit on a packet's captured length
  block.text_option(if_name, name);
  if (!description.empty()) block.text_option(if_description, description);
  block.option(if_tsresol, std::span{&nanoseconds, 1});
  for (const std::string& comment : comments) block.text_option(opt_comment, comment, newlines::kept);
  append(block.finish());
  return interfaces_++;
}

bool pcapng_writer::name(const trace::ip_address& address, std::string_view name) {
  const std::string cleaned = clean(name);
  const std::string_view fitting = cut_bytes(cleaned, longest_name);
  if (fitting.empty()) return error_.empty();
  std::vector<std::byte> record{address.bytes().begin(), address.bytes().end()};
  std::ranges::copy(std::as_bytes(std::span{fitting}), std::back_inserter(record));
  record.push_back(std::byte{0});  // names in a record end in NUL

  block_builder block{4};
  block.option(address.is_v6() ? nrb_record_ipv6 : nrb_record_ipv4, record);
  block.option(nrb_record_end, {});
  return append(block.finish());
}

bool pcapng_writer::packet(std::uint32_t interface, trace::time_point when, std::span<const std::byte> frame,
                           const std::vector<std::string>& comments, direction way,
                           std::uint32_t original_length) {
  if (interface >= interfaces_) return fail(fmt::format("interface {} was never added", interface), 0);
  const auto since_1970 = std::max<std::int64_t>(0, when.time_since_epoch().count());
  const auto stamp = static_cast<std::uint64_t>(since_1970);
  const auto captured = static_cast<std::uint32_t>(frame.size());

  block_builder block{6};
  block.number(interface);
  block.number(static_cast<std::uint32_t>(stamp >> 32));
  block.number(static_cast<std::uint32_t>(stamp));
  block.number(captured);
  block.number(std::max(captured, original_length));
  block.padded(frame);
  for (const std::string& comment : comments) block.text_option(opt_comment, comment, newlines::kept);
  const auto flags = std::to_underlying(way);
  if (way != direction::unknown) block.option(epb_flags, std::as_bytes(std::span{&flags, 1}));
  return append(block.finish());
}

bool pcapng_writer::append(std::span<const std::byte> block) {
  if (!error_.empty()) return false;
  if (fd_ < 0) return fail("the file is closed", 0);
  std::span<const std::byte> rest = block;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest = rest.subspan(static_cast<std::size_t>(written));  // all of it, unless the disk is nearly full
    } else if (errno != EINTR) {
      const int why = errno;
      // Take back the piece that did fit. Where that is impossible (a pipe),
      // the reader sees a last block cut short, and the error is reported anyway.
      [[maybe_unused]] const int ignored = ::ftruncate(fd_, whole_);
      return fail("cannot write", why);
    }
  }
  whole_ += static_cast<std::int64_t>(block.size());
  return true;
}

bool pcapng_writer::fail(std::string_view what, int errno_value) {
  if (!error_.empty()) return false;
  error_ = fmt::format("{}: {}", path_, what);
  if (errno_value != 0) error_ += fmt::format(": {}", std::strerror(errno_value));
  return false;
}

std::expected<void, std::string> pcapng_writer::close() {
  const int fd = std::exchange(fd_, -1);
  if (fd >= 0 && ::close(fd) != 0) fail("cannot close", errno);
  if (!error_.empty()) return std::unexpected{error_};
  return {};
}

void keep_whole_blocks(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path, ignored));
  std::int64_t whole = 0;
  {
    std::ifstream file(path, std::ios::binary);
    // A block is its type, its length, and so on (section 3.1 of the format).
    for (std::uint32_t head[2]; file.seekg(whole) && file.read(reinterpret_cast<char*>(head), sizeof head);) {
      if (head[1] < 12 || whole + head[1] > size) break;
      whole += head[1];
    }
  }
  if (whole == 0)
    std::filesystem::remove(path, ignored);
  else if (whole < size)
    std::filesystem::resize_file(path, static_cast<std::uintmax_t>(whole), ignored);
}

}  // namespace halfopen::report
