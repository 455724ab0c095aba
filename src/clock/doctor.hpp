#ifndef HALFOPEN_SRC_CLOCK_DOCTOR_HPP
#define HALFOPEN_SRC_CLOCK_DOCTOR_HPP

#include <vector>

#include "halfopen/lab/doctor.hpp"

namespace halfopen::clock {

/// Can this machine run the virtual clock? Tries everything, in a guest if there is a
/// kernel; takes some 300 ms.
[[nodiscard]] std::vector<lab::requirement> examine();

}  // namespace halfopen::clock

#endif
