# Asio without Boost: headers only. Its own warnings are not ours, so it is a system library.
find_package(Threads REQUIRED)
find_path(ASIO_INCLUDE_DIR asio.hpp REQUIRED)
add_library(halfopen_asio INTERFACE)
add_library(halfopen::asio ALIAS halfopen_asio)
set_target_properties(halfopen_asio PROPERTIES EXPORT_NAME asio)
# The last two are what Asio 1.22 finds out about g++ and not about clang, which clang-tidy and the
# fuzz targets use: of that it expects <experimental/coroutine>.
target_include_directories(halfopen_asio SYSTEM INTERFACE $<BUILD_INTERFACE:${ASIO_INCLUDE_DIR}>)
target_compile_definitions(halfopen_asio INTERFACE
  ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1
  # Whether it uses std::aligned_alloc depends on whether a header of the C++ library was included before it: so
  # two sources of one program would differ, and each frame be rounded up in one of them.
  ASIO_DISABLE_STD_ALIGNED_ALLOC)
target_link_libraries(halfopen_asio INTERFACE Threads::Threads)
