//! Boots NixOS-like hosts in real VMs, clones the settled machine for every trial, records everything that happens
//! in it and judges afterwards.

pub mod cli;
pub mod event;
pub mod generation;
#[cfg(test)]
mod golden;
pub mod guest;
pub mod image;
pub mod judge;
pub mod machine;
pub mod report;
pub mod run;
pub mod scenario;
pub mod timeline;
