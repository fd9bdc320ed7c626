# threadkeep_embed_sql(NAME): every file of sql/ in the calling folder becomes a constant of its name,
# in the namespace threadkeep::NAME::sql of the header NAME/sql.hpp. A change of one configures again.
set(THREADKEEP_EMBED_SQL_HEADER ${CMAKE_CURRENT_LIST_DIR}/sql.hpp.in)

function(threadkeep_embed_sql name)
  file(GLOB sql_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sql/*.sql)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sql_files})
  set(constants "")
  foreach(file IN LISTS sql_files)
    get_filename_component(constant ${file} NAME_WE)
    file(READ ${file} text)
    string(APPEND constants
      "inline constexpr std::string_view ${constant} = R\"sql(${text})sql\";\n\n")
  endforeach()
  configure_file(${THREADKEEP_EMBED_SQL_HEADER} ${CMAKE_CURRENT_BINARY_DIR}/${name}/sql.hpp @ONLY)
endfunction()
