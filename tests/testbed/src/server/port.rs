//! [`Port`]: a free port of the loopback interface.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

/// A port of the loopback interface that no other test process uses, even while no server listens on it.
///
/// It is below the range of ephemeral ports (for binds to port 0, and for clients). The UDP port with the same number
/// is bound as long as this value exists: no server here uses UDP, so it is a mark that other processes see, and that
/// disappears with its owner.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _mark: UdpSocket,
}

/// By default, Redis Cluster also uses the port that is higher by 10000; here it is given another one.
const FIRST: u16 = 12_000;
const LAST: u16 = 32_000;

impl Port {
    /// Reserves a free port.
    ///
    /// # Panics
    /// All are in use.
    #[must_use]
    pub fn free() -> Port {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Each process begins at a different number.
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
