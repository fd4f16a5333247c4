//! Parses lines of charon's log, with or without a prefix from syslog.

use zeroize::Zeroizing;

use super::dump::number;

/// A line of charon's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CharonLine<'a> {
    /// The text before the line, such as time, host and program.
    pub(super) prefix: &'a [u8],
    /// The number of the thread that wrote the line.
    pub(super) thread: u64,
    /// The subsystem, for example `IKE` or `CFG`.
    pub(super) group: &'a [u8],
    /// The unique number of the IKE SA that the thread works on. Only with `ike_name`.
    pub(super) id: Option<u64>,
    /// The text of the message.
    pub(super) text: &'a [u8],
}

impl<'a> CharonLine<'a> {
    /// Parses a line from a file or from syslog, such as `06[IKE] text` or `06[IKE3]
    /// <net|1> text`. A prefix has to end in a space.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let mut from = 0;
        while let Some(place) = line.get(from..)?.iter().position(|byte| *byte == b'[') {
            let bracket = from + place;
            if let Some(found) = Self::at(line, bracket) {
                return Some(found);
            }
            from = bracket + 1;
        }
        None
    }

    /// Parses the line whose group begins at the bracket with this index.
    fn at(line: &'a [u8], bracket: usize) -> Option<Self> {
        let before = line.get(..bracket)?;
        let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (prefix, thread) = before.split_at(bracket - digits);
        if digits < 2 || !matches!(prefix, [] | [.., b' ' | b'\t']) {
            return None;
        }
        let (group, rest) = line.get(bracket + 1..)?.split_at_checked(3)?;
        let ([b'0'..=b'9', b']', b' ', rest @ ..] | [b']', b' ', rest @ ..]) = rest else {
            return None;
        };
        if !group.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        let (id, text) = name(rest).map_or((None, rest), |(id, text)| (Some(id), text));
        Some(Self { prefix, thread: number(thread)?, group, id, text: text.trim_ascii_end() })
    }
}

/// The program that wrote a line, and its host, from the prefix that syslog adds.
///
/// `Nov 27 03:32:33 gate charon[815]: ` gives `gate` and `charon[815]:`. The format of RFC
/// 5424, `<30>1 2026-11-27T03:32:33Z gate charon 815 - - `, gives `gate`, `charon` and
/// `815`. A prefix without a tag gives nothing, because it may be just the time.
pub(super) fn program(prefix: &[u8]) -> [&[u8]; 3] {
    let mut words = prefix.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let first = words.clone().next().unwrap_or_default();
    if first.starts_with(b"<") && first.ends_with(b">1") {
        let mut words = words.skip(2);
        return [(); 3].map(|()| words.next().unwrap_or_default());
    }
    let tag = words.next_back().unwrap_or_default();
    if !tag.first().is_some_and(u8::is_ascii_alphabetic) || !tag.ends_with(b":") {
        return [&[]; 3];
    }
    // A time contains colons or has no letters.
    let is_host = |word: &&[u8]| !word.contains(&b':') && word.iter().any(u8::is_ascii_alphabetic);
    [words.next_back().filter(is_host).unwrap_or_default(), tag, &[]]
}

/// The number in `<net|1> ` or `<1> `, and the text after it.
fn name(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.strip_prefix(b"<")?;
    let end = text.windows(2).position(|pair| pair == b"> ")?;
    let id = text.get(..end)?.rsplit(|byte| *byte == b'|').next()?;
    Some((number(id)?, text.get(end + 2..)?))
}

/// A JSON record: a message of one or more lines, and the fields about it.
#[derive(Default)]
pub(super) struct CharonRecord {
    thread: Option<u64>,
    group: Vec<u8>,
    id: Option<u64>,
    text: Zeroizing<Vec<u8>>,
    /// The host, the program and the process ID.
    program: [Vec<u8>; 3],
}

impl CharonRecord {
    /// Parses a line of a file with `json`, or of `journalctl --output=json`.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let mut rest = line.trim_ascii().strip_prefix(b"{")?;
        let mut record = Self::default();
        loop {
            let key = string(&mut rest)?;
            skip(&mut rest, b':')?;
            let value = value(&mut rest)?;
            record.set(&key, value);
            if skip(&mut rest, b',').is_none() {
                break;
            }
        }
        (!record.text.is_empty()).then_some(record)
    }

    fn set(&mut self, key: &[u8], value: Zeroizing<Vec<u8>>) {
        match key {
            b"thread" | b"THREAD" => self.thread = number(&value),
            b"group" | b"GROUP" => self.group = value.to_vec(),
            b"ikesa-uniqueid" | b"IKE_SA_UNIQUE_ID" => self.id = number(&value),
            b"msg" | b"MESSAGE" => self.text = value,
            b"_HOSTNAME" => self.program[0] = value.to_vec(),
            b"SYSLOG_IDENTIFIER" => self.program[1] = value.to_vec(),
            b"_PID" => self.program[2] = value.to_vec(),
            _ => {}
        }
    }

    /// The program that wrote the record. Fields that the record lacks are empty.
    pub(super) fn program(&self) -> [&[u8]; 3] {
        self.program.each_ref().map(Vec::as_slice)
    }

    /// The lines of the message.
    pub(super) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split(|byte| *byte == b'\n')
    }

    /// One of these lines as a line of charon. `None` if charon did not write the record.
    pub(super) fn line<'a>(&'a self, text: &'a [u8]) -> Option<CharonLine<'a>> {
        let group = Some(self.group.as_slice()).filter(|group| group.len() == 3)?;
        Some(CharonLine { prefix: &[], thread: self.thread?, group, id: self.id, text })
    }
}

fn skip(rest: &mut &[u8], byte: u8) -> Option<()> {
    *rest = rest.trim_ascii_start().strip_prefix(&[byte])?;
    Some(())
}

/// Reads a JSON string and resolves its escapes.
fn string(rest: &mut &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    skip(rest, b'"')?;
    let mut end = 0;
    loop {
        end += match rest.get(end)? {
            b'"' => break,
            b'\\' => 2,
            _ => 1,
        };
    }
    // An escape is longer than its character, so the vector never grows.
    let mut text = Zeroizing::new(Vec::with_capacity(end));
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        match byte {
            b'"' => return Some(text),
            b'\\' => text.push(escape(rest)?),
            byte => text.push(*byte),
        }
    }
}

/// Reads the character of an escape. Characters beyond ASCII become `?`, because no line
/// that matters contains one.
fn escape(rest: &mut &[u8]) -> Option<u8> {
    let (kind, after) = rest.split_first()?;
    *rest = after;
    Some(match kind {
        b'n' => b'\n',
        b't' => b'\t',
        b'u' => {
            let (digits, after) = rest.split_at_checked(4)?;
            *rest = after;
            u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16)
                .ok()
                .and_then(|value| value.try_into().ok())
                .unwrap_or(b'?')
        }
        other => *other,
    })
}

/// Reads a string, a number or a literal. Arrays, which journald writes for repeated
/// fields, are skipped. Objects do not occur.
fn value(rest: &mut &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    *rest = rest.trim_ascii_start();
    match rest.first()? {
        b'"' => string(rest),
        b'{' => None,
        b'[' => array(rest),
        _ => {
            let end = rest.iter().position(|byte| matches!(byte, b',' | b'}'))?;
            let (text, after) = rest.split_at(end);
            *rest = after;
            Some(Zeroizing::new(text.trim_ascii().to_vec()))
        }
    }
}

fn array(rest: &mut &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    loop {
        match rest.split_first()? {
            (b'"', _) => drop(string(rest)?),
            (byte, after) => {
                *rest = after;
                if *byte == b']' {
                    return Some(Zeroizing::default());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(thread: u64, id: Option<u64>, text: &str) -> Option<CharonLine<'_>> {
        Some(CharonLine { prefix: &[], thread, group: b"IKE", id, text: text.as_bytes() })
    }

    #[test]
    fn programs_are_distinguished_by_their_tags() {
        let none = ["", "", ""];
        for (prefix, expected) in [
            ("", none),
            ("Nov 27 03:32:33.822 ", none),
            ("03:32:33: ", none),
            ("Nov 27 03:53:29 gate ipsec[915]: ", ["gate", "ipsec[915]:", ""]),
            ("2026-11-27T03:53:29+01:00  charon:\t", none),
            ("2026-11-27T03:53:29+01:00 charon: ", ["", "charon:", ""]),
            ("Nov 27 charon: ", ["", "charon:", ""]),
            ("<30>Nov 27 03:53:29 a1 charon: ", ["a1", "charon:", ""]),
            ("<30>1 2026-11-27T03:32:33Z gate charon 815 - - ", ["gate", "charon", "815"]),
            ("<30>1 ", none),
        ] {
            assert_eq!(program(prefix.as_bytes()), expected.map(str::as_bytes), "{prefix}");
        }
    }

    #[test]
    fn the_prefix_of_a_line_does_not_matter() {
        for prefix in [
            "",
            "Nov 27 03:32:33.822 ",
            "2026-11-27T03:32:33+01:00 gate [a] charon: ",
            "<30>Nov 27 03:32:33 gate charon-systemd[815]: ",
        ] {
            for (text, expected) in [
                ("06[IKE] Sk_d secret", line(6, None, "Sk_d secret")),
                ("16[IKE4] <net|12>   16: 00\r", line(16, Some(12), "  16: 00")),
                ("06[IKE] <1> a > b", line(6, Some(1), "a > b")),
                ("06[IKE] <a|b> c", line(6, None, "<a|b> c")),
                ("123[IKE] ", line(123, None, "")),
            ] {
                let line = format!("{prefix}{text}");
                let expected = expected.map(|it| CharonLine { prefix: prefix.as_bytes(), ..it });
                assert_eq!(CharonLine::parse(line.as_bytes()), expected);
            }
        }
    }

    #[test]
    fn lines_of_other_programs_are_rejected() {
        for text in
            ["", "[IKE] a", "6[IKE] a", "06[ike] a", "06[IKE12] a", "06[IKE]a", "x06[IKE] a"]
        {
            assert_eq!(CharonLine::parse(text.as_bytes()), None, "{text}");
        }
    }

    fn texts(record: &str) -> Option<Vec<String>> {
        let record = CharonRecord::parse(record.as_bytes())?;
        let text = |line: CharonLine<'_>| {
            let text = String::from_utf8_lossy(line.text).into_owned();
            format!("{} {:?} {text}", line.thread, line.id)
        };
        Some(record.texts().filter_map(|part| record.line(part)).map(text).collect())
    }

    #[test]
    fn json_has_a_message_of_several_lines() {
        let file = r#"{"thread":9,"group":"IKE","level":4,"ikesa-uniqueid":"1",
            "ikesa-name":"n\"et","msg":"SKEYSEED => 2 bytes @ 0x7f\n   0: 5C 22  \\\""}"#;
        let journal = r#"{"MESSAGE":"a\u0001\n\u00fcb","THREAD":"13", "X":["]",1],
            "GROUP":"IKE", "X":null}"#;
        assert_eq!(
            texts(file).unwrap(),
            ["9 Some(1) SKEYSEED => 2 bytes @ 0x7f", "9 Some(1)    0: 5C 22  \\\""]
        );
        assert_eq!(texts(journal).unwrap().len(), 2);
        assert_eq!(texts(r#"{"MESSAGE":"kernel"}"#).unwrap(), Vec::<String>::new());
        for length in 0..file.len() - 2 {
            texts(&file[..length]);
        }
        for record in
            ["", "{}", "{\"msg\"}", "[]", r#"{"msg":"a\"#, r#"{"msg":["a"]}"#, r#"{"msg":["a]"#]
        {
            assert_eq!(texts(record), None, "{record}");
        }
    }
}
