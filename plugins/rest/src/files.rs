//! [`Files`]: how many connections the limit on open files allows. Each connection is a file, and that limit is often
//! lower than the one on connections (1024 by default): clients that use all files would leave none for the port of the
//! probes, for stores and for the config.

use std::fs;

/// This many connections of a server are tried, whatever the limit is.
pub(crate) const FEW: usize = 64;

/// The process's limit on open files, as it was when it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Files {
    /// `None` if there is no limit, or if the system does not report it as Linux does.
    most: Option<usize>,
}

impl Files {
    pub(crate) fn read() -> Self {
        // A file of the kernel, so reading it does not block.
        Files::of(&fs::read_to_string("/proc/self/limits").unwrap_or_default())
    }

    fn of(limits: &str) -> Self {
        let rest = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        Files { most: rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok()) }
    }

    /// How many connections one server accepts at once, if that is less than `wanted`, and the limit on files: a
    /// quarter of the files is left for other purposes.
    pub(crate) fn fewer_than(self, wanted: usize) -> Option<(usize, usize)> {
        let most = self.most?;
        let room = (most - most / 4).max(FEW);
        (room < wanted).then_some((room, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_files_is_left_to_others() {
        let of = |limit: &str| {
            let limits = format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max processes             7                    7                    processes \n\
                 Max open files            {limit}                 524288               files     \n"
            );
            Files::of(&limits).fewer_than(4096)
        };
        assert_eq!(of("1024"), Some((768, 1024)));
        assert_eq!((of("5460"), of("5461"), of("unlimited")), (Some((4095, 5460)), None, None));
        assert_eq!(of("40"), Some((FEW, 40)));
        assert_eq!(Files::of("").fewer_than(4096), None);
        assert_eq!(Files::of("Max open files 40").fewer_than(FEW), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_the_limit() {
        assert!(Files::read().fewer_than(usize::MAX).is_some_and(|(room, most)| room <= most.max(FEW)));
    }
}
