//! A keyword's argument in a rule, ready to match.

use core::ptr::NonNull;
use std::ffi::CString;

use super::args::{self, Part};
use super::table::{Integer, Kind, Width};
use crate::policy::What;
use crate::sys;
use crate::tx::Transaction;

/// What a keyword of a rule looks for.
pub(super) enum Matcher {
    Integer { keyword: &'static Integer, test: IntegerTest, part: Option<Part> },
    Weak(Vec<What>),
}

impl Matcher {
    /// Reads an argument. The error says what is wrong and what is allowed.
    pub(super) fn new(kind: &'static Kind, argument: &str) -> Result<Self, String> {
        match kind {
            Kind::Integer(keyword) => {
                let read = args::integer(argument, keyword.number, keyword.parts)?;
                let test = IntegerTest::new(keyword.width, &read.expression)?;
                Ok(Self::Integer { keyword, test, part: read.part })
            }
            Kind::Weak => args::weak(argument).map(Self::Weak),
            Kind::Buffer(_) => Err("the keyword takes no argument".to_owned()),
        }
    }

    /// Whether the transaction is what the rule looks for.
    pub(super) fn matches(&self, tx: &Transaction) -> bool {
        match self {
            Self::Integer { keyword, test, part } => {
                (keyword.any)(tx, *part, &mut |value| test.passes(value))
            }
            Self::Weak(kinds) => {
                tx.findings.iter().any(|finding| kinds.is_empty() || kinds.contains(&finding.what))
            }
        }
    }
}

/// An integer expression, parsed and tested by the host.
pub(super) enum IntegerTest {
    U8(NonNull<sys::DetectUintData_u8>),
    U16(NonNull<sys::DetectUintData_u16>),
}

impl IntegerTest {
    fn new(width: Width, expression: &str) -> Result<Self, String> {
        let text = CString::new(expression).map_err(|_| "it contains a zero byte".to_owned())?;
        let parsed = match width {
            // SAFETY: the string is valid for the call; null means it was not understood.
            Width::U8 => NonNull::new(unsafe { sys::SCDetectU8Parse(text.as_ptr()) }).map(Self::U8),
            Width::U16 => {
                // SAFETY: as above.
                NonNull::new(unsafe { sys::SCDetectU16Parse(text.as_ptr()) }).map(Self::U16)
            }
        };
        let largest = match width {
            Width::U8 => u32::from(u8::MAX),
            Width::U16 => u32::from(u16::MAX),
        };
        parsed.ok_or_else(|| {
            format!(
                "'{expression}' is not a number from 0 to {largest}, nor such a number \
                 with !, <, >, <=, >= or a range with - or <>"
            )
        })
    }

    fn passes(&self, value: u32) -> bool {
        match self {
            // SAFETY: made by the host's parser, freed in `drop` only.
            Self::U8(data) => u8::try_from(value)
                .is_ok_and(|value| unsafe { sys::SCDetectU8Match(value, data.as_ptr()) } == 1),
            // SAFETY: as above.
            Self::U16(data) => u16::try_from(value)
                .is_ok_and(|value| unsafe { sys::SCDetectU16Match(value, data.as_ptr()) } == 1),
        }
    }
}

impl Drop for IntegerTest {
    fn drop(&mut self) {
        match self {
            // SAFETY: made by the host's parser for this value, freed once.
            Self::U8(data) => unsafe { sys::SCDetectU8Free(data.as_ptr()) },
            // SAFETY: as above.
            Self::U16(data) => unsafe { sys::SCDetectU16Free(data.as_ptr()) },
        }
    }
}
