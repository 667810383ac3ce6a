//! What is compared runs in turns, a short batch each, so that a busy machine slows all of it alike.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rand_core::Rng as _;

type Batch<'a> = Box<dyn FnMut() -> Duration + 'a>;

/// One thing that is timed.
pub struct Lane<'a> {
    /// What is done.
    pub what: String,
    /// By whom, or how many there are.
    pub who: String,
    size: usize,
    batch: Batch<'a>,
    times: Vec<f64>,
}

/// Things to compare.
#[derive(Default)]
pub struct Race<'a>(pub Vec<Lane<'a>>);

/// What a race found: nanoseconds for each one of a batch.
#[derive(Clone, Debug)]
pub struct Time {
    pub what: String,
    pub who: String,
    pub median: f64,
    pub quartiles: (f64, f64),
}

#[derive(Clone, Default, Debug)]
pub struct Times(pub Vec<Time>);

impl<'a> Race<'a> {
    /// Adds a lane that times a batch of `size` itself, so that it can prepare the batch untimed.
    pub fn prepared(&mut self, what: &str, who: &str, size: usize, batch: impl FnMut() -> Duration + 'a) {
        let (what, who) = (what.to_owned(), who.to_owned());
        self.0.push(Lane { what, who, size, batch: Box::new(batch), times: Vec::new() });
    }

    /// Adds a lane that runs over the inputs in turn, `size` of them a batch.
    pub fn rotated<T, R>(
        &mut self,
        what: &str,
        who: &str,
        size: usize,
        inputs: &'a [T],
        mut run: impl FnMut(&T) -> R + 'a,
    ) {
        let mut next = inputs.iter().cycle();
        self.prepared(what, who, size, move || {
            // What ran before may have pushed this lane's code and tables out of the cache.
            next.by_ref().take(1).for_each(|input| drop(black_box(run(black_box(input)))));
            let start = Instant::now();
            for input in next.by_ref().take(size) {
                black_box(run(black_box(input)));
            }
            start.elapsed()
        });
    }

    /// Runs every lane once a round, in an order drawn anew each round.
    #[allow(clippy::cast_precision_loss, reason = "far from 2^52")]
    pub fn run(mut self, rounds: usize) -> Times {
        let mut rng = sharekey_stage::rng(0);
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        for round in 0..=rounds {
            for at in (1..order.len()).rev() {
                order.swap(at, usize::try_from(rng.next_u32()).unwrap() % (at + 1));
            }
            for lane in &order {
                let lane = &mut self.0[*lane];
                let time = (lane.batch)().as_nanos() as f64 / lane.size as f64;
                // The first round warms up.
                if round > 0 {
                    lane.times.push(time);
                }
            }
        }
        Times(self.0.into_iter().map(Lane::finish).collect())
    }
}

#[allow(clippy::cast_precision_loss, reason = "far from 2^52")]
impl Lane<'_> {
    /// The time of about so many, for a harness that asks so.
    pub fn take(&mut self, count: u64) -> Duration {
        let size = u64::try_from(self.size).unwrap();
        let batches = count.div_ceil(size);
        let time: Duration = (0..batches).map(|_| (self.batch)()).sum();
        time.mul_f64(count as f64 / (batches * size) as f64)
    }

    fn finish(mut self) -> Time {
        self.times.sort_by(f64::total_cmp);
        let at = |part: usize| self.times[(self.times.len() - 1) * part / 4];
        Time { median: at(2), quartiles: (at(1), at(3)), what: self.what, who: self.who }
    }
}

impl Times {
    /// The median of a lane.
    pub fn of(&self, who: &str, what: &str) -> f64 {
        let found = self.0.iter().find(|time| time.what == what && time.who == who);
        found.unwrap_or_else(|| panic!("no lane {who}, {what}")).median
    }
}
