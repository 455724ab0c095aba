# Each public header compiles on its own, with warnings as errors, and those that promise
# to need no Asio include none: one generated source a header.

set(needs_asio client connect listener server stream)

file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include
  ${PROJECT_SOURCE_DIR}/include/halfopen/*.hpp)
foreach(header ${headers})
  string(REGEX REPLACE "^halfopen/(.*)\\.hpp$" "\\1" name ${header})
  set(text "#include \"${header}\"\n")
  if(NOT name IN_LIST needs_asio)
    string(APPEND text "#ifdef ASIO_DETAIL_CONFIG_HPP\n#error ${header} includes Asio\n#endif\n")
  endif()
  set(source ${PROJECT_BINARY_DIR}/check_headers/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "${text}" @ONLY)
  list(APPEND sources ${source})
endforeach()

add_library(halfopen_check_headers OBJECT ${sources})
set_target_properties(halfopen_check_headers PROPERTIES UNITY_BUILD OFF)
target_link_libraries(halfopen_check_headers PRIVATE halfopen_everything halfopen_warnings)
target_compile_options(halfopen_check_headers PRIVATE -Werror -O0 -g0)
