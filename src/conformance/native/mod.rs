//! On the real machine: stress, and litmus tests that run.
