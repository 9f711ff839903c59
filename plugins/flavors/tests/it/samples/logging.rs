fn say(cx: &Context, addr: std::net::SocketAddr, attempt: u32) {
    cx.log().info("is open");
    info!(cx.log(), peer = %addr, attempt, "is connected");
    let log = cx.log().child("watch").with("session", 7);  // the logger `etcd.watch`, with a field on all its records
    log.debug("waits");
}
