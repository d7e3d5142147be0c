// What the libraries export.
#pragma once

// Stands before the name of a class and before a function of a public header: the libraries are built with hidden
// visibility, so that users, plugins and other layers reach what bears this mark and nothing else. A class without it
// cannot be caught, cast to or derived from in another library. Class and function templates need no mark.
#define PULLBACK_EXPORT __attribute__((visibility("default")))
