//! Much through the runner: every byte in order, little memory, and a hub that takes nothing makes keepers wait.
#![allow(missing_docs)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use protocol::frame::{self, Frame};
use protocol::limits::FRAME_PAYLOAD_BYTES_MAX;
use support::hub::ModelHub;
use support::keeper::{Got, ModelKeeper};
use support::process::Place;
use support::soon;
use tokio_tungstenite::tungstenite::Message;

const FRAMES: u64 = 1_000;
const PAYLOAD: u64 = FRAME_PAYLOAD_BYTES_MAX as u64;
/// What the runner may take, whatever passes through it.
const RUNNER_BYTES_MAX: u64 = 20 * 1024 * 1024;

/// A frame whose payload tells its place.
fn numbered(number: u64) -> Vec<u8> {
    frame::output(7, number * PAYLOAD, &[number as u8; FRAME_PAYLOAD_BYTES_MAX])
}

/// Most memory that a process ever had; `None` where the system does not say.
fn peak_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[tokio::test]
async fn a_hub_that_takes_nothing_makes_the_keeper_wait_and_loses_nothing() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let keeper = ModelKeeper::start(&place.state(), 7);
    let runner = place.start(&hub.url);
    let mut below = keeper.accept(0).await;
    let (mut link, _) = hub.welcome().await;

    let written = Arc::new(AtomicU64::new(0));
    let counter = written.clone();
    let mut writer = tokio::spawn(async move {
        for number in 0..FRAMES {
            below.frame_patiently(&numbered(number)).await;
            counter.fetch_add(1, Ordering::Relaxed);
        }
        below
    });
    // Until nothing more goes in.
    let mut before = u64::MAX;
    while before != written.load(Ordering::Relaxed) {
        before = written.load(Ordering::Relaxed);
        let _ = tokio::time::timeout(Duration::from_millis(300), &mut writer).await;
    }
    assert!(before < FRAMES, "the keeper had to wait");
    if let Some(peak) = peak_bytes(runner.pid()) {
        assert!(peak < RUNNER_BYTES_MAX, "{peak} bytes with a hub that takes nothing");
    }

    for number in 0..FRAMES {
        let bytes = link.frame().await;
        assert!(bytes == numbered(number), "frame {number} came as {:?}", Frame::decode(&bytes).map(|f| f.header));
    }
    soon("the writer", writer).await.expect("written");
    if let Some(peak) = peak_bytes(runner.pid()) {
        assert!(peak < RUNNER_BYTES_MAX, "{peak} bytes after {} MiB", (FRAMES * PAYLOAD) >> 20);
    }
}

#[tokio::test]
async fn a_keystroke_overtakes_what_is_on_its_way_up() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let keeper = ModelKeeper::start(&place.state(), 7);
    let _runner = place.start(&hub.url);
    let mut below = keeper.accept(0).await;
    let (mut link, _) = hub.welcome().await;
    // Small frames one by one: what a keystroke's echo takes there and back.
    let mut times = Vec::new();
    for number in 0..300 {
        let typed = frame::input(7, 1, number, b"x");
        let began = Instant::now();
        link.send(Message::binary(typed.clone())).await;
        assert_eq!(below.next().await, Some(Got::Frame(typed)));
        let echo = frame::output(7, number, b"x");
        below.frame(&echo).await;
        assert_eq!(link.frame().await, echo);
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("echo through the runner: p50 {:?}, p99 {:?}", times[150], times[297]);

    // Now with the way up full: the hub does not read, and yet what it sends arrives.
    let (mut read, mut write) = below.split();
    let flooded = std::cell::Cell::new(0);
    let flood = async {
        let mut bytes = Vec::new();
        for number in 0..FRAMES {
            flooded.set(number);
            bytes.clear();
            muster::keeper::wire::push_frame(&mut bytes, &numbered(number));
            tokio::io::AsyncWriteExt::write_all(&mut write, &bytes).await.expect("the runner lives");
        }
    };
    let typed = async {
        let (mut full_at, mut stood_still) = (0, 0);
        for number in 300.. {
            if stood_still >= 100 {
                // What the runner has to answer waits for nothing that is on its way up either.
                link.send(Message::text(r#"{"type":"teleport"}"#)).await;
            }
            let typed = frame::input(7, 1, number, b"x");
            link.send(Message::binary(typed.clone())).await;
            assert_eq!(read.next().await, Some(Got::Frame(typed)));
            stood_still = if full_at == flooded.get() { stood_still + 1 } else { 0 };
            full_at = flooded.get();
            if stood_still >= 200 {
                break;
            }
        }
    };
    tokio::pin!(flood);
    tokio::select! {
        () = &mut flood => panic!("nobody reads, so it cannot end"),
        () = typed => {}
    }
}
