//! [`Case`]: a program with the errors that it must give.

use std::{fs, io, path::Path};

/// A program that must not compile.
#[derive(Debug, Clone)]
pub struct Case {
    /// What is wrong with it: the name of its file.
    pub name: String,
    /// The program.
    pub source: String,
    /// The expected errors, by line.
    pub expected: Vec<Expected>,
    /// The limit for the lines of one error, if it is not the usual one.
    pub lines: Option<usize>,
    /// Whether errors with exactly the same text count as one: cargo shows them once, and so does rust-analyzer.
    pub repeated: bool,
}

/// An error that must be reported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expected {
    /// The line where it starts; 0 if it is not in the case.
    pub line: usize,
    /// Its code, or the codes of several mistakes that one error reports.
    pub codes: Vec<String>,
}

impl Case {
    /// Parses a program and the comments that say what is expected.
    ///
    /// # Panics
    /// A comment cannot be parsed.
    pub fn parse(name: &str, source: String) -> Case {
        let (mut expected, mut lines, mut repeated) = (Vec::new(), None, false);
        for (number, text) in source.lines().enumerate() {
            if let Some(header) = text.strip_prefix("//@ lines:") {
                let (count, why) = header.trim().split_once(" because ").unwrap_or_default();
                assert!(!why.is_empty(), "{name}: `//@ lines: 14 because ..`");
                lines = count.trim().parse().ok();
            }
            repeated |= text.starts_with("//@ repeated because ");
            if let Some(header) = text.strip_prefix("//@ elsewhere:") {
                let (code, why) = header.trim().split_once(" because ").unwrap_or_default();
                assert!(!why.is_empty(), "{name}: `//@ elsewhere: CN006 because ..`");
                expected.push(Expected { line: 0, codes: vec![code.to_string()] });
            }
            let Some((_, comment)) = text.split_once("//~") else { continue };
            let codes = comment.trim_start_matches('^');
            let line = number + 1 - (comment.len() - codes.len());
            let parts: Vec<&str> = codes.split_whitespace().collect();
            assert!(!parts.is_empty(), "{name}, line {}: a `//~` without a code", number + 1);
            for part in parts {
                expected.push(Expected { line, codes: part.split('+').map(str::to_string).collect() });
            }
        }
        expected.sort();
        Case { name: name.to_string(), source, expected, lines, repeated }
    }

    /// All cases of a directory, sorted by name.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn all(directory: &Path) -> io::Result<Vec<Case>> {
        let mut cases = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                cases.push(Case::parse(&name, fs::read_to_string(&path)?));
            }
        }
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(cases)
    }
}
