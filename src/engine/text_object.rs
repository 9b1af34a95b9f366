//! Rewrites one CSV object to CSV by byte surgery: read and cut in order, operated on in parallel, written in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::budget::{Budget, Reservation};
use super::csv::{CsvError, Cutter, Surgery, TooLarge};
use super::discover::{ObjectFormat, SinkFormat};
use super::error::RewriteError;
use super::inspect::codec;
use super::object::{Done, Run, Task};
use super::outcome::{ColumnFacts, Route, RouteBytes};
use super::publish::ObjectWriter;
use super::sum::{Part, Sum, streamed};
use super::text_surgery::{Figures, Operated, TextSurgery};
use super::text_write::TextAppender;
use super::units::{TEXT_BYTES, TextStream};

/// Runs of whole records of an object, or the record that is too large for one.
struct Records {
    /// Of one piece of text: the record that lies across its start, and the rest.
    runs: Result<Vec<Bytes>, TooLarge>,
    /// Held until their output is written; where a piece ends in a record that is too large, that one holds it.
    reservation: Option<Reservation>,
}

/// Buffers that wait for more to be written.
const BUFFERS: usize = 3;

/// Memory of outputs that are written, to be used again: fresh memory costs as much as filling it.
#[derive(Clone, Default)]
struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes `bytes` back if nobody else holds them, and not so much that it would count.
    fn give(&self, bytes: Bytes) {
        let Ok(mut buffer) = bytes.try_into_mut() else { return };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.capacity() <= 2 * TEXT_BYTES && kept.len() < BUFFERS {
            buffer.clear();
            kept.push(buffer.into());
        }
    }
}

/// What became of a run; `None` where it failed, so that it must be looked at again once its first row is known.
struct Tried {
    records: Records,
    operated: Option<Operated>,
}

impl Run {
    /// The surgery for `task`, if there is one.
    pub(super) fn surgery(&self, task: &Task) -> Option<TextSurgery> {
        match (task.object.format, task.format) {
            (ObjectFormat::Csv { .. }, SinkFormat::Csv(_)) => {
                TextSurgery::choose(&task.plan, &task.dialect, &self.text.dialect, &task.types)
            }
            _ => None,
        }
    }

    /// Rewrites a CSV object.
    pub(super) async fn operate(&self, task: &Task, surgery: TextSurgery) -> Result<Done, RewriteError> {
        let entry = &task.object.entry;
        let ObjectFormat::Csv { compression, .. } = task.object.format else {
            return Err(RewriteError::Internal("choosing a route"));
        };
        let mut text = TextStream::open(&self.source, entry, codec(compression), &self.compute);
        let digest = text.hashed_by(&self.digests);
        let (header, start) = text.header(&task.dialect).await?;
        if !header.names().iter().eq(task.plan.source.fields().iter().map(|field| field.name())) {
            return Err(RewriteError::SchemaChanged);
        }
        let first = surgery.surgery().header(&start, &header, self.text.dialect.header())?;
        let writer = ObjectWriter::create(&self.sink, &task.object.output, entry.size, self.sync).await?;
        let mut writer = writer.hashed_by(&self.digests);
        let most = surgery.largest_record(self.budget.total()).max(TEXT_BYTES);
        let cutter = surgery.surgery().cutter().with_max_record(most);
        let (budget, piece_bytes) = (self.budget.clone(), surgery.working_bytes(TEXT_BYTES as u64));
        let cutting = Cutting { text, cutter: Some(cutter), budget, piece_bytes, ready: VecDeque::new() };
        let runs = cutting.runs(start.slice(header.data_start()..));

        let surgery = Arc::new(surgery);
        let (send, mut receive) = tokio::sync::mpsc::channel::<(Bytes, Option<Reservation>)>(1);
        let buffers = Buffers::default();
        let producing = self.produce(task, (&surgery, &buffers), runs, first, send);
        let writing = async {
            while let Some((bytes, reservation)) = receive.recv().await {
                writer.write(bytes.clone()).await?;
                buffers.give(bytes);
                drop(reservation);
            }
            Ok(writer)
        };
        let ((sum, figures), writer) = futures::future::try_join(producing, writing).await?;
        self.stop.check()?;
        let published = writer.finish().await?;
        let mut done = sum.done(task, published, digest.hex());
        tell(&mut done, &surgery, &figures);
        Ok(done)
    }

    async fn produce(
        &self,
        task: &Task,
        (surgery, buffers): (&Arc<TextSurgery>, &Buffers),
        runs: BoxStream<'static, Result<Records, RewriteError>>,
        header: Vec<u8>,
        send: tokio::sync::mpsc::Sender<(Bytes, Option<Reservation>)>,
    ) -> Result<(Sum, Figures), RewriteError> {
        // whoever receives has failed, and tells why
        let gone = |_| RewriteError::Stopped;
        let partitions = task.object.partitions.iter();
        let partitions: Arc<[_]> = partitions.map(|known| (known.column.clone(), known.value.clone())).collect();
        let mut tried = runs
            .map(|records| self.attempt(surgery, &partitions, records, buffers.take()))
            .buffered(self.compute.threads().max(2));
        let mut appender = TextAppender::new(&self.text);
        let (mut sum, mut figures) = (Sum::new(&task.plan), surgery.no_figures());
        let mut last = header.last().copied();
        let mut last_read = None;
        let mut header = Some(header);
        while let Some(tried) = tried.next().await {
            let Tried { records, operated } = tried?;
            let Some(Operated { mut text, last_read: read, rows, figures: seen }) = operated else {
                return Err(self.explain(surgery, &partitions, records, sum.rows_in()).await);
            };
            surgery.surgery().join(last, &mut text);
            last = text.last().copied().or(last);
            last_read = read;
            let text = match header.take_if(|_| !text.is_empty()) {
                Some(header) => Surgery::begin(header, text),
                None => text,
            };
            figures.merge(&seen);
            let columns = seen.states.into_iter().map(streamed).collect();
            sum.add(Part { rows_in: rows, rows_out: rows, first: 0, columns });
            let bytes = match self.text.codec {
                // nothing to compute: it need not wait for its turn on the pool
                None => appender.append(text)?,
                Some(_) => {
                    let compress = move || {
                        let bytes = appender.append(text)?;
                        Ok((appender, bytes))
                    };
                    let (returned, bytes) = self.compute.run("compressing", compress).await?;
                    appender = returned;
                    bytes
                }
            };
            self.progress.rows_done(rows);
            send.send((bytes, records.reservation)).await.map_err(gone)?;
        }
        let mut rest = header.unwrap_or_default();
        rest.extend_from_slice(surgery.surgery().ending(last_read, last));
        let rest = self
            .compute
            .run("finishing an object", move || {
                let first = appender.append(rest)?;
                Ok([first, appender.finish()?])
            })
            .await?;
        for bytes in rest {
            send.send((bytes, None)).await.map_err(gone)?;
        }
        Ok((sum, figures))
    }

    async fn attempt(
        &self,
        surgery: &Arc<TextSurgery>,
        partitions: &Arc<[(String, Option<String>)]>,
        records: Result<Records, RewriteError>,
        buffer: Vec<u8>,
    ) -> Result<Tried, RewriteError> {
        let mut records = records?;
        let Ok(runs) = records.runs.clone() else { return Ok(Tried { records, operated: None }) };
        self.progress.bytes_read(runs.iter().map(Bytes::len).sum::<usize>() as u64);
        let (surgery, partitions, stop) = (Arc::clone(surgery), Arc::clone(partitions), self.stop.clone());
        let work = move || Ok(surgery.operate(&runs, 0, &partitions, &stop, buffer).ok());
        let operated = self.compute.run("rewriting CSV records", work).await?;
        self.stop.check()?;
        if operated.is_some() {
            // its memory is wanted while the output waits to be written
            records.runs = Ok(Vec::new());
        }
        Ok(Tried { records, operated })
    }

    /// Why a run failed; `before` rows of the object lie before it.
    async fn explain(
        &self,
        surgery: &Arc<TextSurgery>,
        partitions: &Arc<[(String, Option<String>)]>,
        records: Records,
        before: u64,
    ) -> RewriteError {
        let runs = match records.runs {
            Ok(runs) => runs,
            Err(TooLarge { limit, open_quote }) => {
                return CsvError::RecordTooLarge { row: before + 1, limit, open_quote }.into();
            }
        };
        let (surgery, partitions, stop) = (Arc::clone(surgery), Arc::clone(partitions), self.stop.clone());
        let work = move || Ok(surgery.operate(&runs, before, &partitions, &stop, Vec::new()).err());
        match self.compute.run("rewriting CSV records", work).await {
            Ok(error) => error.unwrap_or(RewriteError::Internal("rewriting CSV records a second time")),
            Err(error) => error,
        }
    }
}

/// Puts what the surgery knows of each column in place of what decoding it would have told.
fn tell(done: &mut Done, surgery: &TextSurgery, figures: &Figures) {
    let rows = done.rows_out;
    for (facts, column) in done.columns.iter_mut().zip(surgery.columns()) {
        *facts = match column {
            Ok(made) => ColumnFacts { routes: used(Route::Leaf, figures.made_bytes[made]), ..facts.clone() },
            Err(kept) => ColumnFacts {
                name: facts.name.clone(),
                routes: used(Route::Copied, figures.counts.bytes[kept]),
                values: Some(rows),
                nulls: Some(figures.counts.nulls[kept]),
                empties: Some(figures.counts.empties[kept]),
                transformed: Some(0),
                failed: Some(0),
                found: Vec::new(),
                value_bits: None,
                distinct_in: None,
                distinct_out: None,
            },
        };
    }
}

fn used(route: Route, bytes: u64) -> Vec<RouteBytes> {
    vec![RouteBytes { route, bytes: Some(bytes) }]
}

struct Cutting {
    text: TextStream,
    cutter: Option<Cutter>,
    budget: Budget,
    /// Of the budget, for each piece of text.
    piece_bytes: u64,
    ready: VecDeque<Records>,
}

impl Cutting {
    /// `start` is what was read beyond the header.
    fn runs(self, start: Bytes) -> BoxStream<'static, Result<Records, RewriteError>> {
        futures::stream::try_unfold((self, Some(start)), |(mut cutting, mut start)| async move {
            let records = cutting.next(&mut start).await?;
            Ok(records.map(|records| (records, (cutting, start))))
        })
        .boxed()
    }

    async fn next(&mut self, start: &mut Option<Bytes>) -> Result<Option<Records>, RewriteError> {
        if self.ready.is_empty() && self.cutter.is_some() {
            let mut reservation = Some(self.budget.reserve(self.piece_bytes).await);
            let mut is_alone = false;
            while let Some(cutter) = self.cutter.as_ref().filter(|_| self.ready.is_empty()) {
                // a record that outgrows its piece: it takes the whole budget, for which it must hold nothing
                if cutter.held_bytes() > TEXT_BYTES && !is_alone {
                    drop(reservation.take());
                    reservation = Some(self.budget.reserve(self.budget.total()).await);
                    is_alone = true;
                }
                let text = match start.take() {
                    Some(text) => Some(text),
                    None => self.text.next().await?,
                };
                self.cut(text).await?;
            }
            if let Some(last) = self.ready.back_mut() {
                last.reservation = reservation;
            }
        }
        Ok(self.ready.pop_front())
    }

    async fn cut(&mut self, text: Option<Bytes>) -> Result<(), RewriteError> {
        let Some(mut cutter) = self.cutter.take() else { return Ok(()) };
        let Some(text) = text else {
            self.ready.extend(cutter.finish().map(|run| Records { runs: Ok(vec![run]), reservation: None }));
            return Ok(());
        };
        let work = move || {
            let mut runs = Vec::new();
            let cut = cutter.push(&text, |run| runs.push(run));
            let runs = (!runs.is_empty()).then_some(Ok(runs));
            Ok(match cut {
                Ok(()) => (Some(cutter), [runs, None]),
                Err(too_large) => (None, [runs, Some(Err(too_large))]),
            })
        };
        let (cutter, runs) = self.text.compute().run("cutting CSV", work).await?;
        self.cutter = cutter;
        self.ready.extend(runs.into_iter().flatten().map(|runs| Records { runs, reservation: None }));
        Ok(())
    }
}
