//! Tests of the free ports.

use cninfra_testbed::Port;
use std::{
    collections::BTreeSet,
    net::{TcpListener, UdpSocket},
};

#[test]
fn each_port_is_given_once() {
    let ports: Vec<Port> = (0..200).map(|_| Port::free()).collect();
    let numbers: BTreeSet<u16> = ports.iter().map(Port::number).collect();
    assert_eq!(numbers.len(), ports.len());
    assert!(ports.iter().all(|port| TcpListener::bind(port.addr()).is_ok()));
    let addr = ports[0].addr();
    assert!(UdpSocket::bind(addr).is_err(), "it is marked");
    drop(ports);
    assert!(UdpSocket::bind(addr).is_ok());
}
