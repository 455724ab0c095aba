#ifndef HALFOPEN_SRC_SITUATION_ASKING_HPP
#define HALFOPEN_SRC_SITUATION_ASKING_HPP

/// For the format of the data: a sum is asked for, and what was on the wire for it is proved.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "situation/scene.hpp"

namespace halfopen::situation {

inline constexpr std::array<long, 2> numbers{-22, -77};  // 1 and 2 never carry: two wrongs make 3 even so
inline constexpr const char* question = "-22 -77";
inline constexpr const char* answer_is = "-99";

[[nodiscard]] std::string hex(std::span<const std::byte> bytes);  ///< "ea ff"

/// The client has closed the connection, with nothing owed; `c` is the program, if it was one.
void prove_orderly_end(scene& s, const lab::process& server, const lab::process* c, std::uint16_t port);

/// A client, and the first bytes that it sent, in hexadecimal digits.
struct asked {
  lab::process& by;
  std::string sent;
};
asked ask(scene& s, const std::vector<std::string>& service, std::uint16_t port);

/// What a client printed, or why it printed nothing.
[[nodiscard]] std::string answer_of(const lab::process& c);

/// "-99" is the number -99, and not for example "-99 and more".
[[nodiscard]] bool is_number(const std::string& answer);

/// The robust pair's answer in an explicit format, of a connection that ended in good order.
struct explicit_answer {
  std::string answer;
  std::string sent;
};
explicit_answer ask_in_explicit_format(scene& s, const std::string& format, std::uint16_t port);

}  // namespace halfopen::situation

#endif
