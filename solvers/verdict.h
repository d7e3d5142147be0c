// Judging what a solver claims of a curve.
#pragma once

#include <string>

#include "pullback/base/export.h"
#include "pullback/solvers/certificate.h"

namespace pullback {

struct PULLBACK_EXPORT Verdict {
  Termination termination;
  std::string message;
};

// The claim where the certificate supports it, otherwise what the certificate says instead.
PULLBACK_EXPORT Verdict judge(const Certificate& certificate, Termination claim, const std::string& message,
                              const CertificateLimits& limits = {});

}  // namespace pullback
