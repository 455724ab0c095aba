#ifndef HALFOPEN_LAB_ERROR_HPP
#define HALFOPEN_LAB_ERROR_HPP

#include <stdexcept>
#include <string>

namespace halfopen::lab {

/// The lab itself could not do something: make a namespace, write a sysctl,
/// start a program. Thrown, not returned: a test cannot go on without its lab,
/// and a test framework already turns an exception into a failure with its text.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  /// "WHAT: strerror(errno_value)"
  error(const std::string& what, int errno_value);
};

/// Somebody asked this process to stop (SIGTERM or SIGINT) while the lab was
/// waiting. Unwinding the stack ends every host and closes the evidence.
class interrupted : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace halfopen::lab

#endif
