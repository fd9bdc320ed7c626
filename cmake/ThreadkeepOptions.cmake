# Warnings and sanitizers of every target of this project, and of those only.
function(threadkeep_compile_options target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlaps in std::string's assignment that are not there (GCC bug 105651).
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  if(THREADKEEP_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(THREADKEEP_SANITIZE)
    # Instrumented code confuses GCC's analysis of what is initialized; the release build has it on.
    # The thread sanitizer does not know the fences in asio's headers.
    target_compile_options(${target} PRIVATE
      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-tsan>)
    target_compile_options(${target} PUBLIC
      -fsanitize=${THREADKEEP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${THREADKEEP_SANITIZE})
    # These look at every access to memory once more, where AddressSanitizer stands already, and
    # make up half of the time that the compiler takes.
    if(THREADKEEP_SANITIZE MATCHES "undefined")
      target_compile_options(${target} PUBLIC -fno-sanitize=null,alignment,vptr,object-size)
    endif()
  endif()
endfunction()
