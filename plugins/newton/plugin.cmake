pullback_plugin(newton SOURCES hessian_models.cc moving_curve.cc newton.cc)
