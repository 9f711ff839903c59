//! [`Refusal`]: why a request is not answered by its handler, and what it is answered with.

use axum::{
    body::Body,
    http::{
        HeaderValue, Response, StatusCode,
        header::{CONNECTION, RETRY_AFTER},
    },
};
use cninfra::http::error_response;

/// Why a request is not answered by its handler. Its connection is not used again: what is left of the request is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Refusal {
    /// Its body is larger than a body may be.
    TooLarge = 1,
    /// Its body did not come in time.
    TooSlow,
    /// The server holds as many bodies as it may.
    Full,
    /// Its head is larger than it may be.
    Head,
    /// It does not say which host it means.
    NoHost,
    /// It says it twice.
    Hosts,
    /// It says it in no valid way.
    BadHost,
    /// The handler panicked when it was made.
    Panicked,
    /// Its body ended before its end, or is not what its head says.
    BrokenOff,
    /// Its body is coded in a way that is not known.
    Coding,
}

const ALL: [Refusal; 10] = [
    Refusal::TooLarge,
    Refusal::TooSlow,
    Refusal::Full,
    Refusal::Head,
    Refusal::NoHost,
    Refusal::Hosts,
    Refusal::BadHost,
    Refusal::Panicked,
    Refusal::BrokenOff,
    Refusal::Coding,
];

impl Refusal {
    /// Of its number, which is never 0.
    pub(crate) fn of(number: u8) -> Option<Self> {
        ALL.into_iter().find(|refusal| *refusal as u8 == number)
    }

    fn status(self) -> StatusCode {
        match self {
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::Full => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Head => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Refusal::NoHost | Refusal::Hosts | Refusal::BadHost | Refusal::BrokenOff => StatusCode::BAD_REQUEST,
            Refusal::Coding => StatusCode::NOT_IMPLEMENTED,
            Refusal::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Refusal::TooLarge => "the body is larger than the server takes",
            Refusal::TooSlow => "the body did not come in time",
            Refusal::Full => "the server holds as many bodies as it may: try again later",
            Refusal::Head => "the headers are larger than the server takes",
            Refusal::NoHost => "the request has no header `Host`",
            Refusal::Hosts => "the request has more than one header `Host`",
            Refusal::BadHost => "the header `Host` is not valid",
            Refusal::Panicked => "internal server error",
            Refusal::BrokenOff => "the body broke off, or is not valid",
            Refusal::Coding => "the body has a transfer coding other than `chunked`",
        }
    }

    pub(crate) fn answer(self) -> Response<Body> {
        let mut response = error_response(self.status(), self.text());
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        if self == Refusal::Full {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
