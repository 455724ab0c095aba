#ifndef HALFOPEN_SRC_CLI_DOCTOR_TEXT_HPP
#define HALFOPEN_SRC_CLI_DOCTOR_TEXT_HPP

#include <cstdio>

namespace halfopen::cli {

/// Prints what the lab needs and whether it is there; true if it can run.
bool print_examination(std::FILE* out);

}  // namespace halfopen::cli

#endif
