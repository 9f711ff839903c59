//! Types of the standard library, by their names: whether they are shared between threads is known without asking.

/// Types of std that are never shared, whatever they hold.
pub(super) const CELLS: [&str; 5] = ["Cell", "LazyCell", "OnceCell", "RefCell", "UnsafeCell"];

/// Those that are shared where what they hold is.
pub(super) const HOLDERS: [&str; 10] =
    ["BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Option", "PhantomData", "Result", "Vec", "VecDeque"];

/// Types that are shared, if what they hold is: of these alone nothing is asked, since a question costs the compiler more than the field itself. No name that
/// types have that are not std's, too, such as `Instant`.
const PLAIN: [&str; 12] = [
    "Arc", "BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Mutex", "OnceLock", "Option", "RwLock", "Vec",
    "VecDeque",
];

/// The same, of those without parameters.
const VALUES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize", "String",
];

/// What follows `Atomic` in the names of std's.
const ATOMIC: [&str; 11] = ["Bool", "I8", "I16", "I32", "I64", "Isize", "U8", "U16", "U32", "U64", "Usize"];

/// Is it a word that is looked into, or is never shared?
pub(super) fn is_looked_into(word: &str) -> bool {
    CELLS.contains(&word) || HOLDERS.contains(&word) || ["LazyLock", "Rc"].contains(&word)
}

/// Is nothing asked of it?
pub(super) fn is_plain(word: &str) -> bool {
    PLAIN.contains(&word) || is_value(word)
}

/// Is it a type of these that has no parameters?
pub(crate) fn is_value(word: &str) -> bool {
    VALUES.contains(&word) || word.strip_prefix("Atomic").is_some_and(|of| ATOMIC.contains(&of))
}
