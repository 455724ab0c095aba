# Not another machine, but another distribution: this machine's compiler, and a program that needs no library at run time.
# For scripts/make-tarball, which builds the pair so.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER g++)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static-pie)
