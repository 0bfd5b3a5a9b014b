# The man page, the shell completion, strait.pc, and what goes where.

# Page and completion come from the program's own table of commands. A build for another machine cannot run the program.
if(NOT CMAKE_CROSSCOMPILING)
  add_custom_command(OUTPUT strait.1 COMMAND strait help --man > strait.1.part
    COMMAND ${CMAKE_COMMAND} -E rename strait.1.part strait.1 DEPENDS strait VERBATIM)
  add_custom_command(OUTPUT completion.bash COMMAND strait completion bash > completion.bash.part
    COMMAND ${CMAKE_COMMAND} -E rename completion.bash.part completion.bash DEPENDS strait VERBATIM)
  add_custom_target(strait_documents ALL DEPENDS strait.1 completion.bash)
  install(FILES ${CMAKE_BINARY_DIR}/strait.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_BINARY_DIR}/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME strait)
endif()

# Paths relative to where strait.pc lies: it is right wherever the tree is put (cmake --install --prefix, DESTDIR).
file(RELATIVE_PATH STRAIT_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" STRAIT_PC_TO_PREFIX "${STRAIT_PC_TO_PREFIX}")
configure_file(cmake/strait.pc.in strait.pc @ONLY)
install(TARGETS strait strait_shared strait_static)
install(DIRECTORY include/strait DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY recipes DESTINATION ${CMAKE_INSTALL_DATADIR}/strait FILES_MATCHING PATTERN "*.yaml")
install(FILES ${CMAKE_BINARY_DIR}/strait.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
