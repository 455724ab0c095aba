#include <gtest/gtest.h>

#include "halfopen/lab/enter.hpp"
#include "lab/test_acceptor.hpp"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "acceptor") return halfopen::lab::run_acceptor(argc, argv);
  if (argc > 2 && std::string_view(argv[1]) == "flood") return halfopen::lab::run_flood(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return halfopen::lab::enter([] { return RUN_ALL_TESTS(); });
}
