//! One run per sink: a lease made by creating an object that must not exist yet.
//!
//! Multipart completion cannot be conditional, so two runs into one sink would mix their outputs unseen. A store
//! that ignores `If-None-Match` would let both in; it is found out when the lease is made (a second creation must
//! fail) and refused rather than warned about: what would go wrong later is silent. Such a store can still be a sink
//! when the lease and the records lie elsewhere (`sink.records`).
//!
//! The clocks of machines that share a sink must agree within a minute.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::storage::{CONTROL_FOLDER, Storage, StorageError, StorageErrorKind};
use super::time::timestamp;

/// How long a lease is good for without renewal.
const LIFETIME: Duration = Duration::from_secs(180);

/// How often it is renewed: two renewals may fail before it runs out.
const RENEWAL: Duration = Duration::from_secs(45);

/// The lease object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Document {
    version: u32,
    run_id: String,
    /// The dataset and program, never a host or user name.
    holder: String,
    since: String,
    expires: String,
}

impl Document {
    fn new(run_id: &str, holder: &str, since: &str, now: SystemTime) -> Self {
        Self {
            version: 1,
            run_id: run_id.to_owned(),
            holder: holder.to_owned(),
            since: since.to_owned(),
            expires: timestamp(now + LIFETIME),
        }
    }

    fn bytes(&self) -> Result<bytes::Bytes, StorageError> {
        let bytes = serde_json::to_vec(self).map_err(|_| unreadable("the lease".into()))?;
        Ok(bytes.into())
    }

    /// A time that cannot be read has not run out: the lease is then broken by hand or not at all.
    fn is_expired(&self, now: SystemTime) -> bool {
        DateTime::parse_from_rfc3339(&self.expires).is_ok_and(|expires| expires < DateTime::<Utc>::from(now))
    }
}

/// A sink that is ours until released. Renewed in the background; dropped without release, it runs out by itself.
#[derive(Debug)]
pub struct Lease {
    storage: Storage,
    run_id: String,
    lost: watch::Receiver<bool>,
    renewal: JoinHandle<()>,
}

impl Lease {
    /// Takes the lease of the sink whose `_lakeveil/` folder lies in `storage`. One that has run out is taken over.
    ///
    /// # Errors
    /// [`StorageErrorKind::Exists`] while another run holds it, [`StorageErrorKind::Invalid`] where the store
    /// ignores conditional creation.
    pub async fn acquire(storage: &Storage, run_id: &str, holder: &str) -> Result<Self, StorageError> {
        let now = SystemTime::now();
        let document = Document::new(run_id, holder, &timestamp(now), now);
        match storage.put_new(&path(), document.bytes()?).await {
            Ok(_) => refuse_a_store_that_lies(storage, &document).await?,
            Err(error) if error.kind() == StorageErrorKind::Exists => take_over(storage, &document, now).await?,
            Err(error) => return Err(error),
        }
        let (tell, lost) = watch::channel(false);
        let renewal = tokio::spawn(renew(storage.clone(), document, tell, RENEWAL));
        Ok(Self { storage: storage.clone(), run_id: run_id.to_owned(), lost, renewal })
    }

    /// Becomes true, and stays so, when another run has taken the lease: then nothing more may be written.
    pub fn lost(&self) -> watch::Receiver<bool> {
        self.lost.clone()
    }

    /// Gives the lease back, unless another run has it.
    ///
    /// # Errors
    /// Where it cannot be deleted; it runs out by itself then.
    pub async fn release(self) -> Result<(), StorageError> {
        self.renewal.abort();
        match read(&self.storage).await? {
            Some(document) if document.run_id == self.run_id => self.storage.delete(&path()).await,
            _ => Ok(()),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Removes a lease, whoever holds it (`--break-lease`). Returns whether there was one.
///
/// # Errors
/// Where the lease cannot be listed or deleted.
pub async fn break_lease(storage: &Storage) -> Result<bool, StorageError> {
    let entries = storage.list(CONTROL_FOLDER).await?;
    let leases: Vec<_> = entries.iter().filter(|entry| is_lease(&entry.path)).collect();
    for lease in &leases {
        storage.delete(&lease.path).await?;
    }
    Ok(!leases.is_empty())
}

fn path() -> String {
    format!("{CONTROL_FOLDER}/lease.json")
}

/// Only one run can create this for the run that let its lease run out.
fn takeover_path(stale: &Document) -> String {
    let run: String = stale.run_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    format!("{CONTROL_FOLDER}/lease-takeover-{run}.json")
}

fn is_lease(path: &str) -> bool {
    path.strip_prefix(CONTROL_FOLDER).is_some_and(|name| name == "/lease.json" || name.starts_with("/lease-takeover-"))
}

async fn read(storage: &Storage) -> Result<Option<Document>, StorageError> {
    match storage.get(&path()).await {
        Ok(bytes) => {
            let document = serde_json::from_slice(&bytes).map_err(|_| unreadable(storage.place(&path())))?;
            Ok(Some(document))
        }
        Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn refuse_a_store_that_lies(storage: &Storage, document: &Document) -> Result<(), StorageError> {
    match storage.put_new(&path(), document.bytes()?).await {
        Err(error) if error.kind() == StorageErrorKind::Exists => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            storage.delete(&path()).await?;
            Err(StorageError::new(
                StorageErrorKind::Invalid,
                storage.place(CONTROL_FOLDER),
                "this store ignores `If-None-Match: *`, so two runs could write there at once without noticing",
                "set `sink.records` to a folder or store that honours it; the lease goes there too",
            ))
        }
    }
}

/// The lease exists: ours already (an answer was lost and the request repeated), held, or run out.
async fn take_over(storage: &Storage, ours: &Document, now: SystemTime) -> Result<(), StorageError> {
    let Some(stale) = read(storage).await? else { return Err(held(storage, None)) };
    if stale.run_id == ours.run_id {
        return Ok(());
    }
    if !stale.is_expired(now) {
        return Err(held(storage, Some(&stale)));
    }
    let takeover = takeover_path(&stale);
    if let Err(error) = storage.put_new(&takeover, ours.bytes()?).await {
        return Err(if error.kind() == StorageErrorKind::Exists { held(storage, Some(&stale)) } else { error });
    }
    // Whoever was faster has replaced the lease before removing its takeover: so look again while holding ours.
    let unchanged = read(storage).await?.is_some_and(|current| current == stale);
    if unchanged {
        storage.put(&path(), ours.bytes()?).await?;
    }
    storage.delete(&takeover).await?;
    if unchanged { Ok(()) } else { Err(held(storage, None)) }
}

async fn renew(storage: Storage, mut document: Document, tell: watch::Sender<bool>, every: Duration) {
    let mut good_until = SystemTime::now() + LIFETIME;
    loop {
        tokio::time::sleep(every).await;
        let now = SystemTime::now();
        let still_ours = match read(&storage).await {
            Ok(current) => current.is_some_and(|current| current.run_id == document.run_id),
            // Not known; nobody may take it before it runs out.
            Err(_) if now < good_until => continue,
            Err(_) => false,
        };
        if !still_ours {
            // No receiver means no run.
            let _ = tell.send(true);
            return;
        }
        document = Document::new(&document.run_id, &document.holder, &document.since, now);
        let written = match document.bytes() {
            Ok(bytes) => storage.put(&path(), bytes).await.is_ok(),
            Err(_) => false,
        };
        if written {
            good_until = now + LIFETIME;
        } else if now >= good_until {
            let _ = tell.send(true);
            return;
        }
    }
}

fn held(storage: &Storage, holder: Option<&Document>) -> StorageError {
    let what = match holder {
        Some(document) => format!(
            "run {} ({}) has held this sink since {}, at least until {}",
            document.run_id, document.holder, document.since, document.expires
        ),
        None => "another run is taking this sink at this moment".to_owned(),
    };
    StorageError::new(
        StorageErrorKind::Exists,
        storage.place(&path()),
        what,
        "wait for it, or if it is surely dead, run again with --break-lease",
    )
}

fn unreadable(place: String) -> StorageError {
    StorageError::new(
        StorageErrorKind::Invalid,
        place,
        "is not a lease that this version can read",
        "if no other run is at work there, run again with --break-lease",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn with_expired_lease() -> Storage {
        let storage = Storage::memory();
        let long_ago = SystemTime::now() - 2 * LIFETIME;
        let stale = Document::new("old", "customers", &timestamp(long_ago), long_ago);
        storage.put(&path(), stale.bytes().expect("serializes")).await.expect("writes");
        storage
    }

    #[tokio::test]
    async fn a_second_run_is_told_who_since_when_and_what_to_do() {
        let storage = Storage::memory();
        let lease = Lease::acquire(&storage, "run-1", "customers").await.expect("is free");
        let error = Lease::acquire(&storage, "run-2", "customers").await.expect_err("is held");
        assert_eq!(error.kind(), StorageErrorKind::Exists);
        let text = error.to_string();
        assert!(text.contains("run-1") && text.contains("since 2") && text.contains("--break-lease"), "{text}");

        lease.release().await.expect("releases");
        assert!(storage.list("").await.expect("lists").is_empty());
        Lease::acquire(&storage, "run-2", "customers").await.expect("is free again");
    }

    #[tokio::test]
    async fn a_lease_that_ran_out_is_taken_over_by_one() {
        let storage = with_expired_lease().await;
        let names: Vec<_> = (0..16).map(|run| format!("run-{run}")).collect();
        let attempts = names.iter().map(|name| Lease::acquire(&storage, name, "customers"));
        let taken: Vec<_> = futures::future::join_all(attempts).await.into_iter().filter_map(Result::ok).collect();
        assert_eq!(taken.len(), 1);
        let holder = read(&storage).await.expect("reads").expect("is there");
        assert_eq!(holder.run_id, taken[0].run_id);
        assert_eq!(storage.list("").await.expect("lists").len(), 1, "no takeover stays behind");
    }

    #[tokio::test]
    async fn a_takeover_that_died_half_way_needs_the_flag() {
        let storage = with_expired_lease().await;
        let stale = read(&storage).await.expect("reads").expect("is there");
        storage.put(&takeover_path(&stale), "".into()).await.expect("writes");
        Lease::acquire(&storage, "run", "customers").await.expect_err("somebody was taking it");
        assert!(break_lease(&storage).await.expect("breaks"));
        assert!(storage.list("").await.expect("lists").is_empty());
        assert!(!break_lease(&storage).await.expect("nothing is left to break"));
        Lease::acquire(&storage, "run", "customers").await.expect("is free");
    }

    #[tokio::test]
    async fn release_leaves_the_lease_of_another_run() {
        let storage = Storage::memory();
        let lease = Lease::acquire(&storage, "run-1", "customers").await.expect("is free");
        break_lease(&storage).await.expect("breaks");
        let other = Lease::acquire(&storage, "run-2", "customers").await.expect("is free");
        lease.release().await.expect("has nothing to release");
        assert_eq!(read(&storage).await.expect("reads").expect("is there").run_id, "run-2");
        drop(other);
    }

    #[tokio::test]
    async fn a_run_renews_its_lease_and_learns_when_it_is_lost() {
        let storage = with_expired_lease().await;
        let document = read(&storage).await.expect("reads").expect("is there");
        let (tell, mut lost) = watch::channel(false);
        tokio::spawn(renew(storage.clone(), document.clone(), tell, Duration::from_millis(1)));
        while read(&storage).await.expect("reads").expect("is there").is_expired(SystemTime::now()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(!*lost.borrow());
        let other = Document { run_id: "other".to_owned(), ..document };
        storage.put(&path(), other.bytes().expect("serializes")).await.expect("writes");
        // A renewal under way may still write once; then it is the other's turn again.
        while tokio::time::timeout(Duration::from_millis(20), lost.changed()).await.is_err() {
            storage.put(&path(), other.bytes().expect("serializes")).await.expect("writes");
        }
        assert!(*lost.borrow());
    }

    #[tokio::test]
    async fn an_unreadable_lease_is_not_overwritten() {
        let storage = Storage::memory();
        storage.put(&path(), "{}".into()).await.expect("writes");
        let error = Lease::acquire(&storage, "run", "customers").await.expect_err("is held by something");
        assert!(error.to_string().contains("--break-lease"), "{error}");
        assert_eq!(storage.get(&path()).await.expect("reads"), "{}");
    }
}
