# strait_embed(TARGET NAME FILE): the bytes of FILE become `const unsigned char st_NAME[]` and `const size_t
# st_NAME_size` in TARGET. The C file is written when CMake runs, and CMake runs again when FILE changes.
function(strait_embed target name file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.c)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "/* ${file}, embedded. */
#include <stddef.h>
extern const unsigned char st_${name}[];
extern const size_t st_${name}_size;
const unsigned char st_${name}[] = {
${bytes}};
const size_t st_${name}_size = sizeof st_${name};
")
  target_sources(${target} PRIVATE ${source})
endfunction()
