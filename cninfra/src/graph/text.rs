//! Texts in const evaluation.

/// The start of a [`hash`].
#[doc(hidden)]
pub const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, continued from `start`. The macros compute the same hash.
#[doc(hidden)]
#[must_use]
pub const fn hash(start: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut h = start;
    let mut i = 0;
    while i < bytes.len() {
        h = (h ^ bytes[i] as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    h
}

/// The id of a generic plugin, from its own and that of a parameter.
#[doc(hidden)]
#[must_use]
pub const fn mix(a: u64, b: u64) -> u64 {
    let h = (a ^ b.rotate_left(23)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let h = h ^ (h >> 29);
    // 0 marks a free row, and is never an id.
    if h == 0 { 1 } else { h }
}

/// Whether the two texts are equal.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Panics with this message, which is a compile error in a const.
#[track_caller]
pub(crate) const fn fail(parts: &[&str]) -> ! {
    let mut text = Text::<2400>::new();
    text.put_all(parts);
    panic!("{}", text.as_str())
}

/// A text of at most `N` bytes. What does not fit is cut off.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Text { bytes: [0; N], len: 0 }
    }

    pub(crate) const fn put(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() && self.len < N {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
    }

    pub(crate) const fn put_all(&mut self, parts: &[&str]) {
        let mut i = 0;
        while i < parts.len() {
            self.put(parts[i]);
            i += 1;
        }
    }

    pub(crate) const fn put_number(&mut self, n: usize) {
        if n >= 10 {
            self.put_number(n / 10);
        }
        let digit = [b'0' + (n % 10) as u8];
        if let Ok(digit) = core::str::from_utf8(&digit) {
            self.put(digit);
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The length in bytes.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Shortens the text to this length.
    pub(crate) const fn cut(&mut self, len: usize) {
        if len < self.len {
            self.len = len;
        }
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(cut) => {
                // The text was cut within a character.
                match core::str::from_utf8(self.bytes.split_at(cut.valid_up_to()).0) {
                    Ok(text) => text,
                    Err(_) => "",
                }
            }
        }
    }
}

/// The name `Name<Arg, ..>` of a generic plugin.
#[doc(hidden)]
#[must_use]
pub const fn generic_name(base: &str, arguments: &[&str]) -> Text<192> {
    let mut text = Text::new();
    text.put_all(&[base, "<"]);
    let mut i = 0;
    while i < arguments.len() {
        if i > 0 {
            text.put(", ");
        }
        text.put(arguments[i]);
        i += 1;
    }
    text.put(">");
    text
}

/// The instance name `name-argument-..` of a generic plugin. An argument without a name adds nothing.
#[doc(hidden)]
#[must_use]
pub const fn generic_instance(base: &str, arguments: &[&str]) -> Text<192> {
    let mut text = Text::new();
    text.put(base);
    let mut i = 0;
    while i < arguments.len() {
        if !arguments[i].is_empty() {
            text.put_all(&["-", arguments[i]]);
        }
        i += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_generic_plugins() {
        assert_eq!(generic_name("Cache", &["Etcd<Backup>", "dyn Kv"]).as_str(), "Cache<Etcd<Backup>, dyn Kv>");
        assert_eq!(generic_instance("etcd", &["", "backup"]).as_str(), "etcd-backup");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let mut text = Text::<4>::new();
        text.put("abcé");
        assert_eq!(text.as_str(), "abc");
        let mut text = Text::<8>::new();
        text.put_number(65_534);
        assert_eq!(text.as_str(), "65534");
    }

    #[test]
    fn hashes_go_on_where_they_ended() {
        assert_eq!(hash(hash(HASH_START, "etcd-"), "backup"), hash(HASH_START, "etcd-backup"));
    }
}
