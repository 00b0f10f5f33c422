//! libxc migration streams: those that real Xen wrote, those that we write, and those to be refused.

mod guest;
mod mutated;
mod real;
mod refused;
mod streams;
