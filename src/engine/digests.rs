//! SHA-256 of what is read and written, two streams at a time: half the threads, at 1.8 times the speed of one stream.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use tokio::sync::oneshot;

use super::storage::{StorageError, StorageErrorKind};
use crate::crypto::StreamDigest;

/// What a stream without a partner is hashed by, in bytes (35 us): so long may a partner have to wait.
const ALONE_BYTES: usize = 64 << 10;

/// Hashes parts of streams on blocking threads. Any two parts that are under way at the same time go as a pair: there
/// is a thread for every two of them, and one that comes to be alone joins another.
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
    done: oneshot::Sender<StreamDigest>,
}

impl Queue {
    /// The next part that somebody waits for.
    fn next(&mut self) -> Option<Part> {
        loop {
            let part = self.waiting.pop_front()?;
            if !part.done.is_closed() {
                return Some(part);
            }
            self.parts -= 1;
        }
    }

    /// Whether one worker less is enough, which has one part and asks for another in vain.
    fn has_room_elsewhere(&self) -> bool {
        self.parts > 1 && self.parts <= 2 * (self.workers - 1)
    }
}

impl Digests {
    /// `digest` with `bytes` appended, begun at once, whether or not anybody waits for it. The next part of a stream
    /// needs what this one gives, so a stream has one part under way.
    ///
    /// # Errors
    /// The program is shutting down.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn update(
        &self,
        digest: StreamDigest,
        bytes: Bytes,
    ) -> impl Future<Output = Result<StreamDigest, StorageError>> + Send + use<> {
        let (done, digest_of) = oneshot::channel();
        if let Some(worker) = self.push(Part { digest, rest: bytes, done }) {
            tokio::task::spawn_blocking(move || worker.run());
        }
        async move {
            digest_of.await.map_err(|_| {
                let what = "is shutting down and did not hash all bytes";
                StorageError::new(StorageErrorKind::Other, "this program", what, "run again")
            })
        }
    }

    /// Gives the worker that must be started for it, if those that there are have two parts each.
    fn push(&self, part: Part) -> Option<Worker> {
        let mut queue = self.lock();
        queue.waiting.push_back(part);
        queue.parts += 1;
        let has_room = queue.parts <= 2 * queue.workers;
        (!has_room).then(|| {
            queue.workers += 1;
            Worker { digests: self.clone(), pair: [None, None], counted: true }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn run(mut self) {
        while self.refill() {
            self.hash();
            for place in &mut self.pair {
                let Some(Part { digest, rest, done }) = place.take_if(|part| part.rest.is_empty()) else { continue };
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
        for place in self.pair.iter_mut().filter(|place| place.is_none()) {
            *place = queue.next();
        }
        if let [alone @ Some(_), None] | [None, alone @ Some(_)] = &mut self.pair
            && queue.has_room_elsewhere()
        {
            queue.waiting.extend(alone.take());
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
        if queue.workers == 0 {
            queue.parts = 0;
            queue.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests;
