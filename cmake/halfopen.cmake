# Helpers so that a folder's CMakeLists.txt says only what it is and what it needs.

include(GNUInstallDirs)

# Sources that are compiled each on its own where the others of a target are joined: they give
# things of their own the names that others give to theirs, such as `cases`.
function(halfopen_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# halfopen_library(trace SOURCES a.cpp b.cpp PUBLIC halfopen::fate PRIVATE PkgConfig::mnl [STANDARD 17]): the
# last is the C++ that its headers need, if they do with less than 23.
function(halfopen_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "STANDARD" "SOURCES;PUBLIC;PRIVATE")
  if(NOT arg_STANDARD)
    set(arg_STANDARD 23)
  endif()
  add_library(halfopen_${name} STATIC ${arg_SOURCES})
  add_library(halfopen::${name} ALIAS halfopen_${name})
  set_target_properties(halfopen_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(halfopen_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_features(halfopen_${name} PUBLIC cxx_std_${arg_STANDARD} PRIVATE cxx_std_23)
  target_link_libraries(halfopen_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} halfopen_warnings)
endfunction()

# halfopen_test(trace SOURCES a_test.cpp LINK halfopen::trace [SHARDS 4]): one test program a folder, which is
# one test for ctest, or one a shard where its tests wait for something: a process for each of a thousand tests
# would take longer than the tests. Each test has to leave the process as it found it.
function(halfopen_test name)
  if(NOT HALFOPEN_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SHARDS" "SOURCES;LINK")
  add_executable(${name}_test ${arg_SOURCES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name}_test PRIVATE ${arg_LINK} GTest::gmock GTest::gtest_main halfopen_warnings)
  if(CMAKE_CROSSCOMPILING)  # for the tests that have to know (fate/emulation.hpp); compiled fast, run once
    target_compile_options(${name}_test PRIVATE -O0)
    target_compile_definitions(${name}_test PRIVATE HALFOPEN_EMULATOR="${CMAKE_CROSSCOMPILING_EMULATOR}")
  endif()
  if(NOT arg_SHARDS)
    set(arg_SHARDS 1)
  endif()
  if(CMAKE_CROSSCOMPILING)  # an emulator may not leave the process as it was
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}/" PROPERTIES TIMEOUT 120)
    return()
  endif()
  foreach(shard RANGE 1 ${arg_SHARDS})
    math(EXPR index "${shard} - 1")
    add_test(NAME ${name}/${shard} COMMAND ${name}_test)
    set_tests_properties(${name}/${shard} PROPERTIES TIMEOUT 300
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${arg_SHARDS};GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()

# halfopen_fuzzer(decode SOURCES decode_fuzz.cpp LINK halfopen::trace): libFuzzer, with clang only.
function(halfopen_fuzzer name)
  if(NOT HALFOPEN_FUZZ)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_executable(fuzz_${name} ${arg_SOURCES})
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(fuzz_${name} PRIVATE ${arg_LINK} halfopen_warnings)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()

add_library(halfopen_warnings INTERFACE)
target_compile_options(halfopen_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast)
