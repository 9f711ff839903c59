//! [`Refusal`]: why the server answers a request without the result of its handler, and with what.

use axum::{
    body::Body,
    http::{
        HeaderValue, Response, StatusCode,
        header::{CONNECTION, RETRY_AFTER},
    },
};
use cninfra::http::error_response;

/// Why a request is not answered by its handler. Its connection is not reused: the rest of the request is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Refusal {
    /// Its body is larger than the limit.
    TooLarge = 1,
    /// Its body did not arrive in time.
    TooSlow,
    /// The bodies that the server holds have used up the memory for them.
    Full,
    /// Its head is larger than the limit.
    HeadTooLarge,
    /// It has no `Host` header.
    NoHost,
    /// It has several `Host` headers.
    SeveralHosts,
    /// Its `Host` header is not valid.
    BadHost,
    /// The router or the handler panicked when it was cloned or called.
    Panicked,
    /// Its body ended early, or is malformed.
    BrokenOff,
    /// Its body has an unknown transfer coding.
    UnknownCoding,
}

const ALL: [Refusal; 10] = [
    Refusal::TooLarge,
    Refusal::TooSlow,
    Refusal::Full,
    Refusal::HeadTooLarge,
    Refusal::NoHost,
    Refusal::SeveralHosts,
    Refusal::BadHost,
    Refusal::Panicked,
    Refusal::BrokenOff,
    Refusal::UnknownCoding,
];

impl Refusal {
    /// The refusal with this number, which is never 0.
    pub(crate) fn of(number: u8) -> Option<Self> {
        ALL.into_iter().find(|refusal| *refusal as u8 == number)
    }

    fn status(self) -> StatusCode {
        match self {
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::Full => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Refusal::NoHost | Refusal::SeveralHosts | Refusal::BadHost | Refusal::BrokenOff => StatusCode::BAD_REQUEST,
            Refusal::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Refusal::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Refusal::TooLarge => "the body is larger than the server takes",
            Refusal::TooSlow => "the body did not come in time",
            Refusal::Full => "the server holds as many bodies as it may: try again later",
            Refusal::HeadTooLarge => "the headers are larger than the server takes",
            Refusal::NoHost => "the request has no header `Host`",
            Refusal::SeveralHosts => "the request has more than one header `Host`",
            Refusal::BadHost => "the header `Host` is not valid",
            Refusal::Panicked => "internal server error",
            Refusal::BrokenOff => "the body broke off, or is not valid",
            Refusal::UnknownCoding => "the body has a transfer coding other than `chunked`",
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
