# Asio without Boost: headers only. Its own warnings are not ours, so it is a system library.
find_package(Threads REQUIRED)
find_path(ASIO_INCLUDE_DIR asio.hpp REQUIRED)
add_library(halfopen_asio INTERFACE)
add_library(halfopen::asio ALIAS halfopen_asio)
set_target_properties(halfopen_asio PROPERTIES EXPORT_NAME asio)
target_include_directories(halfopen_asio SYSTEM INTERFACE $<BUILD_INTERFACE:${ASIO_INCLUDE_DIR}>)
target_compile_definitions(halfopen_asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED)
target_link_libraries(halfopen_asio INTERFACE Threads::Threads)
