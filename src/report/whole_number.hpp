#ifndef HALFOPEN_SRC_REPORT_WHOLE_NUMBER_HPP
#define HALFOPEN_SRC_REPORT_WHOLE_NUMBER_HPP

#include <chrono>
#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace halfopen::report {

/// The whole number that a JSON value holds. nlohmann's get<T>() casts whatever number is there:
/// of 4e80 that is undefined behaviour (C++20 [conv.fpint]), of 70000 as a port a wrong port.
/// Throws std::invalid_argument where the value is no whole number, or is none of T's.
template <std::integral T>
T whole_number(const nlohmann::json& j) {
  const auto checked = [&](auto number) {
    if (!std::in_range<T>(number)) throw std::invalid_argument(j.dump() + " is out of range");
    return static_cast<T>(number);
  };
  if (const auto* number = j.get_ptr<const nlohmann::json::number_unsigned_t*>()) return checked(*number);
  if (const auto* number = j.get_ptr<const nlohmann::json::number_integer_t*>()) return checked(*number);
  throw std::invalid_argument(std::string("a whole number is wanted, not a ") + j.type_name());
}

/// The same of a length of time that was written as milliseconds.
inline std::chrono::milliseconds whole_milliseconds(const nlohmann::json& j) {
  return std::chrono::milliseconds(whole_number<std::int64_t>(j));
}

}  // namespace halfopen::report

#endif
