//! TCP: an echo server, and many connections within one process, of which one at a time has something to say.
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::peer::{self, Outcome, Params};

async fn echo_back(mut c: TcpStream) {
    let mut buf = vec![0u8; 4096];
    while let Ok(n) = c.read(&mut buf).await {
        if n == 0 || c.write_all(&buf[..n]).await.is_err() {
            return;
        }
    }
}

/// Until -ms is over, or for ever.
pub async fn echo_server(a: Params) -> Outcome {
    let listener = TcpListener::bind(a.addr).await.expect("an address to listen on");
    let began = Instant::now();
    let serve = async {
        loop {
            let (c, _) = listener.accept().await.expect("a connection");
            c.set_nodelay(true).expect("an option");
            tokio::spawn(echo_back(c));
        }
    };
    match a.ms {
        0 => serve.await,
        ms => {
            let _: Result<(), _> = tokio::time::timeout(std::time::Duration::from_millis(ms), serve).await;
        }
    }
    Outcome::new("ms", a.ms as usize, began.elapsed())
}

async fn round_trip(c: &mut TcpStream) {
    let mut text = [0u8; 64];
    c.write_all(&text).await.expect("a write");
    c.read_exact(&mut text).await.expect("an echo");
}

pub async fn connections(a: Params) -> Outcome {
    let k = a.crowd(1000);
    let rounds = a.count(100_000).div_ceil(k);
    peer::allow_descriptors(2 * k as u64 + 100);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let at = listener.local_addr().expect("its address");
    let before = peer::rss_bytes();
    let (mut all, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..k {
        let c = TcpStream::connect(at).await.expect("a connection");
        peer::close_at_once(&c); // no port waits for its late packets
        all.push(c);
        let (c, _) = listener.accept().await.expect("its other end");
        servers.push(tokio::spawn(echo_back(c)));
    }
    for c in &mut all {
        round_trip(c).await; // every task has begun
    }
    let resident = peer::rss_bytes() - before;
    let began = Instant::now();
    for _ in 0..rounds {
        for c in &mut all {
            round_trip(c).await;
        }
    }
    let took = began.elapsed();
    drop(all);
    for s in servers {
        s.await.expect("a server");
    }
    Outcome::new("round trip", rounds * k, took).with("rss_per_conn", resident / k as f64)
}
