//! A request, decided and stored: the library's front door over a store.

use std::sync::Arc;

use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::{ServiceError, StoredRecordError};
use sharekey::id::LockId;
use sharekey::limits::Timestamp;
use sharekey::service::{Changed, Key, LockRecord, Place, Put, Request, Service, ShareRecord, Write, place_of};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::store::{Change, Loaded, Row, Store, StoreError, Token};

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
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// A message for the record that it names.
    Message(Vec<u8>),
    /// A request for a report.
    Report(Vec<u8>),
    /// A guest's claim and install, for the place whose grant it has.
    Release(Place, Vec<u8>, Vec<u8>),
}

impl Asked {
    /// The same as the library takes it.
    #[must_use]
    pub fn request(&self, now: Timestamp) -> Request<'_> {
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
        let request = asked.request(crate::now());
        let key = request.key()?;
        let loaded = self.store.load(key).await?;
        let copy = if key.1.is_some() { &loaded.slot } else { &loaded.lock };
        let decided_on = copy.as_ref().map(|copy| copy.token);
        let decided = self.service.serve(request, read(loaded))?;
        match decided.write() {
            // What is signed and not stored is given out once what it was signed from is durable.
            None => self.store.fence().await?,
            Some(write) => {
                self.store.commit(&change(write, decided_on)?).await?;
                self.told.send_modify(|told| *told = told.wrapping_add(1));
            }
        }
        Ok(decided.commit(|_| Ok::<_, Refused>(()))?.answer()?)
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
        let mut messages = Vec::new();
        // The index is a hint: what is shared, the record says.
        for key in &found {
            let record = self.record(*key).await?.filter(|record| record.subject() == Some(*subject));
            messages.extend(record.as_ref().and_then(ShareRecord::grant).map(<[u8]>::to_vec));
        }
        self.page(messages, &found, limit).await
    }

    /// The statements of ownership of a key's locks, after one, at most so many; and where the next begin.
    ///
    /// # Errors
    /// [`Refused::Store`].
    pub async fn locks(&self, owner: &PublicKey, after: Option<Key>, limit: u32) -> Result<Page, Refused> {
        let found = self.store.list(owner, after, limit).await?;
        let mut messages = Vec::new();
        for key in &found {
            let record = self.lock(key.0).await?.filter(|record| record.owner() == owner);
            messages.extend(record.map(|record| record.statement().to_vec()));
        }
        self.page(messages, &found, limit).await
    }

    async fn page(&self, messages: Vec<Vec<u8>>, found: &[Key], limit: u32) -> Result<Page, Refused> {
        // Nobody is shown what may yet be undone.
        self.store.fence().await?;
        let full = u32::try_from(found.len()).is_ok_and(|found| found >= limit);
        Ok(Page { messages, next: found.last().copied().filter(|_| full) })
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
        Ok(Some(ShareRecord::load((key.0, slot), read(loaded))?))
    }

    async fn lock(&self, lock: LockId) -> Result<Option<LockRecord>, Refused> {
        let loaded = self.store.load((lock, None)).await?;
        Ok(loaded.lock.map(|copy| LockRecord::from_bytes(&copy.bytes)).transpose()?)
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
                while self.mark(lock).await? {
                    marked = marked.saturating_add(1);
                }
            }
        }
    }

    /// Marks a lock, and tells its owner's listeners; whether it was not marked before.
    async fn mark(&self, lock: LockId) -> Result<bool, Refused> {
        let Some(copy) = self.store.load((lock, None)).await?.lock else { return Ok(false) };
        let mut record = LockRecord::from_bytes(&copy.bytes)?;
        let staged = self.service.restored(&mut record)?;
        if !staged.writes() {
            return Ok(false);
        }
        let (row, told) = (Row::of_lock(staged.next()), told(staged.changed())?);
        match self.store.commit(&Change { before: Some(copy.token), row, told }).await {
            // Another process came first: it is looked at again.
            Err(StoreError::Conflict) => Ok(true),
            stored => stored.map(|()| true).map_err(Refused::from),
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

/// What was loaded, as the library asks for it.
fn read(loaded: Loaded) -> impl Fn(Key) -> Result<Option<Vec<u8>>, ServiceError> {
    move |key| {
        let copy = if key.1.is_some() { &loaded.slot } else { &loaded.lock };
        Ok(copy.as_ref().map(|copy| copy.bytes.clone()))
    }
}

/// What the store is to do of what the library says.
fn change(write: &Write, decided_on: Option<Token>) -> Result<Change, Refused> {
    let (before, bytes) = match write.put() {
        Put::New(next) => (None, next),
        Put::InPlaceOf { next, .. } => (decided_on, next),
    };
    let row = match write.key() {
        (_, None) => Row::of_lock(&LockRecord::from_bytes(bytes)?),
        key => {
            let (version, subject, state) = (write.version(), write.subject(), write.state());
            Row { key, version, bytes: bytes.to_vec(), owner: None, subject, state }
        }
    };
    Ok(Change { before, row, told: told(write.changed())? })
}

/// What listeners are told.
fn told(changed: Changed) -> Result<Option<String>, StoreError> {
    let event = (changed != Changed::Nothing).then(|| serde_json::to_string(&changed));
    event.transpose().map_err(|_| StoreError::Corrupt("an event has a form in JSON"))
}
