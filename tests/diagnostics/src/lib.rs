//! Tests of compile errors: programs that must not compile, each with the errors that it must give.
//!
//! A case is a file `cases/<what-is-wrong>.rs`. Comments in it say what is expected:
//!
//! | comment | means |
//! | --- | --- |
//! | `//~ CN001` | an error with this code starts on this line |
//! | `//~ CN001 CN002` | two errors |
//! | `//~ CN001+CN002` | one error that reports both |
//! | `//~ none` | an error without a code |
//! | `//~^ CN001` | one line above; `//~^^` two |
//! | `//@ elsewhere: CN006 because ..` | an error that is not in the case's file, and why |
//! | `//@ lines: 14 because ..` | the longest error of this case may have this many lines, and why |
//! | `//@ repeated because ..` | errors with the same text count as one, and why rustc repeats them |
//!
//! Nothing else may be reported, not even a warning. rustc's output is in `cases/<what-is-wrong>.stderr`; it is
//! compared if the version of rustc is [`PINNED`], and `BLESS=1` overwrites it. `CASES=text` runs only the cases whose
//! names contain `text`.

mod cargo;
mod case;
mod check;

pub use cargo::compile;
pub use case::{Case, Expected};
pub use check::{Failure, check, rendered, shown};

/// The version of rustc whose output is compared.
pub const PINNED: &str = "1.95.0";

/// The maximum number of lines of one error.
pub const LINES: usize = 12;

/// An error or warning that rustc reported for a case.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// `error`, `warning`
    pub level: String,
    /// The message, of one or several lines.
    pub message: String,
    /// rustc's own code: `E0277`
    pub code: Option<String>,
    /// The text that the terminal shows.
    pub rendered: String,
    /// File and line of the primary span.
    pub at: Option<(String, usize)>,
}

impl Diagnostic {
    /// cninfra's codes, in order; if there is none, rustc's.
    pub fn codes(&self) -> Vec<String> {
        let mut codes = Vec::new();
        for line in self.message.lines() {
            let line = line.trim_start();
            let line = line.strip_prefix("evaluation panicked: ").unwrap_or(line);
            if let Some(code) = line.get(..6)
                && code.starts_with("CN")
                && code[2..5].bytes().all(|b| b.is_ascii_digit())
                && code.ends_with(':')
            {
                codes.push(code[..5].to_string());
            }
        }
        if codes.is_empty() {
            codes.push(self.code.clone().unwrap_or_else(|| "none".to_string()));
        }
        codes
    }

    /// The number of lines that are not empty.
    pub fn lines(&self) -> usize {
        self.rendered.lines().filter(|line| !line.trim().is_empty()).count()
    }
}
