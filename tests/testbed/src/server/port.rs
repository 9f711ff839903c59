//! [`Port`]: a free port of the loopback interface.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

/// A port of the loopback interface that is nobody else's among those that run tests, also while no server listens on it.
///
/// It is below those that the system gives away by itself (to what asks for port 0, or connects), and the UDP port of the same number is bound as long as this value is there: no
/// server here uses UDP, so it is a mark that other processes see, and that goes with its owner.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _mark: UdpSocket,
}

/// Redis Cluster uses the port 10000 above, too, by default; here it is told another one.
const FIRST: u16 = 12_000;
const LAST: u16 = 32_000;

impl Port {
    /// Takes one.
    ///
    /// # Panics
    /// All are taken.
    #[must_use]
    pub fn free() -> Port {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // processes begin at different places
        let _ = NEXT.compare_exchange(0, fastrand::u16(1..LAST - FIRST), Ordering::Relaxed, Ordering::Relaxed);
        for _ in FIRST..LAST {
            let number = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % (LAST - FIRST);
            let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, number));
            let Ok(mark) = UdpSocket::bind(addr) else { continue };
            if TcpListener::bind(addr).is_ok() {
                return Port { number, _mark: mark };
            }
        }
        panic!("no port of {FIRST} to {LAST} is free");
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Its address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.number))
    }
}
