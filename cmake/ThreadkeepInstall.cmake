# `cmake --install` and find_package(threadkeep) for the library; testing/ adds its own target.
include(CMakePackageConfigHelpers)

set(THREADKEEP_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/threadkeep)
install(TARGETS threadkeep EXPORT threadkeepTargets)
install(DIRECTORY plugin/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT threadkeepTargets NAMESPACE threadkeep:: DESTINATION ${THREADKEEP_CMAKE_DIR})
configure_package_config_file(cmake/threadkeepConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/threadkeepConfig.cmake INSTALL_DESTINATION ${THREADKEEP_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/threadkeepConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/threadkeepConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/threadkeepConfigVersion.cmake DESTINATION ${THREADKEEP_CMAKE_DIR})
