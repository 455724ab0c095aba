#ifndef HALFOPEN_SRC_AUTOPSY_EXCERPT_HPP
#define HALFOPEN_SRC_AUTOPSY_EXCERPT_HPP

/// The packets of some connections, in a capture of their own.

#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "autopsy/examine.hpp"

namespace halfopen::autopsy {

/// Reads the captures once more and writes every packet of those connections, with the story as a
/// comment on each packet that proves it. Gives how many packets were written; the error is a sentence.
[[nodiscard]] std::expected<std::uint64_t, std::string> write_excerpt(
    std::vector<trace::capture_reader::source> from, std::span<const trace::file_entry> chosen,
    const reading& r, const std::filesystem::path& to);

}  // namespace halfopen::autopsy

#endif
