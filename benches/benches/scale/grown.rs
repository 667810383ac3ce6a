//! A contact book of many contacts, and a service's record with many keys that may still open.

use std::hint::black_box;

use sharekey::contacts::ContactBook;
use sharekey::crypto::{Ring, Sign as _};
use sharekey::id::AccountId;
use sharekey::secret::Seed;

use sharekey_benches::INPUTS;
use sharekey_benches::inputs::{SLOTS, dates, leak};
use sharekey_benches::race::{Race, Times};
use sharekey_benches::table::{Table, time};
use sharekey_stage::house::{House, stored};
use sharekey_stage::rng;

pub const CONTACTS: [usize; 3] = [10, 1_000, 100_000];

/// Keys that were released and may open: up to one less than a record holds, for the next share.
pub const LIVE: [usize; 4] = [0, 5, 10, 15];

fn id(number: usize) -> AccountId {
    format!("guest{number}@example").parse().unwrap()
}

pub fn contact_books(race: &mut Race<'static>) {
    let key = Ring.public_key(&Ring.signing_key(&Seed::random(&mut rng(1))).unwrap());
    for size in CONTACTS {
        let mut book = ContactBook::new();
        for number in 0..size {
            book.add(id(number), "A guest".parse().unwrap(), key).unwrap();
        }
        let asked = leak((0..INPUTS).map(|number| id(number * 7_919 % size)).collect::<Vec<_>>());
        let who = size.to_string();
        let mut changing = book.clone();
        race.rotated("contact, looked up", &who, INPUTS, asked, move |id| book.get(id).unwrap().trust());
        race.rotated("contact, added and deleted", &who, INPUTS, asked, move |_| {
            changing.add(id(size), "One more".parse().unwrap(), key).unwrap();
            black_box(changing.delete(&id(size)).unwrap());
        });
    }
}

type Cloud = House<Ring, SLOTS>;

/// A house whose slot has as many live keys, each downloaded by the service's word and reset.
pub fn with_live(keys: usize) -> Cloud {
    let mut house = Cloud::new(50);
    for _ in 0..keys {
        let claimed = house.share(dates());
        let (_, attempt) = house.arrive(&claimed);
        house.release(&attempt);
        house.withdraw();
    }
    house
}

pub fn records(race: &mut Race<'static>) {
    for live in LIVE {
        let who = live.to_string();
        let mut house = with_live(live);
        let grants: Vec<_> = vec![house.grant(dates()).to_vec()];
        race.rotated("publish, by live keys", &who, 4, leak(grants), move |grant| {
            let _ = black_box(house.service.publish(&mut house.record, grant).unwrap());
        });
        let mut house = with_live(live);
        let claimed = house.share(dates());
        let installs: Vec<_> = (0..INPUTS).map(|_| house.arrive(&claimed).1).collect();
        race.rotated("release, by live keys", &who, 4, leak(installs), move |attempt| {
            let _ = black_box(house.service.release(&mut house.record, attempt.claim(), attempt.install()).unwrap());
        });
        let mut house = with_live(live);
        house.share(dates());
        let Ok(withdraw) = house.owner.withdraw(&mut house.view, house.slot).unwrap().commit(stored);
        race.rotated("withdraw, by live keys", &who, 4, leak(vec![withdraw.to_vec()]), move |withdraw| {
            let _ = black_box(house.service.withdraw(&mut house.record, withdraw).unwrap());
        });
    }
}

pub fn tables(times: &Times) {
    let columns = ["live keys", "record, as postcard", "publish", "release", "withdraw"];
    let mut table = Table::new("The service, by the keys of a slot that may still open (ring)", &columns);
    for live in LIVE {
        let bytes = with_live(live).record.of_slot().to_bytes().len();
        let of = |what: &str| time(times.of(&live.to_string(), &format!("{what}, by live keys")));
        let row = [live.to_string(), format!("{bytes} B"), of("publish"), of("release"), of("withdraw")];
        table.row(&row);
    }
    table.finish("live");
}
