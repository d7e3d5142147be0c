# A library user's comparison (PROGRAM) writes the table that the tool (TOOL) writes for the same study, but for the times.
cmake_minimum_required(VERSION 3.25)

# Without the column of times, whose width changes that of the others.
function(table_of out text)
  string(REGEX REPLACE "[0-9.]+ (µs|ms|s) " "" text "${text}")
  string(REGEX REPLACE "\n*report: .*" "\n" text "${text}")
  string(REGEX REPLACE "  +" " " text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

execute_process(COMMAND ${PROGRAM} 2 OUTPUT_VARIABLE by_library COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND ${TOOL} compare mnist-vae mnist-dae --solver energy --solver newton --solver graph+energy --pairs 2 --out ${OUT}
  OUTPUT_VARIABLE by_tool ERROR_VARIABLE progress COMMAND_ERROR_IS_FATAL ANY)
table_of(library "${by_library}")
table_of(tool "${by_tool}")
if(NOT library STREQUAL tool)
  message(FATAL_ERROR "the library's table\n${by_library}\nis not the tool's\n${by_tool}")
endif()
if(NOT library MATCHES "mnist-dae +\\([0-9]+ pairs\\).*graph\\+energy +100.0 %")
  message(FATAL_ERROR "not the table that was asked for:\n${by_library}")
endif()
