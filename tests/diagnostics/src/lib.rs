//! What the compiler says: programs that must not compile, each with the errors that it must give.
//!
//! A case is a file `cases/<what-is-wrong>.rs`. What it must give stands in its comments:
//!
//! | comment | means |
//! | --- | --- |
//! | `//~ CN001` | an error with this code starts on this line |
//! | `//~ CN001 CN002` | two errors |
//! | `//~ CN001+CN002` | one error that tells of both |
//! | `//~ none` | an error without a code |
//! | `//~^ CN001` | one line above; `//~^^` two |
//! | `//@ elsewhere: CN006 because ..` | an error that is not in the case's file, and why |
//! | `//@ lines: 14 because ..` | the longest error of this case may have so many lines, and why |
//! | `//@ repeated because ..` | errors that are the same word for word are one, as cargo shows them, and why rustc tells of them again |
//!
//! Nothing else may be reported, no warning either. What rustc writes stands in `cases/<what-is-wrong>.stderr`, and is
//! compared where rustc is of the version [`PINNED`]; `BLESS=1` writes it anew. `CASES=text` runs only the cases that have
//! `text` in their names.

mod cargo;
mod case;
mod check;

pub use cargo::compile;
pub use case::{Case, Expected};
pub use check::{Failure, check, rendered, shown};

/// The rustc whose words are kept verbatim.
pub const PINNED: &str = "1.95.0";

/// The most lines that one error may have.
pub const LINES: usize = 12;

/// What rustc reported about one case.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// `error`, `warning`
    pub level: String,
    /// Its first lines.
    pub message: String,
    /// rustc's own code: `E0277`
    pub code: Option<String>,
    /// As the terminal shows it.
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

    /// The lines that a reader sees.
    pub fn lines(&self) -> usize {
        self.rendered.lines().filter(|line| !line.trim().is_empty()).count()
    }
}
