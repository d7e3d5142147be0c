# Joins Debian's Vega, which comes as one UMD module a package, into one script that defines `vega`.
#
# Each module becomes a function (exports, require); they are run in the order of their dependencies. What the report's
# charts do not use (geographic projections, force layouts, word clouds …) is left out.
set(modules util time format loader dataflow statistics canvas scale scenegraph expression event-selector selection
            functions parser runtime view transforms view-transforms encode)

file(READ ${HEAD} head)
file(WRITE ${OUTPUT} "${head}(function () {\n'use strict';\nconst loaded = {};\n"
     "const require = name => loaded[name] || loaded[name.replace(/s$/, '')];\n"
     "const define = (name, body) => { const exports = {}; body(exports, {exports}, require); loaded[name] = exports; };\n")
foreach(module IN LISTS modules)
  file(READ ${VEGA_DIR}/vega-${module}.min.js code)
  string(REGEX REPLACE "\n?//# sourceMappingURL=[^\n]*" "" code "${code}")
  file(APPEND ${OUTPUT} "define('vega-${module}', function (exports, module, require) {\n${code}\n});\n")
endforeach()
file(APPEND ${OUTPUT}
  "const {transforms} = loaded['vega-dataflow'];\n"
  "for (const name of ['vega-transforms', 'vega-view-transforms', 'vega-encode']) Object.assign(transforms, loaded[name]);\n"
  "globalThis.vega = Object.assign({}, ...Object.values(loaded));\n})();\n")
