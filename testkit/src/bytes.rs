//! Numbers and fillings as bytes.

/// Bytes that look random and are always the same for a seed.
pub fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number for a field of 8 bits.
///
/// # Panics
///
/// When it does not fit.
pub fn length_8(number: usize) -> u8 {
    u8::try_from(number).expect("the field has 8 bits")
}

/// A number for a field of 16 bits.
///
/// # Panics
///
/// When it does not fit.
pub fn length_16(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("the field has 16 bits").to_be_bytes()
}

/// A number for a field of 32 bits.
///
/// # Panics
///
/// When it does not fit.
pub fn length_32(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("the field has 32 bits").to_be_bytes()
}
