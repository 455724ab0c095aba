#ifndef HALFOPEN_RESULT_HPP
#define HALFOPEN_RESULT_HPP

/// \file
/// A value, or the errno that there is in its place: the part of std::expected that is used here, which
/// C++17 and C++20 have not. It is the same type at every language level, so that a program and a library
/// compiled at different ones fit together; in C++23 it becomes a std::expected by itself.
///
///     const auto has = halfopen::liveness_of(fd);
///     if (!has) log(has.error().message());

#include <system_error>
#include <utility>
#if __has_include(<expected>)
#include <expected>
#endif

namespace halfopen {

namespace detail {
/// Throws std::system_error: in the library, so that a program without exceptions can use the rest.
[[noreturn]] void throw_error(const std::error_code& error);
}  // namespace detail

/// As std::expected<T, std::error_code>. T has a default value. Not synchronised; only value() throws.
template <class T>
class result {
 public:
  using value_type = T;
  using error_type = std::error_code;

  result(T value) noexcept : value_(std::move(value)) {}     // NOLINT(*-explicit-*)
  result(std::error_code error) noexcept : error_(error) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Throws std::system_error if there is none.
  [[nodiscard]] const T& value() const {
    if (error_) detail::throw_error(error_);
    return value_;
  }
  // Only if there is one.
  [[nodiscard]] const T& operator*() const noexcept { return value_; }
  [[nodiscard]] const T* operator->() const noexcept { return &value_; }
  [[nodiscard]] T value_or(T other) const noexcept { return error_ ? std::move(other) : value_; }
  /// No error if there is a value.
  [[nodiscard]] const std::error_code& error() const noexcept { return error_; }

#ifdef __cpp_lib_expected
  operator std::expected<T, std::error_code>() const {  // NOLINT(*-explicit-*)
    if (error_) return std::unexpected(error_);
    return value_;
  }
#endif

  friend bool operator==(const result& a, const result& b) {
    return a.error_ == b.error_ && (a.error_ || a.value_ == b.value_);
  }
  friend bool operator!=(const result& a, const result& b) { return !(a == b); }

 private:
  T value_{};
  std::error_code error_{};
};

/// Done, or the errno of what was not.
template <>
class result<void> {
 public:
  using value_type = void;
  using error_type = std::error_code;

  result() noexcept = default;
  result(std::error_code error) noexcept : error_(error) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }
  /// Throws std::system_error if it was not done.
  void value() const {
    if (error_) detail::throw_error(error_);
  }
  void operator*() const noexcept {}
  [[nodiscard]] const std::error_code& error() const noexcept { return error_; }

#ifdef __cpp_lib_expected
  operator std::expected<void, std::error_code>() const {  // NOLINT(*-explicit-*)
    if (error_) return std::unexpected(error_);
    return {};
  }
#endif

  friend bool operator==(const result& a, const result& b) noexcept { return a.error_ == b.error_; }
  friend bool operator!=(const result& a, const result& b) noexcept { return !(a == b); }

 private:
  std::error_code error_{};
};

}  // namespace halfopen

#endif
