//! A request, decided and stored: the library's front door over a store.

use std::sync::Arc;

use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::{ServiceError, StoredRecordError};
use sharekey::limits::Timestamp;
use sharekey::service::{Changed, Key, Place, Put, Request, Service, ShareRecord, Write};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::store::{Change, Copied, Row, Store, StoreError};

/// How often a request is decided on again because another came first.
const ATTEMPTS: usize = 32;

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The service role refuses it.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The store did not do as it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is no record.
    #[error("what is stored is no record: {0}")]
    Record(#[from] StoredRecordError),
    /// Others came first each time.
    #[error("too many requests for this record come at once")]
    Crowded,
    /// It ended with its process.
    #[error("the service is shutting down")]
    Stopping,
}

/// What is asked, with bytes of its own: a request outlives the connection on which it came.
#[derive(Clone, Debug)]
pub enum Asked {
    /// A message for the record that it names.
    Message(Vec<u8>),
    /// A request for a report.
    Report(Vec<u8>),
    /// A guest's claim and install, for the place whose grant it has.
    Release(Place, Vec<u8>, Vec<u8>),
}

impl Asked {
    fn request(&self, now: Timestamp) -> Request<'_> {
        match self {
            Self::Message(message) => message.into(),
            Self::Report(request) => (request, now).into(),
            Self::Release(place, claim, install) => (*place, claim, install).into(),
        }
    }
}

/// A page of messages.
#[derive(Clone, Debug)]
pub struct Page {
    /// The messages.
    pub messages: Vec<Vec<u8>>,
    /// After which place the next page goes on, where there may be one.
    pub next: Option<Key>,
}

/// The service role, its store, and what runs.
#[derive(Debug)]
pub struct Desk<S: ?Sized + Store = dyn Store> {
    service: Service<Ring>,
    tasks: TaskTracker,
    told: watch::Sender<u64>,
    store: Arc<S>,
}

impl<S: ?Sized + Store> Desk<S> {
    /// A desk over a store.
    #[must_use]
    pub fn new(service: Service<Ring>, store: Arc<S>) -> Self {
        Self { service, tasks: TaskTracker::new(), told: watch::Sender::new(0), store }
    }

    /// The service's key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        self.service.key()
    }

    /// Its store.
    #[must_use]
    pub const fn store(&self) -> &Arc<S> {
        &self.store
    }

    /// Changes with each event that this process stores; other processes' are found by looking.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }

    /// Serves a request to its end, also where nobody waits for it any more: a commit is never cancelled.
    ///
    /// # Errors
    /// [`Refused`]; with [`StoreError::Unknown`] it may have been stored, and is sent again.
    pub async fn serve(self: &Arc<Self>, asked: Asked) -> Result<Vec<u8>, Refused> {
        if self.is_stopping() {
            return Err(Refused::Stopping);
        }
        let desk = Arc::clone(self);
        let served = self.tasks.spawn(async move { desk.decide(&asked).await });
        served.await.map_err(|_| Refused::Stopping)?
    }

    async fn decide(&self, asked: &Asked) -> Result<Vec<u8>, Refused> {
        for _ in 0..ATTEMPTS {
            match self.attempt(asked).await {
                Err(Refused::Store(StoreError::Conflict)) => metrics::counter!("sharekey_conflicts_total").increment(1),
                served => return served,
            }
        }
        Err(Refused::Crowded)
    }

    async fn attempt(&self, asked: &Asked) -> Result<Vec<u8>, Refused> {
        // The slot's record and the lock's are read together, when the first of them is asked for.
        let (mut lock, mut decided_on) = (None, None);
        let decided = self.service.serve_async(asked.request(crate::now()), async |key: Key| {
            let copy = match (key.1, lock.take()) {
                (None, Some(read)) => return Ok::<_, Refused>(bytes(read)),
                (None, None) => self.store.load(key).await?.lock,
                (Some(_), _) => {
                    let loaded = self.store.load(key).await?;
                    lock = Some(loaded.lock);
                    loaded.slot
                }
            };
            decided_on = copy.as_ref().map(|copy| copy.token);
            Ok(bytes(copy))
        });
        let decided = decided.await?;
        let taken = match decided.write() {
            // What is signed and not stored is given out once what it was signed from is durable.
            None => self.store.fence().await.map(|()| decided.commit(|_| Ok::<_, StoreError>(())))??,
            Some(write) => {
                let change = change(write, decided_on)?;
                self.store.commit(&change).await?;
                self.told.send_modify(|told| *told = told.wrapping_add(1));
                decided.commit(|_| Ok::<_, StoreError>(()))?
            }
        };
        Ok(taken.answer()?)
    }

    /// Whose key signed a request to find what is shared, or owned.
    ///
    /// # Errors
    /// [`Refused::Service`].
    pub fn asker(&self, request: &[u8]) -> Result<PublicKey, Refused> {
        Ok(self.service.find(request, crate::now())?)
    }

    /// The grants that are shared with a key, after a place, at most so many; and where the next begin.
    ///
    /// # Errors
    /// [`Refused::Store`].
    pub async fn grants(&self, subject: &PublicKey, after: Option<Key>, limit: u32) -> Result<Page, Refused> {
        let found = self.store.find(subject, after, limit).await?;
        self.page(found, limit, async |key: Key| {
            let record = self.record(key).await?.filter(|record| record.subject() == Some(*subject));
            Ok(record.and_then(|record| record.grant().map(<[u8]>::to_vec)))
        })
        .await
    }

    /// The statements of ownership of a key's locks, after one, at most so many; and where the next begin.
    ///
    /// # Errors
    /// [`Refused::Store`].
    pub async fn locks(&self, owner: &PublicKey, after: Option<Key>, limit: u32) -> Result<Page, Refused> {
        let found = self.store.list(owner, after, limit).await?;
        self.page(found, limit, async |key: Key| {
            let record = self.lock(key.0).await?.filter(|record| record.owner() == owner);
            Ok(record.map(|record| record.statement().to_vec()))
        })
        .await
    }

    /// The index is a hint: what is there, the record says.
    async fn page(
        &self,
        found: Vec<Key>,
        limit: u32,
        read: impl AsyncFn(Key) -> Result<Option<Vec<u8>>, Refused>,
    ) -> Result<Page, Refused> {
        let next = found.last().copied().filter(|_| u32::try_from(found.len()).is_ok_and(|found| found >= limit));
        let mut messages = Vec::new();
        for key in found {
            messages.extend(read(key).await?);
        }
        // A reader must not be shown what may yet be undone.
        self.store.fence().await?;
        Ok(Page { messages, next })
    }

    /// Whether a request for a report is signed by who manages the lock now.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn manages(self: &Arc<Self>, lock: LockId, request: &[u8]) -> Result<(), Refused> {
        if place_of(request)?.0 != lock {
            return Err(ServiceError::WrongLock.into());
        }
        self.serve(Asked::Report(request.to_vec())).await.map(drop)
    }

    async fn record(&self, key: Key) -> Result<Option<ShareRecord>, Refused> {
        let (Some(slot), loaded) = (key.1, self.store.load(key).await?) else { return Ok(None) };
        let (lock, record) = (bytes(loaded.lock), bytes(loaded.slot));
        Ok(Some(ShareRecord::load((key.0, slot), lock.as_deref(), record.as_deref())?))
    }

    async fn lock(&self, lock: LockId) -> Result<Option<LockRecord>, Refused> {
        let loaded = self.store.load((lock, None)).await?;
        Ok(bytes(loaded.lock).map(|bytes| LockRecord::from_bytes(&bytes)).transpose()?)
    }

    /// Marks every lock after the store was restored from an older copy; gives how many.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn mark_restored(&self) -> Result<u64, Refused> {
        let (mut after, mut marked) = (None, 0_u64);
        loop {
            let locks = self.store.locks(after, 1_000).await?;
            let Some(last) = locks.last() else { return Ok(marked) };
            after = Some(*last);
            for lock in locks {
                let loaded = self.store.load((lock, None)).await?;
                let Some(copy) = loaded.lock else { continue };
                let mut record = LockRecord::from_bytes(&copy.bytes)?;
                let staged = self.service.restored(&mut record)?;
                if staged.writes() {
                    let put = Row::of_lock(staged.next());
                    self.store.commit(&Change { put: vec![(Some(copy.token), put)], ..Change::default() }).await?;
                    marked = marked.saturating_add(1);
                }
            }
        }
    }

    /// Takes no more requests.
    pub fn stop(&self) {
        self.tasks.close();
        self.told.send_modify(|told| *told = told.wrapping_add(1));
    }

    /// Whether it takes no more requests.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.tasks.is_closed()
    }

    /// Takes no more requests, and returns once those that came are served.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.store.close().await;
    }
}

fn bytes(copy: Option<Copied>) -> Option<Vec<u8>> {
    copy.map(|copy| copy.bytes)
}

/// What the store is to do of what the library says.
fn change(write: &Write, decided_on: Option<Token>) -> Result<Change, Refused> {
    let (key, (before, bytes)) = (write.key(), match write.put() {
        Put::New(next) => (None, next),
        Put::InPlaceOf { next, .. } => (decided_on, next),
    });
    let row = match key.1 {
        None => {
            let record = LockRecord::from_bytes(bytes)?;
            let owner = Some(*record.owner());
            Row { key, version: record.version(), bytes: bytes.to_vec(), owner, subject: None, state: None }
        }
        Some(_) => {
            let (subject, state) = (write.subject(), Some(write.state()));
            Row { key, version: write.version(), bytes: bytes.to_vec(), owner: None, subject, state }
        }
    };
    let told = match write.changed() {
        Changed::Nothing => Vec::new(),
        changed => vec![(key, row.version, serde_json::to_string(&changed).map_err(|_| StoreError::Corrupt("an event"))?)],
    };
    Ok(Change { put: vec![(before, row)], told, ..Change::default() })
}
