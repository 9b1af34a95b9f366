use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use super::*;

/// A part that somebody waits for, and what tells its digest.
fn part(len: usize) -> (Part, oneshot::Receiver<StreamDigest>) {
    let (done, digest) = oneshot::channel();
    let wanted = Arc::new(AtomicBool::new(true));
    (Part { digest: StreamDigest::new(), rest: vec![7; len].into(), wanted, done }, digest)
}

fn oracle(len: usize) -> [u8; 32] {
    Sha256::digest(vec![7; len]).into()
}

/// Pushes parts of these lengths; with them come the workers that must be started.
fn pushed<const N: usize>(digests: &Digests, lens: [usize; N]) -> (Vec<Worker>, [oneshot::Receiver<StreamDigest>; N]) {
    let mut workers = Vec::new();
    let receivers = lens.map(|len| {
        let (part, receiver) = part(len);
        workers.extend(digests.push(part));
        receiver
    });
    (workers, receivers)
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
fn there_is_a_worker_for_every_pair_and_one_more_for_a_single_part_that_is_wanted() {
    let digests = Digests::default();
    let (mut workers, receivers) = pushed(&digests, [0, 1, 2, 3, 4]);
    assert_eq!((workers.len(), queue_of(&digests)), (2, (5, 5, 2)));
    workers.extend(digests.want(&AtomicBool::new(false)));
    assert_eq!((workers.len(), queue_of(&digests)), (3, (5, 5, 3)));
    assert!(digests.want(&AtomicBool::new(false)).is_none());
    for worker in workers {
        worker.run();
    }
    assert_eq!(queue_of(&digests), (0, 0, 0));
    for (len, mut receiver) in receivers.into_iter().enumerate() {
        assert_eq!(receiver.try_recv().expect("is hashed").finalize(), oracle(len), "{len}");
    }
}

#[tokio::test]
async fn a_part_waits_for_another_as_long_as_nobody_waits_for_it() {
    let digests = Digests::default();
    let mut first = digests.update(StreamDigest::new(), vec![7; 1000].into());
    assert_eq!(queue_of(&digests), (1, 1, 0));
    let second = digests.update(StreamDigest::new(), vec![7; 10].into());
    assert_eq!(second.await.expect("is hashed").finalize(), oracle(10));
    // the worker that both had is alone now, and there is no hurry
    while queue_of(&digests).2 > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(queue_of(&digests), (1, 1, 0));
    assert!(digests.lock().waiting[0].rest.len() == 990);
    assert!(first.digest.try_recv().is_err());
    assert_eq!(first.await.expect("is hashed").finalize(), oracle(1000));
}

#[test]
fn two_workers_with_a_part_each_become_one() {
    let digests = Digests::default();
    let (mut workers, mut receivers) = pushed(&digests, [10, 200_000, 10, 300_000]);
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
    workers.remove(1).run();
    for (receiver, len) in [(1, 200_000), (3, 300_000)] {
        assert_eq!(receivers[receiver].try_recv().expect("is hashed").finalize(), oracle(len));
    }
}

#[test]
fn a_part_that_is_given_up_does_no_harm_to_the_other_of_its_pair() {
    let digests = Digests::default();
    for given_up_while_waiting in [true, false] {
        let (mut workers, [given_up, mut wanted]) = pushed(&digests, [5 * ALONE_BYTES, 3 * ALONE_BYTES]);
        if !given_up_while_waiting {
            assert!(workers[0].refill());
        }
        drop(given_up);
        workers.remove(0).run();
        assert_eq!(wanted.try_recv().expect("is hashed").finalize(), oracle(3 * ALONE_BYTES));
        assert_eq!(queue_of(&digests), (0, 0, 0));
    }
    drop(digests.update(StreamDigest::new(), "abc".into()));
    assert_eq!(queue_of(&digests), (0, 0, 0));
}

#[test]
fn a_worker_that_dies_lets_go_of_its_parts_and_of_no_others() {
    let digests = Digests::default();
    let (mut workers, receivers) = pushed(&digests, [1, 2, 3, 4]);
    assert!(workers[0].refill());
    drop(workers.remove(0));
    workers.remove(0).run();
    let told = receivers.map(|mut receiver| receiver.try_recv().map(StreamDigest::finalize).ok());
    assert_eq!(told, [None, None, Some(oracle(3)), Some(oracle(4))]);
    let (mut workers, [mut first, _second]) = pushed(&digests, [1, 2]);
    workers.clear();
    assert!(matches!(first.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
    assert_eq!(queue_of(&digests), (0, 0, 0));
}

#[test]
fn fail_where_the_runtime_ends_before_a_worker_starts() {
    let (runtime, digests) = (Runtime::new().expect("a runtime"), Digests::default());
    let handle = runtime.handle().clone();
    runtime.shutdown_background();
    let hashing = digests.update(StreamDigest::new(), "abc".into());
    let _inside = handle.enter();
    let error = futures::executor::block_on(hashing).expect_err("must fail");
    assert_eq!(error.kind(), StorageErrorKind::Other, "{error}");
    assert_eq!(queue_of(&digests), (0, 0, 0));
}
