//! An integer expression of a rule as intervals of values.
//!
//! The host is asked once for each interval, when the rule is loaded. To ask the host for
//! every value of every message would cost more than the rest of the rule.

use crate::message::Remainders;

/// The intervals that one or two numbers of an expression divide all values into: below the
/// first number, the first number, between, the second number, above the second number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Intervals {
    numbers: [u32; 2],
    /// One bit for each interval: whether its values pass.
    passing: u8,
    /// The remainders of all values that pass, for the prefilter.
    remainders: Remainders,
}

impl Intervals {
    /// The intervals of an expression. `passes` evaluates the expression for one value.
    /// `None` if the expression is not a comparison with one or two decimal numbers. Then
    /// the host evaluates it for each value.
    pub(super) fn of(expression: &str, largest: u32, passes: impl Fn(u32) -> bool) -> Option<Self> {
        let plain = |c: char| c.is_ascii_digit() || "!<>=- ".contains(c);
        let numbers = expression.split(|c: char| !c.is_ascii_digit()).filter(|it| !it.is_empty());
        let numbers: Result<Vec<u32>, _> = numbers.map(str::parse).collect();
        let numbers = match *numbers.ok()? {
            [number] => [number, number],
            [one, other] => [one.min(other), one.max(other)],
            _ => return None,
        };
        if !expression.chars().all(plain) || numbers[1] > largest {
            return None;
        }
        let mut intervals = Self { numbers, passing: 0, remainders: Remainders::default() };
        for (first, last) in intervals.bounds(largest) {
            if first <= last && passes(first) {
                intervals.passing |= 1 << intervals.interval_of(first);
                intervals.remainders = intervals.remainders.and(Remainders::of(first..=last));
            }
        }
        Some(intervals)
    }

    /// The first and the last value of each interval. If the last is smaller, the interval
    /// is empty.
    fn bounds(&self, largest: u32) -> [(u32, u32); 5] {
        let [low, high] = self.numbers;
        let empty = (1, 0);
        [
            low.checked_sub(1).map_or(empty, |last| (0, last)),
            (low, low),
            high.checked_sub(1).map_or(empty, |last| (low.saturating_add(1), last)),
            (high, high),
            high.checked_add(1).map_or(empty, |first| (first, largest)),
        ]
    }

    fn interval_of(&self, value: u32) -> u32 {
        let [low, high] = self.numbers;
        [value >= low, value > low, value >= high, value > high].into_iter().map(u32::from).sum()
    }

    pub(super) fn passes(&self, value: u32) -> bool {
        self.passing >> self.interval_of(value) & 1 != 0
    }

    /// The only value that passes, if it is one.
    pub(super) fn single(&self) -> Option<u32> {
        let [low, high] = self.numbers;
        (low == high && self.passing == 1 << self.interval_of(low)).then_some(low)
    }

    /// The remainders of all values that pass.
    pub(super) fn remainders(&self) -> Remainders {
        self.remainders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Meaning = fn(u32) -> bool;

    #[test]
    fn intervals_agree_with_the_expression() {
        let meanings: [(&str, Meaning); 12] = [
            ("7", |it| it == 7),
            ("0", |it| it == 0),
            ("255", |it| it == 255),
            ("!7", |it| it != 7),
            ("<7", |it| it < 7),
            ("<=7", |it| it <= 7),
            (">7", |it| it > 7),
            (">= 7", |it| it >= 7),
            ("7-70", |it| (7..=70).contains(&it)),
            ("7<>9", |it| it == 8),
            ("!7-9", |it| !(7..=9).contains(&it)),
            ("7-8", |it| (7..=8).contains(&it)),
        ];
        for (expression, meaning) in meanings {
            let intervals = Intervals::of(expression, 255, meaning).expect(expression);
            for value in 0..=255 {
                assert_eq!(intervals.passes(value), meaning(value), "{expression}: {value}");
                let remainder = Remainders::of(value..=value);
                let may = intervals.remainders().meets(remainder);
                assert!(may || !meaning(value), "{expression}: {value}");
            }
        }
    }

    #[test]
    fn a_single_number_is_prefiltered() {
        let intervals = Intervals::of("40001", 65_535, |it| it == 40_001).unwrap();
        assert_eq!(intervals.remainders(), Remainders::of(40_001..=40_001));
        assert_eq!(intervals.single(), Some(40_001));
        let two = Intervals::of("1-2", 255, |it| it == 1 || it == 2).unwrap();
        let other = Intervals::of("!7", 255, |it| it != 7).unwrap();
        assert_eq!([two.single(), other.single()], [None, None]);
    }

    #[test]
    fn the_host_evaluates_other_expressions() {
        for expression in ["0x22", "&1=1", "1,2", "1-2-3", "", "1kb", "!", "300", "4294967296"] {
            assert_eq!(Intervals::of(expression, 255, |_| true), None, "{expression}");
        }
    }
}
