//! The codecs against what Go wrote.

mod mistakes;
mod random;
mod recorded;
mod vectors;
