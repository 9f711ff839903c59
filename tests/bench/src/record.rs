//! The figures, with one row for each design and size.

use std::fmt::Write;

use crate::design::Design;
use crate::phase::Phase;

/// The figures of one design at one size. `None` if a figure was not requested, or if its measurement failed.
#[derive(Clone, Debug)]
pub struct Row {
    /// The number of plugins.
    pub plugins: usize,
    /// The design.
    pub design: Design,
    /// The instructions of rustc in `cargo check`.
    pub check: Option<u64>,
    /// The instructions of rustc in `cargo build`.
    pub debug: Option<u64>,
    /// The instructions of rustc in `cargo build --release`.
    pub release: Option<u64>,
    /// Microseconds of one start and close.
    pub start_close: Option<f64>,
    /// The size of the stripped release binary, in bytes.
    pub binary: Option<u64>,
    /// Whether something failed to build or run.
    pub failed: bool,
}

impl Row {
    /// A row without figures.
    pub fn new(plugins: usize, design: Design) -> Self {
        Self {
            plugins,
            design,
            check: None,
            debug: None,
            release: None,
            start_close: None,
            binary: None,
            failed: false,
        }
    }

    /// The instructions of a phase.
    pub fn instructions(&self, phase: Phase) -> Option<u64> {
        match phase {
            Phase::Check => self.check,
            Phase::Debug => self.debug,
            Phase::Release => self.release,
        }
    }

    /// Sets the instructions of a phase.
    pub fn set_instructions(&mut self, phase: Phase, instructions: u64) {
        match phase {
            Phase::Check => self.check = Some(instructions),
            Phase::Debug => self.debug = Some(instructions),
            Phase::Release => self.release = Some(instructions),
        }
    }

    /// The row as a JSON object in one line.
    pub fn json(&self) -> String {
        let mut json = format!("{{\"plugins\":{},\"design\":\"{}\"", self.plugins, self.design.name());
        for phase in Phase::ALL {
            member(&mut json, &format!("{}_instructions", phase.name()), self.instructions(phase));
        }
        member(&mut json, "start_close_us", self.start_close);
        member(&mut json, "binary_bytes", self.binary);
        member(&mut json, "failed", Some(self.failed));
        json + "}"
    }
}

/// Adds a member whose value has the same text in JSON as in Rust.
fn member<T: ToString>(json: &mut String, name: &str, value: Option<T>) {
    let value = value.map_or_else(|| "null".to_owned(), |value| value.to_string());
    // Writing to a `String` cannot fail.
    let _ = write!(json, ",\"{name}\":{value}");
}

/// All rows as a JSON array, one in each line.
pub fn json(rows: &[Row]) -> String {
    let lines: Vec<String> = rows.iter().map(Row::json).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::Row;
    use crate::design::Design;

    #[test]
    fn a_row_is_a_json_object() {
        let mut row = Row::new(10, Design::Hand);
        row.check = Some(5);
        row.start_close = Some(1.5);
        let json = r#"{"plugins":10,"design":"hand","check_instructions":5,"debug_instructions":null,"release_instructions":null,"start_close_us":1.5,"binary_bytes":null,"failed":false}"#;
        assert_eq!(row.json(), json);
    }
}
