//! Every expectation is seen green, red and, where it can be, broken, on recordings made by hand.

mod builder;
mod gates;
mod integrity;
mod lines;
mod pictures;
mod progress;
mod properties;
