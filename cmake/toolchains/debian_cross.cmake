# What the toolchain files of this folder have in common: Debian's cross compiler for another
# machine (g++-TRIPLET), static programs that need nothing of that machine at run time, and qemu-user
# to run them here. A toolchain file is read more than once, and by try_compile() too: it only sets.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER ${triplet}-g++)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_CROSSCOMPILING_EMULATOR ${qemu})

# Debian's cross compilers search /usr/include by themselves, where the headers of libraries that are
# headers only (Asio, fmt, CLI11) are the same for every machine; libraries there are this machine's.
set(CMAKE_FIND_ROOT_PATH /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)
