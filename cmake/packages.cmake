# Debian packages, made by scripts/make-packages:
#
#     halfopen             the program, its manual, completions, modules for python and node
#     libhalfopen1         libhalfopen.so.1, the library for C
#     libhalfopen-dev      the libraries: static, headers, what CMake and pkg-config read
#     python3-halfopen     the module for programs (over libhalfopen1) and for tests, and the pytest fixture
#     halfopen-clock       the virtual clock's kernel, if HALFOPEN_KERNEL names its folder
#
# What each needs of shared libraries dpkg-shlibdeps says. For other distributions: scripts/make-tarball.

set(HALFOPEN_KERNEL "" CACHE PATH "folder of a kernel that `halfopen clock build` made, for the package halfopen-clock")
set(HALFOPEN_MAINTAINER "halfopen maintainers <maintainers@halfopen.invalid>" CACHE STRING "of the Debian packages")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME halfopen)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${HALFOPEN_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_COMPONENTS_ALL program lib dev python)

# halfopen_package(program halfopen DEPENDS "..." DESCRIPTION "..."): the component's package, with the files
# that every Debian package has.
function(halfopen_package component name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "ARCHITECTURE;SECTION;DEPENDS;SUMMARY;DESCRIPTION" "")
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${arg_DEPENDS}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${arg_SUMMARY}\n${arg_DESCRIPTION}" PARENT_SCOPE)
  foreach(property ARCHITECTURE SECTION)
    if(arg_${property})
      set(CPACK_DEBIAN_${upper}_PACKAGE_${property} ${arg_${property}} PARENT_SCOPE)
    endif()
  endforeach()
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/debian/copyright ${PROJECT_BINARY_DIR}/debian/changelog.gz
    DESTINATION share/doc/${name} COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()

# Each section of CHANGELOG.md is for people; what Debian's tools read has the version and a date.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/debian)
file(WRITE ${PROJECT_BINARY_DIR}/debian/changelog
  "halfopen (${PROJECT_VERSION}) unstable; urgency=medium\n\n  * See https://semver.org for the version; CHANGELOG.md says what changed.\n\n"
  " -- ${HALFOPEN_MAINTAINER}  Fri, 27 Nov 2026 00:00:00 +0000\n")
execute_process(COMMAND gzip -9nkf ${PROJECT_BINARY_DIR}/debian/changelog)

set(what "halfopen makes a TCP peer die for real, in seven ways, proves it with\npackets, and judges any client, server or service by what it then does.")
halfopen_package(program halfopen
  SUMMARY "finds out what a TCP program does when the other side dies"
  DESCRIPTION "${what}")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
install(FILES packaging/debian/halfopen.lintian DESTINATION share/lintian/overrides RENAME halfopen
  COMPONENT program EXCLUDE_FROM_ALL)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS halfopen-clock)
halfopen_package(lib libhalfopen1 SECTION libs
  SUMMARY "tells how TCP connections end, and how soon a dead peer is noticed"
  DESCRIPTION "${what}\n.\nThis package has the shared library for C, and for what can call C.")
set(CPACK_DEBIAN_LIB_PACKAGE_SHLIBDEPS ON)
# What a package that links the library shall depend on (deb-shlibs(5), deb-symbols(5)): the linker's list is the one
# list. A node that is added there has the version that brought it added here.
set(control ${PROJECT_BINARY_DIR}/debian/libhalfopen1)
file(STRINGS src/capi/libhalfopen.map exported REGEX "^ +halfopen_[a-z_]+;$")
list(TRANSFORM exported REPLACE "^ +(.*);$" " \\1@HALFOPEN_1 0.1.0\n")
list(PREPEND exported " HALFOPEN_1@HALFOPEN_1 0.1.0\n")
string(JOIN "" exported ${exported})
file(WRITE ${control}/symbols "libhalfopen.so.1 libhalfopen1 #MINVER#\n${exported}")
file(WRITE ${control}/shlibs "libhalfopen 1 libhalfopen1 (>= 0.1.0)\n")
file(WRITE ${control}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIB_PACKAGE_CONTROL_EXTRA ${control}/symbols ${control}/shlibs ${control}/triggers)
set(CPACK_DEBIAN_LIB_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_LIB_PACKAGE_MULTIARCH same)
install(FILES packaging/debian/libhalfopen1.lintian DESTINATION share/lintian/overrides RENAME libhalfopen1
  COMPONENT lib EXCLUDE_FROM_ALL)

halfopen_package(dev libhalfopen-dev SECTION libdevel
  DEPENDS "libhalfopen1 (= ${PROJECT_VERSION}), libasio-dev, libfmt-dev, libmnl-dev, libseccomp-dev, libssl-dev, libsystemd-dev, libtins-dev"
  SUMMARY "library for TCP programs whose other side may die"
  DESCRIPTION "${what}\n.\nThis package has the headers, static libraries, and files for CMake and\npkg-config.")
halfopen_package(python python3-halfopen ARCHITECTURE all SECTION python
  DEPENDS "python3, libhalfopen1 (>= ${PROJECT_VERSION})"
  SUMMARY "how TCP connections end, for Python, and a system held by the reins"
  DESCRIPTION "${what}\n.\nThis package has modules for programs in Python (halfopen.fate,\nhalfopen.liveness), one for tests that crash the hosts of a system, which\nneeds the program, and a pytest fixture.")
set(CPACK_DEBIAN_PYTHON_PACKAGE_RECOMMENDS halfopen)
set(scripts ${PROJECT_SOURCE_DIR}/packaging/debian/python3-halfopen)
set(CPACK_DEBIAN_PYTHON_PACKAGE_CONTROL_EXTRA ${scripts}/postinst ${scripts}/prerm)
set(CPACK_DEBIAN_PYTHON_PACKAGE_CONTROL_STRICT_PERMISSION ON)
install(DIRECTORY python/halfopen DESTINATION lib/python3/dist-packages COMPONENT python EXCLUDE_FROM_ALL
  FILES_MATCHING PATTERN "*.py")

if(HALFOPEN_KERNEL)
  list(APPEND CPACK_COMPONENTS_ALL clock)
  halfopen_package(clock halfopen-clock
    DEPENDS "libc6"
    SUMMARY "kernel of halfopen's virtual clock"
    DESCRIPTION "${what}\n.\nThis package has the User-Mode Linux kernel in whose guests time jumps\nover waiting, and the options, patch and script by which it is made of\nDebian's linux-source-6.12.")
  install(DIRECTORY ${HALFOPEN_KERNEL} DESTINATION lib/halfopen/kernel COMPONENT clock EXCLUDE_FROM_ALL
    USE_SOURCE_PERMISSIONS)
  install(FILES src/clock/build-kernel src/clock/kernel.options src/clock/kernel.patch
    DESTINATION share/doc/halfopen-clock/source COMPONENT clock EXCLUDE_FROM_ALL)
  install(FILES packaging/debian/halfopen-clock.lintian DESTINATION share/lintian/overrides
    RENAME halfopen-clock COMPONENT clock EXCLUDE_FROM_ALL)
endif()

include(CPack)
