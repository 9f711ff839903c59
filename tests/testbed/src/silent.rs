//! [`Silent`]: a file that does not answer, like one on a file system whose server is gone.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// Takes a lease on the file, and prints a line when another process opens it: that process waits until the lease ends.
const LEASE_HOLDER: &str = r#"
    $SIG{IO} = sub { print "asked\n" }; $| = 1;
    open(my $file, "+<", $ARGV[0]) or die "$ARGV[0]: $!";
    fcntl($file, 1024, 1) or die "F_SETLEASE: $!";
    print "held\n";
    sleep 1 while 1;
"#;

/// Every `open` of the file blocks as long as this value exists, but at most 45 seconds, which is the system's limit
/// for breaking a lease.
#[derive(Debug)]
pub struct Silent {
    holder: Child,
    output: BufReader<ChildStdout>,
}

impl Silent {
    /// Blocks the file at this path, which must exist.
    ///
    /// # Panics
    /// The lease cannot be taken.
    #[must_use]
    pub fn file(path: impl AsRef<Path>) -> Self {
        let mut perl = Command::new("perl");
        perl.args(["-e", LEASE_HOLDER]).arg(path.as_ref()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut holder = perl.spawn().unwrap_or_else(|error| panic!("perl: {error}"));
        let Some(output) = holder.stdout.take() else { panic!("its output is piped") };
        let mut silent = Silent { holder, output: BufReader::new(output) };
        silent.wait_for("held");
        silent
    }

    /// Waits until another process tries to open the file.
    ///
    /// # Panics
    /// The lease has ended.
    pub fn wait_for_open(&mut self) {
        self.wait_for("asked");
    }

    fn wait_for(&mut self, what: &str) {
        let mut line = String::new();
        let read = self.output.read_line(&mut line);
        assert!(read.is_ok() && line.trim() == what, "{what}: {line}");
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // The lease ends with the process.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
