//! What the fuzz targets share: what holds for every input, so that a target finds more than
//! panics. The form of their inputs is in the testkit.

pub mod invariants;
pub mod memory;
pub mod record;
pub mod step;
