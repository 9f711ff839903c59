//! The names of std's types that the macros recognise: for these it is known without a check whether they are shared
//! between threads.

/// Types of std that are never `Sync`, whatever they hold.
pub(super) const CELLS: [&str; 5] = ["Cell", "LazyCell", "OnceCell", "RefCell", "UnsafeCell"];

/// Types of std that are shared if what they hold is.
pub(super) const HOLDERS: [&str; 10] =
    ["BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Option", "PhantomData", "Result", "Vec", "VecDeque"];

/// Types that are shared if what they hold is. Types made only of these are not checked, since a check costs the
/// compiler more than the field itself. The list contains no name that other crates' types often have, too, such as
/// `Instant`.
const PLAIN: [&str; 12] = [
    "Arc", "BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Mutex", "OnceLock", "Option", "RwLock", "Vec",
    "VecDeque",
];

/// The same for types without parameters.
const VALUES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize", "String",
];

/// What follows `Atomic` in the names of std's atomics.
const ATOMIC: [&str; 11] = ["Bool", "I8", "I16", "I32", "I64", "Isize", "U8", "U16", "U32", "U64", "Usize"];

/// Whether the macros examine the type's arguments, or know that it is never shared.
pub(super) fn is_looked_into(word: &str) -> bool {
    CELLS.contains(&word) || HOLDERS.contains(&word) || ["LazyLock", "Rc"].contains(&word)
}

/// Whether the type is not checked.
pub(super) fn is_plain(word: &str) -> bool {
    PLAIN.contains(&word) || is_value(word)
}

/// Whether it is a type of this kind without parameters.
pub(crate) fn is_value(word: &str) -> bool {
    VALUES.contains(&word) || word.strip_prefix("Atomic").is_some_and(|of| ATOMIC.contains(&of))
}
