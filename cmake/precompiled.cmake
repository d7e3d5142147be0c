# Headers of others that most sources include, compiled once for each library and once for all tests: reading them anew
# was two thirds of the build. No header of ours is among them, so that a change of one compiles what includes it and no
# more. That each source includes what it uses is shown by clang-tidy and by the verified header sets, which compile
# without them.
#
# pullback_precompile(<library>) compiles them for a library that links fmt; give files with flags of their own
# SKIP_PRECOMPILE_HEADERS.

function(pullback_precompile target)
  target_precompile_headers(${target} PRIVATE
    <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <limits> <map> <memory> <optional> <set> <stdexcept>
    <string> <string_view> <utility> <vector>
    <Eigen/Core> <Eigen/LU> <Eigen/QR> <Eigen/Cholesky> <Eigen/SVD> <Eigen/Eigenvalues> <fmt/format.h>)
endfunction()
