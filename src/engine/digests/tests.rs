use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use super::*;

/// A part, and what tells its digest.
fn part(len: usize) -> (Part, oneshot::Receiver<StreamDigest>) {
    let (done, digest) = oneshot::channel();
    (Part { digest: StreamDigest::new(), rest: vec![7; len].into(), done }, digest)
}

fn queue_of(digests: &Digests) -> (usize, usize, usize) {
    let queue = digests.lock();
    (queue.waiting.len(), queue.parts, queue.workers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_streams_in_parts_of_any_size_are_hashed_each_in_its_order() {
    let digests = Digests::default();
    let streams = (0..9_usize).map(|stream| {
        let digests = digests.clone();
        tokio::spawn(async move {
            let (mut digest, mut oracle) = (StreamDigest::new(), Sha256::new());
            for round in 0..40 {
                let len = (stream * 7919 + round * 104_729) % (3 * ALONE_BYTES);
                let bytes: Vec<u8> = (0..len).map(|i| (i * (stream + 3) + round) as u8).collect();
                oracle.update(&bytes);
                digest = digests.update(digest, bytes.into()).await.expect("is hashed");
            }
            assert_eq!(digest.finalize(), <[u8; 32]>::from(oracle.finalize()), "{stream}");
        })
    });
    for stream in streams.collect::<Vec<_>>() {
        stream.await.expect("is as expected");
    }
    // the last to tell of its part may still be on its way out
    while queue_of(&digests) != (0, 0, 0) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn there_is_a_worker_for_every_two_parts() {
    let digests = Digests::default();
    let mut workers = Vec::new();
    let receivers: Vec<_> = (0..5)
        .map(|i| {
            let (part, receiver) = part(i);
            workers.extend(digests.push(part));
            receiver
        })
        .collect();
    assert_eq!((workers.len(), queue_of(&digests)), (3, (5, 5, 3)));
    for worker in workers {
        worker.run();
    }
    assert_eq!(queue_of(&digests), (0, 0, 0));
    for (len, mut receiver) in receivers.into_iter().enumerate() {
        let digest = receiver.try_recv().expect("is hashed").finalize();
        assert_eq!(digest, <[u8; 32]>::from(Sha256::digest(vec![7; len])), "{len}");
    }
}

#[test]
fn two_workers_with_a_part_each_become_one() {
    let digests = Digests::default();
    let (parts, _receivers): (Vec<_>, Vec<_>) = [10, 20, 10, 20].map(part).into_iter().unzip();
    let mut workers: Vec<Worker> = parts.into_iter().filter_map(|part| digests.push(part)).collect();
    for worker in &mut workers {
        assert!(worker.refill());
        worker.hash();
        // the shorter part is over
        worker.pair[0] = None;
        digests.lock().parts -= 1;
    }
    assert!(!workers[0].refill());
    assert!(workers[1].refill() && workers[1].pair.iter().all(Option::is_some));
    assert_eq!(queue_of(&digests), (0, 2, 1));
}

#[test]
fn a_part_that_nobody_waits_for_does_no_harm_to_the_other_of_its_pair() {
    let digests = Digests::default();
    for cancelled_while_waiting in [true, false] {
        let ((first, given_up), (second, mut wanted)) = (part(5 * ALONE_BYTES), part(3 * ALONE_BYTES));
        let mut worker = digests.push(first).expect("the first part needs one");
        assert!(digests.push(second).is_none());
        if cancelled_while_waiting {
            drop(given_up);
        } else {
            assert!(worker.refill());
            drop(given_up);
        }
        worker.run();
        let digest = wanted.try_recv().expect("is hashed").finalize();
        assert_eq!(digest, <[u8; 32]>::from(Sha256::digest(vec![7; 3 * ALONE_BYTES])));
        assert_eq!(queue_of(&digests), (0, 0, 0));
    }
}

#[test]
fn a_worker_that_dies_lets_go_of_its_parts_and_of_no_others() {
    let digests = Digests::default();
    let (parts, mut receivers): (Vec<_>, Vec<_>) = [1, 2, 3, 4].map(part).into_iter().unzip();
    let mut workers: Vec<Worker> = parts.into_iter().filter_map(|part| digests.push(part)).collect();
    assert!(workers[0].refill());
    drop(workers.remove(0));
    workers.remove(0).run();
    let mut told = receivers.iter_mut().map(|receiver| receiver.try_recv().map(StreamDigest::finalize).ok());
    assert_eq!([told.next(), told.next()], [Some(None), Some(None)]);
    for (len, digest) in [3, 4].into_iter().zip(told) {
        assert_eq!(digest, Some(Sha256::digest(vec![7; len]).into()));
    }
    assert_eq!(queue_of(&digests), (0, 0, 0));
}

#[test]
fn fail_where_the_runtime_ends_before_a_worker_starts() {
    let (runtime, digests) = (Runtime::new().expect("a runtime"), Digests::default());
    let handle = runtime.handle().clone();
    runtime.shutdown_background();
    let hashing = {
        let _inside = handle.enter();
        digests.update(StreamDigest::new(), "abc".into())
    };
    let error = futures::executor::block_on(hashing).expect_err("must fail");
    assert_eq!(error.kind(), StorageErrorKind::Other, "{error}");
    assert_eq!(queue_of(&digests), (0, 0, 0));
    // the parts of another runtime are hashed
    let runtime = Runtime::new().expect("a runtime");
    let digest = runtime.block_on(async { digests.update(StreamDigest::new(), "abc".into()).await });
    assert_eq!(digest.expect("is hashed").finalize()[..2], [0xba, 0x78]);
}
