//! What the fuzz targets share: the form of their inputs, and what holds for every
//! input, so that a target finds more than panics.

pub mod input;
pub mod invariants;
pub mod memory;
pub mod record;
pub mod step;
