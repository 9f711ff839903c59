//! rustc's to tell, of the struct alone.
use cninfra::prelude::*;
use std::borrow::Cow;

struct Parser<'a>(&'a str);

#[plugin]
struct Reader {
    #[default(Cow::Borrowed("x"))]
    name: Cow<str>, //~ E0106
}

#[plugin]
struct Other {
    #[default(Parser("x"))]
    parser: Parser, //~ E0106
}
