#ifndef HALFOPEN_SRC_LAB_TEST_ACCEPTOR_HPP
#define HALFOPEN_SRC_LAB_TEST_ACCEPTOR_HPP

namespace halfopen::lab {

/// The program whose accept calls the tests watch: `acceptor WORD...` listens on
/// port 7 and prints a line for what each accept call gave. Words: nonblocking,
/// accept4 (with SOCK_NONBLOCK and SOCK_CLOEXEC), thread (accepts in a second
/// thread), alarm (a signal handler interrupts), poll (waits for readiness first),
/// timeout (SO_RCVTIMEO), full (no descriptor is free until SIGUSR1), fork (a child
/// without the listener lives on), child (a child accepts), eager (with nonblocking:
/// does not wait for readiness).
int run_acceptor(int argc, char** argv);

/// Sends datagrams to that address without end.
int run_flood(const char* address);

}  // namespace halfopen::lab

#endif
