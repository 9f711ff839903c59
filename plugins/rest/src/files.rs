//! [`Files`]: how many connections a process has files for. Each is one, and there is a limit on them that is often lower than that on connections
//! (1024, where nothing is said): clients that hold all of them would leave none for the probes' port, for stores and for the config.

use std::fs;

/// So many connections of a server are tried whatever the limit is.
pub(crate) const FEW: usize = 64;

/// The limit of the process on open files, as it was when it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Files {
    /// `None` where there is none, or where the system does not tell it as Linux does.
    most: Option<usize>,
}

impl Files {
    pub(crate) fn read() -> Self {
        // a file of the kernel's: nothing is waited for
        Files::of(&fs::read_to_string("/proc/self/limits").unwrap_or_default())
    }

    fn of(limits: &str) -> Self {
        let rest = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        Files { most: rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok()) }
    }

    /// How many connections one server takes at once, where that is less than `wanted`, and of how many files: a quarter is left to others.
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
