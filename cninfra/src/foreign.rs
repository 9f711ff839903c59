//! Calls foreign code, which may panic anywhere: in a method, in a `Display`, in a destructor.

mod who;

pub(crate) use who::Who;

use std::{
    any::Any,
    cell::{Cell, RefCell},
    error::Error,
    fmt,
    fmt::Write as _,
    iter::successors,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// A panic that was caught, for code that calls code of others, as a server calls its handlers.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Panic {
    /// The message of the panic.
    pub message: String,
    /// Where it happened, as `file:line:column`. Known under [`Agent::main`](crate::Agent::main), which installs a
    /// panic hook. An embedded agent does not change the hook of its process.
    pub location: Option<String>,
    /// The log contains the backtrace.
    pub(crate) is_traced: bool,
    /// The log contains a record that names the code that a [`Caller`](crate::agent::Caller) called.
    pub(crate) is_logged: bool,
}

impl fmt::Display for Panic {
    /// The message, and the location if it is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.location.as_ref().map_or(Ok(()), |location| write!(f, " (at {location})"))
    }
}

thread_local! {
    /// Whether the panics of this thread are reported by the code that catches them.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// The last panic of this thread.
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

impl Panic {
    /// Runs a closure and returns its panic as a value.
    ///
    /// ```
    /// use cninfra::agent::Panic;
    ///
    /// assert_eq!(Panic::catch(|| 1), Ok(1));
    /// let panic = Panic::catch(|| panic!("on purpose")).unwrap_err();
    /// assert_eq!(panic.message, "on purpose");
    /// ```
    ///
    /// # Errors
    /// The closure panicked.
    pub fn catch<T>(run: impl FnOnce() -> T) -> Result<T, Self> {
        guard(run)
    }

    /// Makes one from the payload of a caught panic, such as that of a joined task. The payload is dropped; if its
    /// destructor panics, that panic is caught too.
    #[must_use]
    pub fn of(payload: Box<dyn Any + Send>) -> Self {
        let panic = Panic::seen(&*payload);
        discard(payload);
        panic
    }

    /// Makes one from a payload that is kept, since the panic continues.
    pub(crate) fn seen(payload: &(dyn Any + Send)) -> Self {
        let message = message(payload);
        let last = LAST.try_with(|last| last.try_borrow_mut().ok().and_then(|mut last| last.take())).ok().flatten();
        // The last panic may be another one, which someone else has caught.
        match last.filter(|last| last.message == message) {
            Some(last) => last,
            None => Panic { message, location: None, is_traced: false, is_logged: false },
        }
    }

    /// Whether the log already has a record of it that names what was called. This is so under
    /// [`Agent::main`](crate::Agent::main) for a panic in a call of a [`Caller`](crate::agent::Caller): whoever catches
    /// it need not log it again.
    #[must_use]
    pub fn is_logged(&self) -> bool {
        self.is_logged
    }

    /// Whether the code that catches the panic reports it, so that the hook need not.
    pub(crate) fn is_quiet() -> bool {
        QUIET.try_with(Cell::get).unwrap_or_default()
    }

    /// Called by the panic hook, for the code that may catch the panic.
    pub(crate) fn note(self) {
        // A thread that is ending has no thread-locals any more.
        let _ = LAST.try_with(|last| last.try_borrow_mut().map(|mut last| *last = Some(self)));
    }
}

/// The message of a panic, if it has one.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "with a value that is not text".to_string(),
    }
}

/// Calls `run`. A panic becomes an error.
pub(crate) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, Panic> {
    catch_unwind(AssertUnwindSafe(run)).map_err(Panic::of)
}

/// Like [`guard`], for calls that are repeated: the caller reports a panic as often as is useful, and an agent's panic
/// hook does not.
pub(crate) fn guard_quietly<T>(run: impl FnOnce() -> T) -> Result<T, Panic> {
    quietly(|| guard(run))
}

/// Calls `run`. A panic is passed on, and is reported by the code that catches it.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> T {
    struct Loud(bool);
    impl Drop for Loud {
        fn drop(&mut self) {
            let _ = QUIET.try_with(|quiet| quiet.set(self.0));
        }
    }
    let _loud = Loud(QUIET.try_with(|quiet| quiet.replace(true)).unwrap_or_default());
    run()
}

/// Drops the value. A panic in there is only reported by the panic hook.
pub(crate) fn discard<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // Its destructor may panic again, and so on.
        mem::forget(payload);
    }
}

/// The text of a value. If it cannot be written, what was written so far, and the reason.
pub(crate) fn text(value: &dyn fmt::Display) -> String {
    let mut text = String::new();
    let why = match guard(|| write!(text, "{value}")) {
        Ok(Ok(())) => return text,
        Ok(Err(_)) => "its text cannot be written".to_string(),
        Err(panic) => format!("its text cannot be written: that panicked: {panic}"),
    };
    if text.is_empty() { why } else { format!("{text} ({why})") }
}

/// How many causes of an error are reported at most: an error that is its own cause has no end.
const CAUSES: usize = 32;

/// An error and its sources.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let next = |error: &&'a (dyn Error + 'static)| guard(|| (*error).source()).ok().flatten();
    successors(Some(error), next).take(1 + CAUSES)
}

/// The texts of an error and its sources.
///
/// A source is left out if the text of the error that it caused already contains it, as many libraries do.
pub(crate) fn texts(error: &(dyn Error + 'static)) -> Vec<String> {
    let (mut texts, mut last) = (Vec::new(), None::<String>);
    for text in causes(error).map(|cause| text(&cause)) {
        if !last.is_some_and(|last| last.contains(&text)) {
            texts.push(text.clone());
        }
        last = Some(text);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics when it is dropped, and so does the value that it panics with.
    struct Bomb(u8);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 > 0 {
                std::panic::panic_any(Bomb(self.0 - 1));
            }
        }
    }

    /// Its text can be written completely, partly, or not at all.
    #[derive(Debug)]
    enum Says {
        All,
        Half,
        Nothing,
    }
    impl fmt::Display for Says {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            match self {
                Says::All => f.write_str(" and half"),
                Says::Half => Err(fmt::Error),
                Says::Nothing => panic!("out of words"),
            }
        }
    }
    impl Error for Says {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            matches!(self, Says::All).then_some(self)
        }
    }

    #[test]
    fn what_panics_when_it_is_dropped_is_caught() {
        assert_eq!(guard(|| std::panic::panic_any(Bomb(3))), Err(Panic::seen(&())));
        discard(Bomb(3));
    }

    #[test]
    fn a_text_that_can_not_be_written_is_told_as_far_as_it_can() {
        assert_eq!(text(&Says::All), "half and half");
        assert_eq!(text(&Says::Half), "half (its text cannot be written)");
        assert_eq!(text(&Says::Nothing), "half (its text cannot be written: that panicked: out of words)");
        // This error is its own cause.
        assert_eq!(texts(&Says::All), ["half and half"]);
    }

    #[test]
    fn only_what_is_guarded_quietly_is_quiet() {
        let inner = guard_quietly(|| {
            assert_eq!(guard_quietly(|| std::panic::resume_unwind(Box::new("a"))), Err::<(), _>(Panic::seen(&"a")));
            assert!(Panic::is_quiet());
            std::panic::resume_unwind(Box::new("b"));
        });
        assert_eq!(inner, Err::<(), _>(Panic::seen(&"b")));
        assert!(!Panic::is_quiet());
    }

    #[test]
    fn the_location_is_that_of_the_same_panic() {
        let note = |message: &str| {
            let location = Some("a.rs:1:2".into());
            Panic { message: message.into(), location, is_traced: false, is_logged: false }.note();
        };
        note("a");
        assert_eq!(guard(|| std::panic::resume_unwind(Box::new("a"))).unwrap_err().to_string(), "a (at a.rs:1:2)");
        note("b");
        assert_eq!(guard(|| std::panic::resume_unwind(Box::new("a"))).unwrap_err().to_string(), "a");
    }
}
