//! Every expectation is seen green, red and, where it can be, broken, on recordings made by hand.

mod builder;
mod changes;
mod counted;
mod gates;
mod integrity;
mod lines;
mod performed;
mod pictures;
mod progress;
mod properties;
mod sample;
