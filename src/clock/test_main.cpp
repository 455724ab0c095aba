// The guests that these tests start have this very program as their init.
#include <gtest/gtest.h>

#include "clock/guest_init.hpp"

int main(int argc, char** argv) {
  if (halfopen::clock::is_guest_init(argc, argv)) halfopen::clock::run_guest_init(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
