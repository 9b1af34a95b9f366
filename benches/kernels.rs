//! Kernels without columns around them: `cargo bench --bench kernels`. Throughput is in values for each second.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakeveil::crypto::{HmacKey, TokenEncoding};

/// Values in a batch: DataFusion's default batch size.
const VALUES: usize = 8192;

/// The batch door of HMAC-SHA256, over the layout of a string column. Lengths: an integer, an email address, a whole
/// block, a long text.
fn hmac_sha256(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("hmac-sha256 batch of {VALUES} values"));
    group.throughput(Throughput::Elements(VALUES as u64));
    let key = HmacKey::new(&[7; 32]);
    for len in [8, 20, 64, 200] {
        let values: Vec<u8> = (0..VALUES * len).map(|i| i as u8).collect();
        let offsets: Vec<i32> = (0..=VALUES).map(|i| (i * len) as i32).collect();
        let mut out = vec![[0; 32]; VALUES];
        group.bench_function(BenchmarkId::new("value length", format!("{len} bytes")), |b| {
            b.iter(|| key.sign_many(black_box(&offsets), black_box(&values), black_box(&mut out)));
        });
    }
    group.finish();
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

criterion_group!(benches, hmac_sha256, encodings);
criterion_main!(benches);
