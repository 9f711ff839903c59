//! [`Flight`]: a plane on its way, as it is stored: in binary protobuf.

use prost::{Enumeration, Message};
use std::fmt;

/// A plane on its way.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Flight {
    /// Two letters.
    #[prost(string, tag = "1")]
    pub airline: String,
    /// Each number is used once.
    #[prost(uint32, tag = "2")]
    pub number: u32,
    /// What it needs the runway for.
    #[prost(enumeration = "Status", tag = "3")]
    pub status: i32,
    /// A higher one is first on the runway.
    #[prost(uint32, tag = "4")]
    pub priority: u32,
}

/// What a plane needs the runway for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enumeration)]
pub enum Status {
    /// It lands.
    Arrival = 0,
    /// It takes off.
    Departure = 1,
}

const AIRLINES: [&str; 6] = ["AA", "DL", "EW", "LH", "OS", "UA"];

impl Flight {
    /// A plane that arrives.
    pub fn arriving(number: u32) -> Self {
        let airline = AIRLINES[fastrand::usize(..AIRLINES.len())].to_string();
        Flight { airline, number, status: Status::Arrival.into(), priority: fastrand::u32(..3) }
    }

    /// The same plane after its time in the hangar.
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
