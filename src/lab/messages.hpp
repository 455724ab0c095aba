#ifndef HALFOPEN_SRC_LAB_MESSAGES_HPP
#define HALFOPEN_SRC_LAB_MESSAGES_HPP

#include <cstddef>

#include "halfopen/lab/unique_fd.hpp"

namespace halfopen::lab {

/// One message over a SOCK_SEQPACKET socket, and with it a descriptor if there is one (unix(7),
/// SCM_RIGHTS). False if the other end is gone.
bool send_message(int line, const void* data, std::size_t size, int descriptor = -1) noexcept;

/// One message of exactly that size, and the descriptor that came with it. False at the other
/// end's death.
bool receive_message(int line, void* into, std::size_t size, unique_fd& descriptor) noexcept;

}  // namespace halfopen::lab

#endif
