# halfopen_bpf(source.bpf.c user.cpp): compiles the first for the kernel's BPF machine, and tells the second where
# the object is (HALFOPEN_BPF_OBJECT). HALFOPEN_BPF says whether that can be done here: it takes clang and libbpf.
# Without them `halfopen watch` does with sock_diag alone, and says so.
option(HALFOPEN_WITHOUT_BPF "Build as if clang or libbpf were missing" OFF)
find_program(HALFOPEN_BPF_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14)
pkg_check_modules(bpf IMPORTED_TARGET libbpf>=1.0)
if(HALFOPEN_BPF_CLANG AND bpf_FOUND AND NOT HALFOPEN_WITHOUT_BPF)
  set(HALFOPEN_BPF ON)
else()
  set(HALFOPEN_BPF OFF)
  message(STATUS "halfopen watch is built without BPF: clang or libbpf >= 1.0 is missing")
endif()

function(halfopen_bpf source user)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${source}.o)
  set(input ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  add_custom_command(OUTPUT ${object}
    COMMAND ${HALFOPEN_BPF_CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Wno-unused-parameter
      -I${PROJECT_SOURCE_DIR}/src -MD -MF ${object}.d -c ${input} -o ${object}
    DEPENDS ${input} DEPFILE ${object}.d
    COMMENT "Compiling ${source} for the kernel" VERBATIM)
  set_source_files_properties(${user} PROPERTIES OBJECT_DEPENDS ${object}
    COMPILE_DEFINITIONS HALFOPEN_BPF_OBJECT="${object}")
endfunction()
