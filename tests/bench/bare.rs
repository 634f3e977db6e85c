//! What no upload can do without, and nothing else: bytes come over the loopback interface, are hashed,
//! sealed, written and made durable, each by a thread of its own. How fast that goes on a machine bounds
//! what an upload to the same machine can reach when client and server share its processors.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl::sha::Sha256;

use crate::measure::processor_time;

const BUFFER_BYTES: usize = 256 * 1024;
/// Buffers between two threads.
const QUEUE: usize = 4;
const FRAME_BYTES: usize = 64 * 1024;

/// Sends `from` to itself over TCP and stores it as `to`, durably; removes it. Gives the time it took.
pub fn transfer(from: &Path, to: &Path) -> Duration {
    let started = Instant::now();
    let (received, to_hash) = sync_channel(QUEUE);
    let (hashed, to_write) = sync_channel(QUEUE);
    thread::scope(|threads| {
        threads.spawn(move || receive(from, &|buffer| received.send(buffer).unwrap()));
        threads.spawn(move || hash(&to_hash, &hashed));
        threads.spawn(move || {
            let mut cipher = cipher();
            let mut file = File::create(to).unwrap();
            for mut buffer in to_write {
                seal(&mut cipher, &mut buffer);
                file.write_all(&buffer).unwrap();
            }
            file.sync_data().unwrap();
        });
    });
    let took = started.elapsed();
    std::fs::remove_file(to).unwrap();
    took
}

/// Sends the file in one thread and reads it in this one.
fn receive(from: &Path, take: &dyn Fn(Vec<u8>)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::scope(|threads| {
        threads.spawn(move || {
            let mut connection = TcpStream::connect(address).unwrap();
            std::io::copy(&mut File::open(from).unwrap(), &mut connection).unwrap();
        });
        let (connection, _) = listener.accept().unwrap();
        loop {
            let mut buffer = Vec::with_capacity(BUFFER_BYTES);
            if (&connection).take(BUFFER_BYTES as u64).read_to_end(&mut buffer).unwrap() == 0 {
                return;
            }
            take(buffer);
        }
    });
}

fn hash(from: &Receiver<Vec<u8>>, next: &SyncSender<Vec<u8>>) {
    let mut hash = Sha256::new();
    for buffer in from {
        hash.update(&buffer);
        next.send(buffer).unwrap();
    }
    std::hint::black_box(hash.finish());
}

fn cipher() -> CipherCtx {
    let mut cipher = CipherCtx::new().unwrap();
    cipher.encrypt_init(Some(Cipher::aes_256_gcm()), Some(&[1; 32]), None).unwrap();
    cipher
}

/// For measuring only: the nonce is always the same.
fn seal(cipher: &mut CipherCtx, buffer: &mut [u8]) {
    for frame in buffer.chunks_mut(FRAME_BYTES) {
        cipher.encrypt_init(None, None, Some(&[0; 12])).unwrap();
        let length = frame.len();
        cipher.cipher_update_inplace(frame, length).unwrap();
        cipher.cipher_final(&mut []).unwrap();
    }
}

/// The processor seconds of each of these, one at a time, and how many processors there are.
pub fn costs(from: &Path, to: &Path) -> String {
    let length = std::fs::metadata(from).unwrap().len();
    let buffers = length / BUFFER_BYTES as u64;
    let mut buffer = vec![7; BUFFER_BYTES];
    let loopback = cost(|| receive(from, &|buffer| drop(std::hint::black_box(buffer))));
    let sha = cost(|| {
        let mut hash = Sha256::new();
        (0..buffers).for_each(|_| hash.update(&buffer));
        std::hint::black_box(hash.finish());
    });
    let mut cipher = cipher();
    let gcm = cost(|| (0..buffers).for_each(|_| seal(&mut cipher, &mut buffer)));
    let write = cost(|| {
        let mut file = File::create(to).unwrap();
        (0..buffers).for_each(|_| file.write_all(&buffer).unwrap());
        file.sync_data().unwrap();
    });
    std::fs::remove_file(to).unwrap();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    format!(
        "loopback {loopback:.2} s + SHA-256 {sha:.2} s + AES-256-GCM {gcm:.2} s + write {write:.2} s \
         = {:.2} processor seconds, on {processors} processors",
        loopback + sha + gcm + write
    )
}

fn cost(work: impl FnOnce()) -> f64 {
    let process = std::process::id();
    let before = processor_time(process);
    work();
    (processor_time(process) - before).as_secs_f64()
}
