//! What is compared runs in turns, a short batch each, so that a busy machine slows all of it alike.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rand_core::Rng as _;

type Batch<'a> = Box<dyn FnMut() -> Duration + 'a>;

struct Lane<'a> {
    name: String,
    size: usize,
    batch: Batch<'a>,
    times: Vec<f64>,
}

/// Things to compare.
#[derive(Default)]
pub struct Race<'a>(Vec<Lane<'a>>);

/// What a race found: nanoseconds for each one of a batch.
#[derive(Clone, Debug)]
pub struct Time {
    pub name: String,
    pub median: f64,
    pub quartiles: (f64, f64),
}

#[derive(Clone, Default, Debug)]
pub struct Times(pub Vec<Time>);

impl<'a> Race<'a> {
    /// Adds a lane that times a batch of `size` itself, so that it can prepare the batch untimed.
    pub fn prepared(&mut self, name: impl Into<String>, size: usize, batch: impl FnMut() -> Duration + 'a) {
        self.0.push(Lane { name: name.into(), size, batch: Box::new(batch), times: Vec::new() });
    }

    /// Adds a lane that runs over the inputs in turn, `size` of them a batch.
    pub fn rotated<T, R>(
        &mut self,
        name: impl Into<String>,
        size: usize,
        inputs: &'a [T],
        mut run: impl FnMut(&T) -> R + 'a,
    ) {
        let mut next = inputs.iter().cycle();
        self.prepared(name, size, move || {
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
        let mut rng = super::rng(0);
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

impl Lane<'_> {
    fn finish(mut self) -> Time {
        self.times.sort_by(f64::total_cmp);
        let at = |part: usize| self.times[(self.times.len() - 1) * part / 4];
        Time { median: at(2), quartiles: (at(1), at(3)), name: self.name }
    }
}

impl Times {
    /// The median of a lane.
    pub fn of(&self, name: &str) -> f64 {
        self.0.iter().find(|time| time.name == name).unwrap_or_else(|| panic!("no lane {name}")).median
    }
}
