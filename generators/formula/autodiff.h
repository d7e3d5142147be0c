// Generators from a function that is written once for every scalar, differentiated automatically.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "pullback/base/export.h"
#include "pullback/generators/formula/jet_functions.h"
#include "pullback/generators/generator.h"

namespace pullback {
namespace internal {

// Tangents per evaluation: with four, a surface's Jacobian and second derivative take one evaluation together.
constexpr int kFunctorTangents = 4;

[[noreturn]] PULLBACK_EXPORT void throw_functor_size(const GeneratorTraits& traits, int expected, Eigen::Index got);

template <class Functor, class T>
concept PointerFunctor = requires(const Functor& f, const T* z, T* x) {
  f(z, x);
};
template <class Functor, class T>
concept VectorFunctor = requires(const Functor& f, const Eigen::VectorX<T>& z) {
  f(z);
};

// A type that owns its coefficients, rather than an expression that refers to variables that are gone on return.
template <class Derived>
concept OwningVector = std::same_as < std::remove_cvref_t<Derived>,
typename std::remove_cvref_t<Derived>::PlainObject > ;

template <class Functor>
class FunctorGenerator final : public Generator {
 public:
  FunctorGenerator(int latent, int ambient, Functor functor, GeneratorTraits traits)
      : Generator(latent, ambient, std::move(traits)), functor_(std::move(functor)) {}

 private:
  using Number = Jet<0>;
  using Dual = Jet<kFunctorTangents>;

  // The functor with its arguments, made once per batch: in the workspace, or on the heap where the functor wants a
  // vector.
  template <class T>
  struct Evaluation {
    using Vector = std::conditional_t<PointerFunctor<Functor, T>, Eigen::Map<Eigen::VectorX<T>>, Eigen::VectorX<T>>;

    Evaluation(const FunctorGenerator& generator, Workspace& ws)
        : self(generator), frame(ws), z(make(self.latent_dimension())), x(make(self.ambient_dimension())) {}

    Vector make(Eigen::Index size) {
      if constexpr (PointerFunctor<Functor, T>) {
        static_assert(std::is_trivially_destructible_v<T> && sizeof(T) % sizeof(double) == 0);
        auto* memory = reinterpret_cast<T*>(frame.matrix(sizeof(T) / sizeof(double), size).data());
        std::uninitialized_default_construct_n(memory, size);
        return Vector(memory, size);
      } else {
        return Vector(size);
      }
    }

    void operator()() {
      if constexpr (PointerFunctor<Functor, T>) {
        self.functor_(static_cast<const T*>(z.data()), x.data());
      } else {
        static_assert(VectorFunctor<Functor, T>,
                      "a functor takes (const T* z, T* x) or (const Eigen::VectorX<T>& z) for any scalar T");
        static_assert(OwningVector<decltype(self.functor_(z))>,
                      "a functor returns an Eigen vector of T, not an expression: add .eval() or name the return type");
        decltype(auto) result = self.functor_(static_cast<const Eigen::VectorX<T>&>(z));
        if (result.size() != x.size()) throw_functor_size(self.traits(), self.ambient_dimension(), result.size());
        std::copy_n(result.data(), x.size(), x.data());
      }
    }

    const FunctorGenerator& self;
    Workspace::Frame frame;
    Vector z;
    Vector x;
  };

  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const override {
    Evaluation<Number> f(*this, ws);
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      for (Eigen::Index i = 0; i < Z.rows(); ++i) f.z(i) = Z(i, k);
      f();
      for (Eigen::Index m = 0; m < X.rows(); ++m) X(m, k) = f.x(m).value;
    }
  }

  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override {
    Evaluation<Dual> f(*this, ws);
    for (Eigen::Index k = 0; k < Z.cols(); ++k) jacobian_at(Z, k, 0, f, X, J);
  }

  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                             Workspace& ws) const override {
    Evaluation<Dual> f(*this, ws);
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      for (Eigen::Index i = 0; i < Z.rows(); ++i) {
        f.z(i) = Z(i, k);
        f.z(i).tangent[0] = V(i, k);
      }
      f();
      for (Eigen::Index m = 0; m < D.rows(); ++m) D(m, k) = f.x(m).second;
    }
  }

  void do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T,
              Workspace& ws) const override {
    Evaluation<Dual> f(*this, ws);
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      for (Eigen::Index i = 0; i < Z.rows(); ++i) {
        f.z(i) = Z(i, k);
        f.z(i).tangent[0] = V(i, k);
      }
      f();
      for (Eigen::Index m = 0; m < X.rows(); ++m) {
        X(m, k) = f.x(m).value;
        T(m, k) = f.x(m).tangent[0];
      }
    }
  }

  void do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                       Workspace& ws) const override {
    Evaluation<Dual> f(*this, ws);
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      for (Eigen::Index i = 0; i < Z.rows(); ++i) f.z(i).tangent[0] = V(i, k);
      jacobian_at(Z, k, 1, f, X, J);
      for (Eigen::Index m = 0; m < D.rows(); ++m) D(m, k) = f.x(m).second;
    }
  }

  // X and J of point k; tangents below `first_free` are left as they are.
  static void jacobian_at(const ConstMatrixRef& Z, Eigen::Index k, int first_free, Evaluation<Dual>& f, MatrixRef& X,
                          MatrixRef& J) {
    const int n = static_cast<int>(Z.rows());
    const int width = kFunctorTangents - first_free;
    for (int begin = 0; begin < n; begin += width) {
      for (int i = 0; i < n; ++i) {
        f.z(i).value = Z(i, k);
        for (int t = 0; t < width; ++t) f.z(i).tangent[first_free + t] = i == begin + t ? 1 : 0;
      }
      f();
      for (int t = 0; t < std::min(width, n - begin); ++t) {
        for (Eigen::Index m = 0; m < X.rows(); ++m) J(m, n * k + begin + t) = f.x(m).tangent[first_free + t];
      }
    }
    for (Eigen::Index m = 0; m < X.rows(); ++m) X(m, k) = f.x(m).value;
  }

  Functor functor_;
};

}  // namespace internal

// A generator from a function that is written for any scalar T, with exact first and second derivatives.
//
// `functor` is called as f(z) with z an Eigen::VectorX<T> and returns an Eigen vector of T with `ambient` entries, or
// as f(const T* z, T* x) and fills x, which saves allocations. A generic lambda will do:
//
//   auto sphere = make_generator(2, 3, []<class T>(const Eigen::VectorX<T>& z) {
//     return Eigen::Vector3<T>(sin(z(0)) * cos(z(1)), sin(z(0)) * sin(z(1)), cos(z(0)));
//   });
//
// T is a Jet (jet.h), never double: write sin, sqrt, abs, max … without std::, and compare jets as if they were
// numbers. Matrices of double may multiply vectors of T. `traits` are the generator's, except that its derivatives are
// exact; set `smooth` to false for a function with kinks. Undefined: as for Jet. Errors: std::invalid_argument for a
// dimension below 1, and at evaluation for a vector of another size than `ambient`; what the functor throws passes
// unchanged. Cost in evaluations of the functor: one for a value, Jv or a second derivative, ⌈n/4⌉ for a Jacobian,
// ⌈n/3⌉ for second_order. Thread safety: as the functor's const call operator, which must be callable from several
// threads.
template <class Functor>
std::shared_ptr<const Generator> make_generator(int latent, int ambient, Functor functor,
                                                GeneratorTraits traits = {.name = "function"}) {
  traits.first = Derivative::kExact;
  traits.second = Derivative::kExact;
  return std::make_shared<internal::FunctorGenerator<Functor>>(latent, ambient, std::move(functor), std::move(traits));
}

}  // namespace pullback
