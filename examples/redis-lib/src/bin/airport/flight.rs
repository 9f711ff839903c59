//! [`Flight`]: a plane on its way, as it is stored: protobuf, in binary.

use prost::{Enumeration, Message};
use std::fmt;

/// A plane on its way.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Flight {
    /// Two letters.
    #[prost(string, tag = "1")]
    pub airline: String,
    /// Each is given once.
    #[prost(uint32, tag = "2")]
    pub number: u32,
    /// What it wants on the runway.
    #[prost(enumeration = "Status", tag = "3")]
    pub status: i32,
    /// The higher one is first on the runway.
    #[prost(uint32, tag = "4")]
    pub priority: u32,
}

/// What a plane wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enumeration)]
pub enum Status {
    /// It lands.
    Arrival = 0,
    /// It takes off.
    Departure = 1,
}

const AIRLINES: [&str; 6] = ["AA", "DL", "EW", "LH", "OS", "UA"];

impl Flight {
    /// One that arrives.
    pub fn arriving(number: u32) -> Self {
        let airline = AIRLINES[fastrand::usize(..AIRLINES.len())].to_string();
        Flight { airline, number, status: Status::Arrival.into(), priority: fastrand::u32(..3) }
    }

    /// The same, when it has had its time in the hangar.
    pub fn departing(self) -> Self {
        Flight { status: Status::Departure.into(), priority: fastrand::u32(..3), ..self }
    }

    /// Its key in each part of the airport.
    pub fn key(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.airline, self.number)
    }
}
