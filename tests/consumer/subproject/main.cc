#include <cstdio>

#include "pullback/base/statistics.h"
#include "pullback/version.h"

int main() { std::printf("pullback %s: median %g\n", PULLBACK_VERSION, pullback::quantile({1, 2, 4}, 0.5)); }
