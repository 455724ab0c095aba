#ifndef HALFOPEN_REPORT_PCAPNG_HPP
#define HALFOPEN_REPORT_PCAPNG_HPP

/// Packets with our remarks on them, in a file that Wireshark opens.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfopen/trace/address.hpp"
#include "halfopen/trace/packet.hpp"

namespace halfopen::report {

/// Which way a packet crossed its interface, as epb_flags stores it.
enum class direction : std::uint32_t { unknown = 0, inbound = 1, outbound = 2 };

/// Writes a pcapng capture, block by block. Each block is one write(2), so a
/// process that is killed leaves a file that is valid up to its last whole
/// block; a block that did not fit is taken back, for the same reason.
///
/// The first failure sticks: every later call does nothing and gives false, and
/// close() reports it. Text is cleaned (see clean() in utf8.hpp) and cut to what
/// the format can hold. Movable; not thread-safe.
class pcapng_writer {
 public:
  /// Makes (or empties) the file and writes the section header; `comment`, if
  /// any, is about the whole capture. The error is a sentence with the path.
  [[nodiscard]] static std::expected<pcapng_writer, std::string> create(const std::filesystem::path& path,
                                                                        std::string_view comment = {});
  ~pcapng_writer();
  pcapng_writer(pcapng_writer&& other) noexcept;
  pcapng_writer& operator=(pcapng_writer&& other) noexcept;

  /// Describes an interface, with any number of comments; gives the number to pass to packet(): 0, 1, 2...
  std::uint32_t add_interface(std::string_view name, std::string_view description,
                              trace::link type = trace::link::ethernet,
                              const std::vector<std::string>& comments = {});

  /// Gives an address a name, which readers use for the packets that follow. An
  /// empty name is not written.
  bool name(const trace::ip_address& address, std::string_view name);

  /// Writes a packet, with any number of comments. `original_length` is for a
  /// frame of which not all bytes were captured; 0 means all were. A time
  /// before 1970 is written as 1970.
  bool packet(std::uint32_t interface, trace::time_point when, std::span<const std::byte> frame,
              const std::vector<std::string>& comments = {}, direction way = direction::unknown,
              std::uint32_t original_length = 0);

  /// The first failure, as a sentence; empty if there was none.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

  /// Closes the file and reports the first failure of all.
  [[nodiscard]] std::expected<void, std::string> close();

 private:
  explicit pcapng_writer(int fd, std::string path) : fd_{fd}, path_{std::move(path)} {}
  bool append(std::span<const std::byte> block);
  bool fail(std::string_view what, int errno_value);

  int fd_ = -1;
  std::uint32_t interfaces_ = 0;
  std::int64_t whole_ = 0;  // bytes of the file up to the last whole block
  std::string path_;
  std::string error_;
};

/// Cuts a file off behind its last whole block, as its writer may have been killed in the
/// middle of one; removes it if it has none.
void keep_whole_blocks(const std::filesystem::path& path);

}  // namespace halfopen::report

#endif
