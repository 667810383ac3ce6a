//! Values told by a number, and answers that are computed once: what makes a state a few numbers, and a
//! step that was taken before a look-up. Every value and every answer comes from the shipping code.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, RwLock};

const SHARDS: usize = 64;

/// A fast hash for keys that nobody chooses.
#[derive(Default)]
pub struct Fast(u64);

impl Hasher for Fast {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(26) ^ value).wrapping_mul(0xf135_7aea_2e62_a9c5);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Fast>>;

fn shard_of(key: &(impl Hash + ?Sized)) -> usize {
    let hash = BuildHasherDefault::<Fast>::default().hash_one(key);
    usize::try_from((hash >> 20) % SHARDS as u64).unwrap()
}

/// Answers that were computed already.
pub struct Memo<K, V>(Vec<RwLock<Map<K, V>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| RwLock::default()).collect())
    }
}

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    pub fn get(&self, key: &K) -> Option<V> {
        self.0[shard_of(key)].read().unwrap().get(key).cloned()
    }

    pub fn put(&self, key: K, value: V) {
        self.0[shard_of(&key)].write().unwrap().insert(key, value);
    }

    pub fn get_or(&self, key: K, compute: impl FnOnce(&K) -> V) -> V {
        if let Some(value) = self.get(&key) {
            return value;
        }
        let value = compute(&key);
        self.put(key, value.clone());
        value
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.read().unwrap().len()).sum()
    }
}

/// Values told by a number.
pub struct Interner<T> {
    ids: Memo<Arc<T>, u32>,
    values: RwLock<Vec<Arc<T>>>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { ids: Memo::default(), values: RwLock::default() }
    }
}

impl<T: Hash + Eq> Interner<T> {
    pub fn id(&self, value: T) -> u32 {
        let value = Arc::new(value);
        let mut shard = self.ids.0[shard_of(&value)].write().unwrap();
        *shard.entry(Arc::clone(&value)).or_insert_with(|| {
            let mut values = self.values.write().unwrap();
            values.push(value);
            u32::try_from(values.len() - 1).unwrap()
        })
    }

    pub fn get(&self, id: u32) -> Arc<T> {
        Arc::clone(&self.values.read().unwrap()[usize::try_from(id).unwrap()])
    }

    pub fn len(&self) -> usize {
        self.values.read().unwrap().len()
    }
}
