# Installation: libraries, headers, the tool, the models and a package for find_package(pullback).
