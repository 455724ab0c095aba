#ifndef HALFOPEN_LAB_UNIQUE_FD_HPP
#define HALFOPEN_LAB_UNIQUE_FD_HPP

#include "halfopen/unique_fd.hpp"

namespace halfopen::lab {

using halfopen::unique_fd;

}  // namespace halfopen::lab

#endif
