// A capture's bytes, unpacked.
//
// libpcap's own pcap_open_offline unpacks nothing; Wireshark's wiretap unpacks gzip. A
// child process (zcat) would save this code and cost an installed program, a pipe and its
// error texts. zlib's gzFile reads a file name only, and a pipe could not be followed with
// it, so the streams are driven by hand: each is the same loop, from a block of packed
// bytes to as many unpacked ones as the reader has room for.

#include "trace/capture_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace halfopen::trace {
namespace {

using result = std::expected<std::size_t, std::string>;
constexpr std::size_t block = std::size_t{1} << 17U;
constexpr int wait_ms = 200;

class raw_file {
 public:
  raw_file(int fd, bool owned, open_options o) : fd_{fd}, owned_{owned}, options_{std::move(o)} {
    struct stat s{};
    regular_ = ::fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
  }
  ~raw_file() {
    if (owned_) ::close(fd_);
  }
  raw_file(const raw_file&) = delete;
  raw_file& operator=(const raw_file&) = delete;

  result read(std::span<std::byte> into) {
    for (;;) {
      if (!ready()) return 0;
      const ssize_t n = ::read(fd_, into.data(), into.size());
      if (n > 0) return static_cast<std::size_t>(n);
      if (n < 0 && errno != EINTR) return std::unexpected{std::string{std::strerror(errno)}};
      if (n == 0 && !(regular_ && options_.follow)) return 0;
      if (n == 0) ::poll(nullptr, 0, wait_ms);
      if (options_.waiting && !options_.waiting()) return 0;
    }
  }

 private:
  /// Whether there is something to read, or the end; false if nobody wants to wait for it.
  bool ready() const {
    if (regular_ || !options_.waiting) return true;
    for (pollfd p{fd_, POLLIN, 0}; ::poll(&p, 1, wait_ms) <= 0;)
      if (!options_.waiting()) return false;
    return true;
  }

  int fd_;
  bool owned_, regular_ = false;
  open_options options_;
};

/// Packed bytes, a block at a time; the first are looked at before it is known how they
/// are packed.
class input {
 public:
  explicit input(std::shared_ptr<raw_file> from) : from_{std::move(from)}, buffer_(block) {}

  [[nodiscard]] std::span<std::byte> rest() noexcept {
    return std::span{buffer_}.subspan(at_, filled_ - at_);
  }
  void took(std::size_t n) noexcept { at_ += n; }

  /// Reads until there are `size` bytes or no more come.
  std::expected<void, std::string> fill(std::size_t size) {
    if (at_ == filled_) at_ = filled_ = 0;
    while (filled_ - at_ < size && !ended_) {
      if (filled_ == buffer_.size()) {
        std::memmove(buffer_.data(), buffer_.data() + at_, filled_ - at_);
        filled_ -= std::exchange(at_, 0);
      }
      const result got = from_->read(std::span{buffer_}.subspan(filled_));
      if (!got) return std::unexpected{got.error()};
      ended_ = *got == 0;
      filled_ += *got;
    }
    return {};
  }
  /// Past what has been looked at the file is read into the caller's own buffer.
  result read(std::span<std::byte> into) {
    if (at_ == filled_) return ended_ ? result{0} : from_->read(into);
    const std::size_t n = std::min(into.size(), filled_ - at_);
    std::memcpy(into.data(), buffer_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::shared_ptr<raw_file> from_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0, filled_ = 0;
  bool ended_ = false;
};

class gzip {
 public:
  explicit gzip(std::shared_ptr<input> from) : from_{std::move(from)} {
    constexpr int gzip_header = 16;
    if (::inflateInit2(&stream_, MAX_WBITS + gzip_header) != Z_OK) throw std::bad_alloc{};
  }
  ~gzip() { ::inflateEnd(&stream_); }
  gzip(const gzip&) = delete;
  gzip& operator=(const gzip&) = delete;

  result read(std::span<std::byte> into) {
    while (!over_) {
      if (const auto filled = from_->fill(between_ ? 2 : 1); !filled) return std::unexpected{filled.error()};
      const auto rest = from_->rest();
      if (between_ && !another(rest)) return 0;
      if (rest.empty()) return std::unexpected{std::string{"the gzip data ends early"}};
      stream_.next_in = reinterpret_cast<Bytef*>(rest.data());
      stream_.avail_in = static_cast<uInt>(rest.size());
      stream_.next_out = reinterpret_cast<Bytef*>(into.data());
      stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(into.size(), 1U << 30U));
      const uInt room = stream_.avail_out;
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      from_->took(rest.size() - stream_.avail_in);
      if (status == Z_STREAM_END)
        between_ = true;
      else if (status != Z_OK && status != Z_BUF_ERROR)
        return std::unexpected{fmt::format("the gzip data is damaged ({})", stream_.msg ? stream_.msg : "?")};
      if (stream_.avail_out < room) return room - stream_.avail_out;
    }
    return 0;
  }

 private:
  /// A gzip file is a row of members (RFC 1952 section 2.2); what else follows is padding.
  bool another(std::span<const std::byte> rest) {
    over_ = rest.size() < 2 || rest[0] != std::byte{0x1F} || rest[1] != std::byte{0x8B};
    if (over_) return false;
    between_ = false;
    ::inflateReset(&stream_);
    return true;
  }

  std::shared_ptr<input> from_;
  z_stream stream_{};
  bool between_ = false;  ///< a member has ended
  bool over_ = false;
};

class zstd {
 public:
  explicit zstd(std::shared_ptr<input> from) : from_{std::move(from)}, stream_{::ZSTD_createDStream()} {
    if (stream_ == nullptr) throw std::bad_alloc{};
  }
  ~zstd() { ::ZSTD_freeDStream(stream_); }
  zstd(const zstd&) = delete;
  zstd& operator=(const zstd&) = delete;

  result read(std::span<std::byte> into) {
    for (;;) {
      if (const auto filled = from_->fill(1); !filled) return std::unexpected{filled.error()};
      const auto rest = from_->rest();
      if (rest.empty() && !inside_) return 0;
      ZSTD_inBuffer in{rest.data(), rest.size(), 0};
      ZSTD_outBuffer out{into.data(), into.size(), 0};
      const std::size_t status = ::ZSTD_decompressStream(stream_, &out, &in);
      from_->took(in.pos);
      if (::ZSTD_isError(status) != 0)
        return std::unexpected{fmt::format("the zstd data is damaged ({})", ::ZSTD_getErrorName(status))};
      inside_ = status != 0;
      if (out.pos > 0) return out.pos;
      if (rest.empty()) return std::unexpected{std::string{"the zstd data ends early"}};
    }
  }

 private:
  std::shared_ptr<input> from_;
  ZSTD_DStream* stream_;
  bool inside_ = false;  ///< a frame has begun and not ended
};

template <class Stream>
capture_reader::source reading(std::shared_ptr<Stream> s) {
  return [s = std::move(s)](std::span<std::byte> into) { return s->read(into); };
}

}  // namespace

std::expected<capture_reader::source, std::string> open_capture(const std::string& path,
                                                                open_options options) {
  const bool standard = path == "-";
  const int fd = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const auto failed = [&](const std::string& why) {
    return std::unexpected{fmt::format("cannot read {}: {}", standard ? "the standard input" : path, why)};
  };
  if (fd < 0) return failed(std::strerror(errno));
  auto from = std::make_shared<input>(std::make_shared<raw_file>(fd, !standard, std::move(options)));
  if (const auto looked = from->fill(4); !looked) return failed(looked.error());
  const auto first = from->rest();
  constexpr std::array gzip_magic{std::byte{0x1F}, std::byte{0x8B}};
  constexpr std::array zstd_magic{std::byte{0x28}, std::byte{0xB5}, std::byte{0x2F}, std::byte{0xFD}};
  const auto begins_with = [&](const auto& magic) {
    return first.size() >= magic.size() && std::ranges::equal(first.first(magic.size()), magic);
  };
  if (begins_with(gzip_magic)) return reading(std::make_shared<gzip>(std::move(from)));
  if (begins_with(zstd_magic)) return reading(std::make_shared<zstd>(std::move(from)));
  return reading(std::move(from));
}

}  // namespace halfopen::trace
