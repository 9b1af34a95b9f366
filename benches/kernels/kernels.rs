//! Kernels without columns around them: `cargo bench` in this folder. Throughput is in values or bytes for each second.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use lakeveil::crypto::lanes::Backend;
use lakeveil::crypto::{HmacKey, StreamDigest, TokenEncoding};
use sha2::{Digest, Sha256};

/// Values in a batch: DataFusion's default batch size.
const VALUES: usize = 8192;

/// The batch door of HMAC-SHA256, over the layout of a string column: each backend of this processor, next to cloning a
/// keyed `Hmac` for every value. Lengths: an integer, an email address, the longest and shortest message of one and two
/// blocks, a whole block, a long text, and all up to 120 bytes.
fn hmac_sha256(c: &mut Criterion) {
    let key = HmacKey::new(&[7; 32]);
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("HMAC takes keys of any length");
    let equal = [8, 20, 55, 56, 64, 200].map(|len| (format!("{len} bytes"), vec![len; VALUES]));
    let mixed = ("mixed".to_owned(), (0..VALUES).map(|i| i * 7919 % 121).collect());
    for (name, lens) in equal.into_iter().chain([mixed]) {
        let mut group = c.benchmark_group(format!("hmac-sha256 batch of {VALUES} values, {name}"));
        group.throughput(Throughput::Elements(VALUES as u64));
        let mut offsets = vec![0_i32];
        for len in lens {
            offsets.push(offsets[offsets.len() - 1] + len as i32);
        }
        let values: Vec<u8> = (0..offsets[VALUES]).map(|i| i as u8).collect();
        let mut out = vec![[0; 32]; VALUES];
        group.bench_function("cloned hmac", |b| {
            b.iter(|| {
                for (bounds, token) in black_box(&offsets).windows(2).zip(black_box(&mut out)) {
                    let mut mac = keyed.clone();
                    mac.update(&values[bounds[0] as usize..bounds[1] as usize]);
                    *token = mac.finalize().into_bytes().into();
                }
            });
        });
        for backend in Backend::available() {
            group.bench_function(backend.name(), |b| {
                b.iter(|| key.sign_many_with(backend, black_box(&offsets), black_box(&values), black_box(&mut out)));
            });
        }
        group.finish();
    }
}

/// Token encodings, written one after the other into one buffer. Lengths: the least, the default and the most bits.
fn encodings(c: &mut Criterion) {
    let tokens: Vec<[u8; 32]> = (0..VALUES).map(|i| HmacKey::new(&[7; 32]).sign(&i.to_be_bytes())).collect();
    for encoding in TokenEncoding::ALL {
        let mut group = c.benchmark_group(format!("{encoding} of {VALUES} tokens"));
        group.throughput(Throughput::Elements(VALUES as u64));
        for bytes in [8, 16, 32] {
            if encoding == TokenEncoding::Uuid && bytes != 16 {
                continue;
            }
            let mut out = vec![0; VALUES * encoding.encoded_len(bytes)];
            group.bench_function(BenchmarkId::new("token length", format!("{bytes} bytes")), |b| {
                b.iter(|| {
                    let slots = out.chunks_exact_mut(encoding.encoded_len(bytes));
                    for (token, slot) in black_box(&tokens).iter().zip(slots) {
                        encoding.encode_into(&token[..bytes], slot);
                    }
                    black_box(&mut out);
                });
            });
        }
        group.finish();
    }
}

/// SHA-256 over 256 KiB of a stream, and of each of two: by `sha2`, by ourselves, and interleaved.
fn stream_digests(c: &mut Criterion) {
    const PART: usize = 256 << 10;
    let part = |factor: usize| (0..PART).map(|i| (i * factor) as u8).collect::<Vec<u8>>();
    let (first, second) = (part(3), part(7));
    let mut group = c.benchmark_group("sha-256 of parts of 256 KiB");
    group.throughput(Throughput::Bytes(PART as u64));
    let mut oracle = Sha256::new();
    group.bench_function("sha2", |b| b.iter(|| oracle.update(black_box(&first))));
    let (mut one, mut other) = (StreamDigest::new(), StreamDigest::new());
    group.bench_function("one stream", |b| b.iter(|| one.update(black_box(&first))));
    group.throughput(Throughput::Bytes(2 * PART as u64));
    for backend in [Backend::fastest(), Backend::Portable] {
        group.bench_function(format!("two streams, {backend}"), |b| {
            b.iter(|| {
                let (first, second) = (black_box(&first), black_box(&second));
                StreamDigest::update_both_with(backend, (&mut one, first), (&mut other, second));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hmac_sha256, encodings, stream_digests);
criterion_main!(benches);
