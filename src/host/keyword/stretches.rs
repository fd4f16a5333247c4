//! An integer expression as what the host says about the stretches between its
//! numbers: to ask the host for each value would cost more than all the rest of a rule.

use crate::message::Remainders;

/// Whether values pass, by where they lie to the one or two numbers of an expression:
/// below, at the first, between, at the second, above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretches {
    numbers: [u32; 2],
    /// A bit for each stretch.
    passing: u8,
    /// What may pass.
    remainders: Remainders,
}

impl Stretches {
    /// The stretches of an expression of which `passes` tells the meaning. None for one
    /// that is no comparison of one or two decimal numbers.
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
        let mut stretches = Self { numbers, passing: 0, remainders: Remainders::default() };
        for (first, last) in stretches.bounds(largest) {
            if first <= last && passes(first) {
                stretches.passing |= 1 << stretches.place(first);
                stretches.remainders = stretches.remainders.and(Remainders::of(first..=last));
            }
        }
        Some(stretches)
    }

    /// The first and the last value of each stretch; the last is below where it is empty.
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

    fn place(&self, value: u32) -> u32 {
        let [low, high] = self.numbers;
        [value >= low, value > low, value >= high, value > high].into_iter().map(u32::from).sum()
    }

    pub(super) fn passes(&self, value: u32) -> bool {
        self.passing >> self.place(value) & 1 != 0
    }

    /// What may pass.
    pub(super) fn remainders(&self) -> Remainders {
        self.remainders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Meaning = fn(u32) -> bool;

    #[test]
    fn every_value_passes_as_the_expression_means() {
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
            let stretches = Stretches::of(expression, 255, meaning).expect(expression);
            for value in 0..=255 {
                assert_eq!(stretches.passes(value), meaning(value), "{expression}: {value}");
                let remainder = Remainders::of(value..=value);
                let may = stretches.remainders().meets(remainder);
                assert!(may || !meaning(value), "{expression}: {value}");
            }
        }
    }

    #[test]
    fn a_single_number_is_sieved() {
        let stretches = Stretches::of("40001", 65_535, |it| it == 40_001).unwrap();
        assert_eq!(stretches.remainders(), Remainders::of(40_001..=40_001));
    }

    #[test]
    fn what_is_no_plain_comparison_is_left_to_the_host() {
        for expression in ["0x22", "&1=1", "1,2", "1-2-3", "", "1kb", "!", "300", "4294967296"] {
            assert_eq!(Stretches::of(expression, 255, |_| true), None, "{expression}");
        }
    }
}
