//! Statics whose address Suricata gets.

/// A static made of constants and functions, which Suricata reads and never writes.
///
/// Suricata's structures have raw pointers, for which the compiler does not know that several
/// threads may read them.
pub(super) struct HostStatic<T>(pub(super) T);

// SAFETY: the pointers inside are to constants and functions, and nobody writes to them.
unsafe impl<T> Sync for HostStatic<T> {}
