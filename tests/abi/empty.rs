//! The library of the packages beside it, which are never built.
