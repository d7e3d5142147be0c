// The library in one include: open a space and compute in it.
//
//   #include "pullback/pullback.h"
//   auto space = pullback::open("mnist-vae");
//   std::cout << space.distance(pullback::Vector{{0.5, -1}}, pullback::Vector{{-0.3, 1.2}}).value;
//
// Where only a part is needed, the single headers compile faster.
#pragma once

#include "pullback/base/error.h"
#include "pullback/base/types.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/formula/callback.h"
#include "pullback/manifold/metrics/metric_functor.h"
#include "pullback/solvers/result.h"
#include "pullback/spaces/space.h"
