//! The link to a server executes its commands.

use cninfra::testing::Link;
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(100);

/// A link with a connection through it: the client's end, and the server's.
fn connected() -> (TcpListener, Link, TcpStream, TcpStream) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let link = Link::to(server.local_addr().unwrap()).unwrap();
    let client = TcpStream::connect(link.addr()).unwrap();
    let (theirs, _) = server.accept().unwrap();
    for stream in [&client, &theirs] {
        stream.set_read_timeout(Some(LONG)).unwrap();
    }
    (server, link, client, theirs)
}

fn goes_through(from: &mut TcpStream, to: &mut TcpStream) {
    from.write_all(b"x").unwrap();
    to.read_exact(&mut [0]).unwrap();
}

#[test]
fn it_carries_both_ways_and_counts() {
    let (_server, link, mut client, mut theirs) = connected();
    goes_through(&mut client, &mut theirs);
    goes_through(&mut theirs, &mut client);
    assert_eq!((link.sent(), link.connections()), (1, 1));
    drop(client);
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0, "an end is carried, too");
}

#[test]
fn a_cut_resets_what_is_there_and_refuses_what_comes_until_it_is_restored() {
    let (server, link, mut client, mut theirs) = connected();
    link.cut();
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    // The server's end is closed, too.
    assert!(matches!(theirs.read(&mut [0]), Ok(0) | Err(_)));
    for _ in 0..50 {
        let refused = TcpStream::connect(link.addr()).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
    // The port stays reserved.
    assert!(TcpListener::bind(link.addr()).is_err());
    link.restore();
    let mut client = TcpStream::connect(link.addr()).unwrap();
    let (mut theirs, _) = server.accept().unwrap();
    goes_through(&mut client, &mut theirs);
}

#[test]
fn a_cut_comes_to_its_end_also_while_clients_come() {
    let (_server, link, _client, _theirs) = connected();
    for _ in 0..200 {
        // The connection may have been accepted, but not served yet.
        let client = TcpStream::connect(link.addr()).unwrap();
        link.cut();
        link.restore();
        drop(client);
    }
}

#[test]
fn a_pause_takes_connections_and_lets_nothing_through() {
    let (server, link, mut client, mut theirs) = connected();
    link.pause();
    let mut late = TcpStream::connect(link.addr()).unwrap();
    for stream in [&mut client, &mut late] {
        stream.write_all(b"x").unwrap();
    }
    theirs.set_read_timeout(Some(SHORT)).unwrap();
    assert!(theirs.read(&mut [0]).is_err() && link.sent() == 0);
    link.restore();
    theirs.set_read_timeout(Some(LONG)).unwrap();
    theirs.read_exact(&mut [0]).unwrap();
    let (mut theirs, _) = server.accept().unwrap();
    theirs.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_slow_one_is_late() {
    let (_server, link, mut client, mut theirs) = connected();
    link.slow(SHORT);
    let began = Instant::now();
    goes_through(&mut client, &mut theirs);
    assert!(began.elapsed() >= SHORT);
}

#[test]
fn with_the_link_its_connections_and_its_port_are_gone() {
    let (_server, link, mut client, _theirs) = connected();
    let addr = link.addr();
    link.pause();
    drop(link);
    assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
    assert!(TcpStream::connect(addr).is_err());
}

#[test]
fn where_no_server_is_a_client_is_let_down() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let link = Link::to(gone).unwrap();
    let mut client = TcpStream::connect(link.addr()).unwrap();
    client.set_read_timeout(Some(LONG)).unwrap();
    assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
}
