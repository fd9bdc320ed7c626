# Warnings and sanitizers of every target of this project, and of those only.
function(threadkeep_compile_options target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast)
  if(THREADKEEP_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(THREADKEEP_SANITIZE)
    target_compile_options(${target} PUBLIC
      -fsanitize=${THREADKEEP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${THREADKEEP_SANITIZE})
  endif()
endfunction()
