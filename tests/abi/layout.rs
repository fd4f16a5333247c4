//! The layouts of records as the compiler makes them: a small program prints
//! them, made for the occasion from the sources to compare.

use crate::interface::Interface;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A record's numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layout {
    /// Size in bytes.
    pub(crate) size: usize,
    /// Alignment in bytes.
    pub(crate) align: usize,
    /// The offset of each field, in the order of the source.
    pub(crate) offsets: Vec<usize>,
}

/// The layouts of one interface's records, by name.
pub(crate) type Layouts = BTreeMap<String, Layout>;

/// The layouts of those records of `interfaces` that `of` has too, in the order
/// of `interfaces`. `program` tells this program's files from another's.
pub(crate) fn measure(
    program: &str,
    interfaces: &[&Interface],
    of: &Interface,
) -> Result<Vec<Layouts>, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = folder.join(format!("{program}.rs"));
    write(&source, &printer(folder, program, interfaces, of)?)?;
    let binary = folder.join(program);
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let arguments = ["--edition=2021", "--cap-lints=allow", "-o"];
    run(Command::new(rustc).args(arguments).arg(&binary).arg(&source))?;
    let printed = run(&mut Command::new(&binary))?;
    let mut layouts = vec![Layouts::new(); interfaces.len()];
    for line in printed.lines() {
        read_line(line, &mut layouts).ok_or_else(|| format!("{program} printed {line:?}"))?;
    }
    Ok(layouts)
}

/// The program: one module an interface, one line a record, one a field.
fn printer(
    folder: &Path,
    program: &str,
    interfaces: &[&Interface],
    of: &Interface,
) -> Result<String, String> {
    let (mut modules, mut lines) = (String::new(), String::new());
    for (index, interface) in interfaces.iter().enumerate() {
        let file = folder.join(format!("{program}-{index}.rs"));
        write(&file, &interface.source)?;
        modules.push_str(&format!("mod m{index} {{ include!({:?}); }}\n", file));
        for (name, record) in &interface.records {
            if of.records.contains_key(name) {
                let place = format!("m{index}::{}", record.tag);
                let fields = record.fields.iter().map(|(field, _)| field);
                print_record(&mut lines, &format!("{index} {name}"), &place, fields);
            }
        }
    }
    Ok(format!("use core::mem::*;\n{modules}fn main() {{\n{lines}}}\n"))
}

fn print_record<'f>(
    lines: &mut String,
    label: &str,
    place: &str,
    fields: impl Iterator<Item = &'f String>,
) {
    let mut numbers = format!("size_of::<{place}>(), align_of::<{place}>()");
    let mut holes = String::from("{} {}");
    for field in fields {
        let _ = write!(numbers, ", offset_of!({place}, {field})");
        holes.push_str(" {}");
    }
    let _ = writeln!(lines, "println!(\"{label} {holes}\", {numbers});");
}

fn read_line(line: &str, layouts: &mut [Layouts]) -> Option<()> {
    let mut words = line.split(' ');
    let layouts = layouts.get_mut(words.next()?.parse::<usize>().ok()?)?;
    let name = words.next()?.to_owned();
    let numbers: Vec<usize> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let [size, align, offsets @ ..] = &numbers[..] else { return None };
    layouts.insert(name, Layout { size: *size, align: *align, offsets: offsets.to_vec() });
    Some(())
}

fn write(path: &PathBuf, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Runs a command and gives what it printed, or its complaint.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)))
}
