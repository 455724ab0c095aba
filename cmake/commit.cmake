# Writes a header with the commit that is built, if it is another one than before; empty outside a repository.
#
#     cmake -D SOURCE=folder -D INTO=file -P commit.cmake
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=10 HEAD
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "")
else()
  execute_process(COMMAND git -C ${SOURCE} status --porcelain --untracked-files=no
    OUTPUT_VARIABLE changes ERROR_QUIET)
  if(changes)
    string(APPEND commit ", changed")
  endif()
endif()
file(CONFIGURE OUTPUT ${INTO} CONTENT "#define HALFOPEN_COMMIT \"${commit}\"\n" @ONLY)
