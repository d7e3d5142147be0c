"""Import this before numpy and torch: one thread each, told by the variables that their libraries read at load."""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
