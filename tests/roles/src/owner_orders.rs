//! In whatever order a phone hears of the same messages, it ends with the same answer.

use sharekey::message::{Holding, WithdrawnOutcome};
use sharekey::owner::{Equivocation, OwnedLock};
use sharekey::slot::State;
use sharekey_stage::desk::*;
use sharekey_stage::digest;
use sharekey_stage::slots::RELEASED;

use super::owner_view::{NEVER, learn, live};

/// What the view says of the slot in the end.
#[derive(PartialEq, Debug)]
struct End {
    state: State,
    shared: Option<u32>,
    live: Vec<u32>,
    confirmed: Vec<u32>,
    floor: u32,
    convicted: Vec<u32>,
}

fn end(view: &OwnedLock) -> End {
    let status = view.status(SLOT);
    let number = |key: &sharekey::owner::KeyStatus| key.key.generation.value();
    let convicted = view.equivocations().map(|guilt| match guilt {
        Equivocation::Release { key, .. } => key.generation.value(),
        Equivocation::Report { .. } => panic!("no report was taken in"),
    });
    End {
        state: status.state.unwrap(),
        shared: status.shared.as_ref().map(number),
        live: live(view),
        confirmed: status.may_open.iter().filter(|key| key.downloaded.is_some()).map(number).collect(),
        floor: view.slot(SLOT).unwrap().floor().value(),
        convicted: convicted.collect(),
    }
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let shorter = orders(count - 1);
    (0..count)
        .flat_map(|at| shorter.iter().map(move |order| [&order[..at], &[count - 1], &order[at..]].concat()))
        .collect()
}

/// One history's messages on an open slot, and what every phone says that heard of all of them.
fn histories() -> Vec<(Vec<Vec<u8>>, End)> {
    let released = |n| {
        let install = digest(&install(n, 1));
        withdrawn(n, WithdrawnOutcome::Released { install })
    };
    let closed = |floor, convicted: &[u32]| End {
        state: State::Inactive,
        shared: None,
        live: vec![],
        confirmed: vec![],
        floor,
        convicted: convicted.to_vec(),
    };
    let open = |floor, live: &[u32], confirmed: &[u32], convicted: &[u32]| End {
        state: State::NotShared,
        live: live.to_vec(),
        confirmed: confirmed.to_vec(),
        ..closed(floor, convicted)
    };
    let shared = |n, floor, live: &[u32], confirmed: &[u32]| End {
        state: if confirmed.contains(&n) { State::Shared } else { State::Sharing },
        shared: Some(n),
        ..open(floor, live, confirmed, &[])
    };
    vec![
        (vec![granted(2), withdrawn(2, NEVER)], open(1, &[], &[], &[])),
        (vec![granted(2), receipt(2)], shared(2, 2, &[2], &[2])),
        (vec![granted(2), granted(2), released(2)], open(1, &[2], &[], &[])),
        (vec![granted(2), granted(2), withdrawn(2, WithdrawnOutcome::Settled)], open(1, &[2], &[], &[])),
        (vec![granted(2), granted(2), withdrawn(2, NEVER), receipt(2)], open(2, &[2], &[2], &[2])),
        (vec![granted(2), receipt(2), released(2), withdrawn(2, RELEASED)], open(2, &[2], &[2], &[])),
        (vec![granted(2), released(2), granted(3), receipt(3)], shared(3, 3, &[3], &[3])),
        (vec![granted(2), withdrawn(2, NEVER), granted(3), receipt(3)], shared(3, 3, &[3], &[3])),
        (vec![granted(2), receipt(2), withdrawn(2, NEVER), by_lock(&activated(3))], open(3, &[], &[], &[2])),
        (
            vec![granted(2), receipt(2), released(2), by_lock(&deactivated(3)), by_lock(&found(3, Holding::Inactive))],
            closed(3, &[]),
        ),
        (vec![granted(2), released(2), granted(3), withdrawn(3, NEVER), granted(2)], open(1, &[2], &[], &[])),
    ]
}

//= spec/protocol.md#owner
//# OWN-39. A view MUST keep, for its epoch, each Withdrawn of NeverReleased that it took in, and of each grant one proof that it was released, also where the grant was proved dead or never heard of before.
//= spec/protocol.md#owner
//# OWN-17. A view in which nothing is shared MUST show a grant that it learns as shared, unless the slot is Inactive, the grant was proved dead or its withdrawal was answered.
#[test]
fn the_same_messages_end_in_the_same_answer_in_every_order() {
    for (which, (messages, expected)) in histories().into_iter().enumerate() {
        for order in orders(messages.len()) {
            let mut view = active_view();
            for at in &order {
                let _ = learn(&mut view, &messages[*at]);
            }
            assert_eq!(end(&view), expected, "history {which} in the order {order:?}");
        }
    }
}

//= spec/protocol.md#owner
//# OWN-40. An equivocation MUST be reported with each message about its grant that a view takes in while it keeps both messages.
//= spec/protocol.md#owner
//# OWN-11. A Withdrawn of NeverReleased and a Receipt for the same grant MUST be reported as equivocation of the service, with both messages as evidence.
#[test]
fn a_denial_of_a_grant_that_was_proved_dead_convicts_as_well_and_each_time() {
    let both = [withdrawn(2, NEVER), receipt(2)];
    for [first, second] in [[0, 1], [1, 0]] {
        let mut view = sharing_view();
        let _ = learn(&mut view, &by_lock(&activated(3)));
        assert_eq!(learn(&mut view, &both[first]).equivocation, None);
        for message in [&both[second], &both[first], &both[second], &granted(2)] {
            assert!(learn(&mut view, message).equivocation.is_some());
        }
        assert_eq!(view.equivocations().count(), 1);
        assert_eq!(live(&view), [0; 0]);
    }
}
