find_package(Ceres REQUIRED)
find_library(OPENBLAS openblas REQUIRED)

# Debian's Ceres reaches LAPACK through whichever BLAS is installed; OpenBLAS first makes it that one.
pullback_plugin(energy SOURCES block_descent.cc discrete_energy.cc energy.cc LIBRARIES ${OPENBLAS} Ceres::ceres)
