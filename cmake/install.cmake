# What a user's own CMake project gets:
#
#     find_package(halfopen)                        everything
#     find_package(halfopen COMPONENTS fate wire)   needs no other library
#     find_package(halfopen COMPONENTS c)           the shared library, for C
#
#     halfopen::fate, ::wire, ::net, ::tls, ::trace, ::lab, ::audit  one for each of these folders of src/
#     halfopen::halfopen                            all of them
#     halfopen::c                                   libhalfopen.so.1, which has fate's C++ inside
#
# without CMake what pkg-config finds (halfopen: the shared library; halfopen-fate: the archive of fate);
# and the halfopen program, with its pair for other machines in libexec/halfopen. report, pair and situation are the program's inside.

include(CMakePackageConfigHelpers)

set(halfopen_parts fate wire net tls trace lab audit)
set(halfopen_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/halfopen)

# The program's target has the name halfopen, so this one gets it only outside.
add_library(halfopen_everything INTERFACE)
add_library(halfopen::halfopen ALIAS halfopen_everything)
set_target_properties(halfopen_everything PROPERTIES EXPORT_NAME halfopen)
set(halfopen_targets ${halfopen_parts})
list(TRANSFORM halfopen_targets PREPEND halfopen_)
target_link_libraries(halfopen_everything INTERFACE ${halfopen_targets})

# A static library names what it links privately, and so the warnings' target
# must be exported too; whoever links halfopen does not get the warnings.
set_target_properties(halfopen_warnings PROPERTIES EXPORT_NAME warnings)

install(TARGETS ${halfopen_targets} halfopen_everything halfopen_warnings halfopen_asio
  EXPORT halfopen-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
install(TARGETS halfopen_c EXPORT halfopen-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT lib NAMELINK_COMPONENT dev)
file(RELATIVE_PATH pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
foreach(name halfopen halfopen-fate)
  configure_file(packaging/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
endforeach()
install(TARGETS halfopen RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
# The pair as a program of its own, which the lab starts.
install(TARGETS halfopen-pair RUNTIME DESTINATION libexec/halfopen COMPONENT program)
# The pair for other machines, as far as scripts/build-arch has built it by then.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/build/libexec/halfopen DESTINATION libexec
  USE_SOURCE_PERMISSIONS OPTIONAL COMPONENT program)
set(manual ${PROJECT_BINARY_DIR}/src/cli/manual)
install(DIRECTORY ${manual}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program FILES_MATCHING PATTERN "*.1.gz")
install(FILES ${manual}/halfopen.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME halfopen COMPONENT program)
install(FILES ${manual}/_halfopen DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT program)
install(FILES ${manual}/halfopen.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
  COMPONENT program)
install(DIRECTORY include/halfopen DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
# Modules with which tests in other languages hold a running system by the reins.
install(DIRECTORY python node DESTINATION ${CMAKE_INSTALL_DATADIR}/halfopen COMPONENT program
  FILES_MATCHING PATTERN "*.py" PATTERN "*.mjs")
install(DIRECTORY packaging/ci packaging/campaign packaging/apparmor DESTINATION ${CMAKE_INSTALL_DATADIR}/halfopen COMPONENT program
  USE_SOURCE_PERMISSIONS)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT dev)

install(EXPORT halfopen-targets NAMESPACE halfopen:: DESTINATION ${halfopen_package_dir} COMPONENT dev)
configure_package_config_file(packaging/halfopen-config.cmake.in ${PROJECT_BINARY_DIR}/halfopen-config.cmake
  INSTALL_DESTINATION ${halfopen_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/halfopen-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/halfopen-config.cmake ${PROJECT_BINARY_DIR}/halfopen-config-version.cmake
  DESTINATION ${halfopen_package_dir} COMPONENT dev)
