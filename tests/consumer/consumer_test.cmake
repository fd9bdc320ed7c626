# Installs threadkeep to an empty prefix and builds and runs the project next to this file with it.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output
    ERROR_VARIABLE output WORKING_DIRECTORY ${WORK})
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
  message("${output}")
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(compiler -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}
  -DCMAKE_BUILD_TYPE=Debug)
if(CONFIGURE)
  set(BUILD ${WORK}/library)
  run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE} -B ${BUILD} ${compiler} ${CONFIGURE})
  run(${CMAKE_COMMAND} --build ${BUILD} -j 2)
endif()
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
if(SANITIZE)
  list(APPEND compiler -DCMAKE_CXX_FLAGS=-fsanitize=${SANITIZE})
endif()
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${CMAKE_CURRENT_LIST_DIR}/project -B ${WORK}/project ${compiler}
  -DCMAKE_PREFIX_PATH=${WORK}/prefix -DURL=${URL})
run(${CMAKE_COMMAND} --build ${WORK}/project -j 2)
run(${WORK}/project/consumer ${URL} ${KNOWN} ${UNKNOWN})
# An installation with the testing library proves backends too, and one of everything has exporters.
if(NOT CONFIGURE)
  run(${WORK}/project/exporters)
  run(${WORK}/project/outside_suite --gtest_brief=1)
endif()
