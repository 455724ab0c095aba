# What a build for another machine (cmake/toolchains) does without that machine's own libraries:
# headers do for fmt, and GoogleTest is built from its sources. libsystemd is left out (src/net).

find_package(CLI11 REQUIRED) # headers only
find_path(FMT_INCLUDE_DIR fmt/format.h REQUIRED)
add_library(fmt::fmt INTERFACE IMPORTED)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)

set(googletest /usr/src/googletest)
if(HALFOPEN_TESTS AND NOT EXISTS ${googletest}/CMakeLists.txt)
  message(WARNING "No tests for ${HALFOPEN_MACHINE}: there is no ${googletest} (Debian: googletest)")
  set(HALFOPEN_TESTS OFF)
elseif(HALFOPEN_TESTS)
  set(INSTALL_GTEST OFF)
  add_subdirectory(${googletest} googletest EXCLUDE_FROM_ALL)
endif()
