//! Prints the answers of a process that does not run its agent.

use crate::{Logger, agent::terms::exit, config::Config};
use std::{
    io::{self, Write as _},
    process::ExitCode,
};

/// The answer of a check that found no error; warnings have been logged. It lists the files, since a file in another
/// directory or with another name is not read at all.
pub(super) fn check_passed(warnings: usize, config: &Config) -> String {
    let files: Vec<String> = config.files_read().map(|file| file.display().to_string()).collect();
    let read = if files.is_empty() { "no config file was found".to_string() } else { files.join(", ") };
    let see = match warnings {
        0 => String::new(),
        1 => ", but see the warning".to_string(),
        warnings => format!(", but see the {warnings} warnings"),
    };
    format!("the config is valid{see}: {read}\n")
}

/// Prints to standard output.
pub(super) fn print(log: &Logger, text: &str) -> ExitCode {
    exit_code(log, io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()))
}

/// The exit code after printing. A reader that has closed the pipe is not an error.
pub(super) fn exit_code(log: &Logger, printed: io::Result<()>) -> ExitCode {
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            log.error(format_args!("standard output cannot be written to: {error}\n  help: look at where it goes to"));
            ExitCode::from(exit::FAILED)
        }
    }
}
