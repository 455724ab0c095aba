# A file as a C++ string: cmake -D FROM=kernel.patch -D NAME=kernel_patch -D TO=out.inc -P embed.cmake
file(READ ${FROM} text)
file(WRITE ${TO} "R\"embedded(${text})embedded\"\n")
