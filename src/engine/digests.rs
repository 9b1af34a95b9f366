//! SHA-256 of what is read and written, two streams at a time: half the threads, at 1.8 times the speed of one stream.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::sync::oneshot;

use super::storage::{StorageError, StorageErrorKind};
use crate::crypto::StreamDigest;

/// What a stream without a partner is hashed by, in bytes (35 us): so long may a partner have to wait.
const ALONE_BYTES: usize = 64 << 10;

/// Hashes parts of streams on blocking threads, two at a time: a part begins when there is another, or when somebody
/// waits for it. A thread that comes to be alone joins another, or puts its part back if nobody waits for that yet.
#[derive(Debug, Clone, Default)]
pub struct Digests(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Part>,
    /// Parts that wait or are being hashed.
    parts: usize,
    /// Threads, those included that are asked for and have not started.
    workers: usize,
}

#[derive(Debug)]
struct Part {
    digest: StreamDigest,
    rest: Bytes,
    /// Whether somebody waits for it; written under the queue's lock.
    wanted: Arc<AtomicBool>,
    done: oneshot::Sender<StreamDigest>,
}

/// A part that is to be hashed. Dropped, it is taken out of the queue.
#[derive(Debug)]
#[must_use = "it may not begin before it is polled"]
pub struct Hashing {
    digests: Digests,
    wanted: Arc<AtomicBool>,
    digest: oneshot::Receiver<StreamDigest>,
}

impl Queue {
    /// The next part that is not given up.
    fn next(&mut self) -> Option<Part> {
        loop {
            let part = self.waiting.pop_front()?;
            if !part.done.is_closed() {
                return Some(part);
            }
            self.parts -= 1;
        }
    }

    /// Whether a worker's only part, where no other waits, is better put back: the other workers have room for it, and
    /// one of them is alone too; or there is no hurry.
    fn is_spare(&self, part: &Part) -> bool {
        let others_have_room = self.parts > 1 && self.parts <= 2 * (self.workers - 1);
        others_have_room || !part.wanted.load(Relaxed)
    }
}

impl Digests {
    /// `digest` with `bytes` appended. The next part of a stream needs what this one gives, so a stream has one part
    /// under way.
    ///
    /// # Errors
    /// From the future: the program is shutting down.
    ///
    /// # Panics
    /// This and the future, outside a tokio runtime.
    pub fn update(&self, digest: StreamDigest, bytes: Bytes) -> Hashing {
        let (done, digest_of) = oneshot::channel();
        let wanted = Arc::new(AtomicBool::new(false));
        Worker::start(self.push(Part { digest, rest: bytes, wanted: Arc::clone(&wanted), done }));
        Hashing { digests: self.clone(), wanted, digest: digest_of }
    }

    /// Gives the worker that must be started if it makes a pair for which there is none.
    fn push(&self, part: Part) -> Option<Worker> {
        let mut queue = self.lock();
        queue.waiting.push_back(part);
        queue.parts += 1;
        let pairs = queue.parts / 2;
        self.up_to(&mut queue, pairs)
    }

    /// Gives the worker that must be started now that somebody waits for a part.
    fn want(&self, wanted: &AtomicBool) -> Option<Worker> {
        let mut queue = self.lock();
        if wanted.swap(true, Relaxed) {
            return None;
        }
        let needed = queue.parts.div_ceil(2);
        self.up_to(&mut queue, needed)
    }

    fn up_to(&self, queue: &mut Queue, needed: usize) -> Option<Worker> {
        (queue.workers < needed).then(|| {
            queue.workers += 1;
            Worker { digests: self.clone(), pair: [None, None], counted: true }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Hashing {
    type Output = Result<StreamDigest, StorageError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.digest).poll(context);
        if polled.is_pending() {
            Worker::start(self.digests.want(&self.wanted));
        }
        polled.map_err(|_| {
            let what = "is shutting down and did not hash all bytes";
            StorageError::new(StorageErrorKind::Other, "this program", what, "run again")
        })
    }
}

impl Drop for Hashing {
    fn drop(&mut self) {
        self.digest.close();
        let mut queue = self.digests.lock();
        let before = queue.waiting.len();
        queue.waiting.retain(|part| !part.done.is_closed());
        queue.parts -= before - queue.waiting.len();
    }
}

/// One thread. Dropped before its end, by a panic or the runtime's, it lets go of its parts: who waits for them is told.
struct Worker {
    digests: Digests,
    pair: [Option<Part>; 2],
    /// Among the queue's workers.
    counted: bool,
}

impl Worker {
    fn start(worker: Option<Self>) {
        if let Some(worker) = worker {
            tokio::task::spawn_blocking(move || worker.run());
        }
    }

    fn run(mut self) {
        while self.refill() {
            self.hash();
            for place in &mut self.pair {
                let Some(Part { digest, rest, done, .. }) = place.take_if(|part| part.rest.is_empty()) else {
                    continue;
                };
                self.digests.lock().parts -= 1;
                // whoever waits may want the memory for itself
                drop(rest);
                // nobody waits for it when the object was given up
                let _ = done.send(digest);
            }
        }
    }

    /// Takes what waits; says whether there is anything to do here.
    fn refill(&mut self) -> bool {
        let mut queue = self.digests.lock();
        for place in &mut self.pair {
            queue.parts -= place.take_if(|part| part.done.is_closed()).iter().count();
            if place.is_none() {
                *place = queue.next();
            }
        }
        if let [alone @ Some(_), None] | [None, alone @ Some(_)] = &mut self.pair {
            let spare = alone.take_if(|part| queue.is_spare(part));
            queue.waiting.extend(spare);
        }
        self.counted = self.pair.iter().any(Option::is_some);
        queue.workers -= usize::from(!self.counted);
        self.counted
    }

    fn hash(&mut self) {
        match &mut self.pair {
            [Some(first), Some(second)] => {
                let len = first.rest.len().min(second.rest.len());
                let both = ((&mut first.digest, &first.rest[..len]), (&mut second.digest, &second.rest[..len]));
                StreamDigest::update_both(both.0, both.1);
                first.rest.advance(len);
                second.rest.advance(len);
            }
            [Some(part), _] | [_, Some(part)] => {
                let len = part.rest.len().min(ALONE_BYTES);
                part.digest.update(&part.rest[..len]);
                part.rest.advance(len);
            }
            [None, None] => {}
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.counted {
            return;
        }
        let mut queue = self.digests.lock();
        queue.workers -= 1;
        queue.parts -= self.pair.iter().flatten().count();
        let mut left = VecDeque::new();
        if queue.workers == 0 {
            queue.parts = 0;
            left.append(&mut queue.waiting);
        }
        // who waits is woken, and that without the lock
        drop(queue);
        drop(left);
    }
}

#[cfg(test)]
mod tests;
