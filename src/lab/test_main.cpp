#include <gtest/gtest.h>

#include "halfopen/lab/enter.hpp"
#include "lab/test_acceptor.hpp"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "acceptor") return halfopen::lab::run_acceptor(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return halfopen::lab::enter([] { return RUN_ALL_TESTS(); });
}
