/* One slot of one lock in one epoch: the lock, the service's record, an owner with two phones, guests
   who may all cheat, and a network that loses, delays, repeats and reorders. See README.md.

   -DNUM=n       numbers that the disturbed time may use; default 3
   -DVIEW        phone 0 keeps its view as the text says, and there is one device and nobody opens; without
                 it, phone 0 signs what it likes, as phone 1 does, and there are two devices and openings
   -DCALM        with -DVIEW: of the other phone's doings, phone 0 hears by reports only
   -DONE_TURN    one turn at the lock only
   -DONLY=n      assert invariant n only (so that a broken rule is seen to break this one)
   -DLIVE        progress: at any moment peace may begin; see the end
   -DM_... and -DREPORT_LAST     one broken rule each, for run.sh                                         */

#ifndef NUM
#define NUM 3
#endif
#ifdef LIVE
#define TOP (NUM + 3)   /* peace takes numbers too */
#else
#define TOP NUM
#endif
#ifndef MAX_LIVE
#define MAX_LIVE 2      /* 16 in the text; small, so that it fills up */
#endif

#ifndef ONLY
#define ONLY 0
#endif
#define CLAIM(n, c)  assert((ONLY != 0 && ONLY != (n)) || (c))

/* A grant is known by its number n and the phone p that signed it: 2n - 1 + p. So two grants may have one
   number. 0: none. A set of grants is one bit for each. */
#define GRANT(n, p)  (2 * (n) - 1 + (p))
#define NUMBER(g)    (((g) + 1) / 2)
#define PHONE(g)     (((g) + 1) & 1)
#define BIT(x)       (1 << ((x) - 1))
#define UP_TO(n)     ((1 << (2 * (n))) - 1)
#define HAS(set, x)  (((set) >> ((x) - 1)) & 1)
#define B(s, i)      (((s) >> (i)) & 1)
#define COUNT(s)     (B(s,0)+B(s,1)+B(s,2)+B(s,3)+B(s,4)+B(s,5)+B(s,6)+B(s,7)+B(s,8)+B(s,9)+B(s,10)+B(s,11)+B(s,12)+B(s,13))

#define Inactive  0
#define NotShared 1
#define Sharing   2
#define Shared    3

/* ---- the lock */
byte floor;
bit  on;                /* active */
byte inst;              /* the installed grant, */
byte dev;               /* its device: 1 is the guest's own, 2 another that the subject claimed, */
bit  spent;             /* and whether its one opening was counted (every grant allows one) */
byte bolt;              /* an accepted opening whose result is not taken yet: it holds the cell */
byte want;              /* the newest install session, if the release for its nonce was signed: the grant, */
byte want_dev;          /* and the device */

/* ---- the view of phone 0 (P) and the service's record (R) */
#define P 0
#define R 1
byte highest[2];
byte proven[2];
byte last[2];
byte state[2];
byte share[2];
byte share_dev[2];
short live[2];
short withdrawn;        /* in the view: live, and known to be withdrawn after its release */
short denied;           /* in the view: known never to have been released */

/* ---- the network: what was ever sent. Receipts are not kept: the lock signed one for each install, and
   signs the same again in a Done of an Inspect; so with the vacancy that every turn leaves, which tells what its Done does. */
short granted;          /* by phone 0, if it keeps to its view; phone 1 may have signed any grant */
short done_on;          /* Done of an Activate, by number */
short done_off;         /* Done of a Deactivate */
short installed1;       /* installed for device 1, and so proved */
short installed2;
short says_never;       /* Withdrawn of NeverReleased */
short says_released;

/* ---- for the assertions only */
byte taken;             /* the highest number that was installed or turned */
#ifdef ONE_TURN
byte turned;            /* the number of the latest turn at the lock */
#endif
byte heard[2];          /* the highest floor of which the view, the record heard */
short opened;           /* grants that moved the bolt */
short released;         /* ever, by the record */
short known;            /* released as of the record version that the view names, or signed by phone 0 */

#ifdef REPORT_LAST
byte report_g;          /* the last answer to a withdrawal */
byte report_outcome;
byte report_receipt;    /* the latest receipt that changed the record */
#endif

byte peace;             /* 0: disturbed; else the scenario that has begun */
bool goal;

#define SHARING(v)  (state[v] >= Sharing)
#define DEV(g)      (1 + HAS(installed2, g))

/* ================================================================ the number line (spec: "Slots") */

inline take(v, n) { if :: highest[v] < (n) -> highest[v] = (n) :: else fi }

inline go(v, s) { state[v] = s; share[v] = 0; share_dev[v] = 0 }

inline prove_dead(v, n) {
    if :: proven[v] < (n) -> proven[v] = (n) :: else fi;
    take(v, n);
    live[v] = live[v] & ~UP_TO(n)
}

/* A Done of a turn, or of an Inspect that found no key at floor n: SLO-29 to SLO-34, SLO-36, SLO-40, SLO-45, SLO-46. One
   at or below the last told proves nothing that the last one did not. */
inline hear_turn(v, act, n) {
    if :: heard[v] < (n) -> heard[v] = (n) :: else fi;
    if
#if defined(M_DONE_WITHOUT_NUMBER)
    :: true ->
#elif defined(M_LAST_TOLD_IS_HIGHEST)
    :: highest[v] < (n) ->
#else
    :: last[v] < (n) ->
#endif
        if :: last[v] < (n) -> last[v] = (n) :: else fi;
#ifdef M_DONE_LEAVES_LIVE
        take(v, n);
#else
        prove_dead(v, n);
#endif
        if
        :: (act) && SHARING(v) && NUMBER(share[v]) > (n) -> skip
        :: (act) && !(SHARING(v) && NUMBER(share[v]) > (n)) -> go(v, NotShared)
        :: else -> go(v, Inactive)
        fi
    :: else
    fi
}

/* a receipt, or a Done of an Inspect that found the key: SLO-24 to SLO-28, SLO-35, SLO-41, SLO-47 */
inline hear_installed(v, g, d) {
    if :: heard[v] < NUMBER(g) -> heard[v] = NUMBER(g) :: else fi;
    if
#ifdef M_OLD_RECEIPT
    :: true ->
#else
    :: NUMBER(g) > proven[v] ->
#endif
        proven[v] = NUMBER(g);
        take(v, NUMBER(g));
#ifndef M_RECEIPT_TELLS_NOTHING
        if
        :: last[v] < NUMBER(g) ->
            last[v] = NUMBER(g);
            if :: state[v] == Inactive -> state[v] = NotShared :: else fi
        :: else
        fi;
#endif
#ifdef M_PROOF_KILLS_HOLDER
        live[v] = live[v] & ~UP_TO(NUMBER(g));
#else
        live[v] = (live[v] & ~UP_TO(NUMBER(g))) | BIT(g);
#endif
        if
        :: SHARING(v) && share[v] == (g) -> state[v] = Shared; share_dev[v] = (d)
        :: SHARING(v) && share[v] != (g) && NUMBER(share[v]) <= NUMBER(g) -> go(v, NotShared)
        :: else
        fi
    :: else
    fi
}

/* ---- the record */

/* SLO-8 to SLO-12 */
#ifdef M_NUMBER_TWICE
#define NEW(g) (NUMBER(g) >= highest[R])
#else
#define NEW(g) (NUMBER(g) > highest[R])
#endif
inline publish(g) {
    if
    :: !(SHARING(R) && share[R] == (g)) && NEW(g) ->
        take(R, NUMBER(g));
        if
        :: state[R] == NotShared && COUNT(live[R]) < MAX_LIVE -> state[R] = Sharing; share[R] = (g)
        :: else
        fi
    :: else
    fi
}

/* SLO-16 to SLO-23; `outcome` is 1 NeverReleased, 2 Released, 3 Settled */
inline withdraw(g) {
    if
    :: HAS(live[R], g) ->
        says_released = says_released | BIT(g);
        outcome = 2;
#ifdef M_WITHDRAWAL_FORGETS
        live[R] = live[R] & ~BIT(g)
#endif
    :: !HAS(live[R], g) && NUMBER(g) <= proven[R] -> outcome = 3
    :: else ->
#ifndef M_WITHDRAWAL_TAKES_NO_NUMBER
        take(R, NUMBER(g));
#endif
        says_never = says_never | BIT(g);
        outcome = 1
    fi;
#ifdef REPORT_LAST
    report_g = g; report_outcome = outcome;
#endif
#ifndef M_WITHDRAWAL_LEAVES_SHARE
    if :: SHARING(R) && share[R] == (g) -> go(R, NotShared) :: else fi
#endif
}

/* SLO-14, SLO-15, SVC-13 */
#if defined(M_SECOND_DEVICE)
#define RELEASABLE(d) (SHARING(R))
#elif defined(M_NO_SECOND_RELEASE)
#define RELEASABLE(d) (state[R] == Sharing)
#else
#define RELEASABLE(d) (state[R] == Sharing || (state[R] == Shared && share_dev[R] == (d)))
#endif
inline release(d) {
    state[R] = Shared; share_dev[R] = (d);
    live[R] = live[R] | BIT(share[R]);
    released = released | BIT(share[R]);
    want = share[R]; want_dev = (d)
}

/* ---- the view */

#define CAN_SIGN (state[P] == NotShared && COUNT(live[P]) < MAX_LIVE)
inline sign() {
    highest[P] = highest[P] + 1;
    assert(highest[P] <= TOP);
    state[P] = Sharing; share[P] = GRANT(highest[P], P);
    live[P] = live[P] | BIT(share[P]);
    known = known | BIT(share[P]);
    granted = granted | BIT(share[P])
}

inline hear_withdrawn(g, o) {
    if
    :: (o) == 1 ->
        live[P] = live[P] & ~BIT(g);
        denied = denied | BIT(g)
    :: (o) == 2 && NUMBER(g) > proven[P] -> live[P] = live[P] | BIT(g)
    :: else
    fi;
    if :: HAS(live[P], g) -> withdrawn = withdrawn | BIT(g) :: else fi;
    take(P, NUMBER(g));
    if :: SHARING(P) && share[P] == (g) -> go(P, NotShared) :: else fi
}

/* a grant that the other phone signed: OWN-14, OWN-17 */
inline hear_grant(g) {
    if
    :: (HAS(denied, g) && !HAS(live[P], g)) || NUMBER(g) <= proven[P] -> skip
    :: else ->
        live[P] = live[P] | BIT(g);
        if
        :: state[P] != Inactive && (NUMBER(g) > highest[P] || (!SHARING(P) && !HAS(withdrawn, g))) ->
            state[P] = Sharing; share[P] = (g); share_dev[P] = 0
        :: else
        fi;
        take(P, NUMBER(g))
    fi
}

/* A report of the record: with the messages that come with it, the view is true as of its version.
   Something shows every live key (SVC-22). REPORT_LAST, as it was once: the grant that is shared, and the latest Done, receipt and answer to a withdrawal. */
inline report() {
    if :: SHARING(R) -> hear_grant(share[R]) :: else fi;
    if
    :: last[R] && HAS(done_on | done_off, last[R]) -> hear_turn(P, HAS(done_on, last[R]), last[R])
    :: last[R] && HAS(installed1 | installed2, GRANT(last[R], 0)) -> k = GRANT(last[R], 0); hear_installed(P, k, DEV(k))
    :: last[R] && HAS(installed1 | installed2, GRANT(last[R], 1)) -> k = GRANT(last[R], 1); hear_installed(P, k, DEV(k))
    :: else
    fi;
#ifdef REPORT_LAST
    if :: report_receipt -> hear_installed(P, report_receipt, DEV(report_receipt)) :: else fi;
    if :: report_g -> hear_withdrawn(report_g, report_outcome) :: else fi;
#else
    k = 1;
    do
    :: k <= 2 * TOP ->
        if :: HAS(live[R], k) && share[R] != k -> hear_withdrawn(k, 2) :: else fi;
        k = k + 1
    :: else -> break
    od;
#endif
    known = known | released
}

/* ============================================================================================ the lock */

#ifdef M_BOLT_DOES_NOT_HOLD
#define FREE true
#else
#define FREE (bolt == 0)
#endif

#ifdef M_GENERATION_NOT_ABOVE
#define ABOVE(g) (NUMBER(g) >= floor)
#else
#define ABOVE(g) (NUMBER(g) > floor)
#endif
#if defined(M_SECOND_DEVICE)
#define SAME(g, d) (inst == (g))
#elif defined(M_REKEY_OF_EMPTY_SLOT)
#define SAME(g, d) (NUMBER(g) == floor && ((inst == (g) && dev == (d)) || inst == 0))
#else
#define SAME(g, d) (inst == (g) && dev == (d))
#endif
#define INSTALLABLE(g, d) (on && (ABOVE(g) || SAME(g, d)))

inline install() {
    if
#ifndef M_REKEY_REGAINS_USES
    :: inst == want && !ABOVE(want) -> skip
#endif
    :: else -> spent = 0
    fi;
    inst = want; dev = want_dev; floor = NUMBER(want);
    want = 0; want_dev = 0;
    CLAIM(2, floor >= taken);                                       /* 2 overwrite */
    CLAIM(4, !HAS(says_never, inst));                               /* 4 revocation */
    CLAIM(5, HAS(released, inst));                                  /* 5 release */
    taken = floor;
    if :: dev == 1 -> installed1 = installed1 | BIT(inst) :: else -> installed2 = installed2 | BIT(inst) fi;
    CLAIM(6, (installed1 & installed2) == 0)                        /* 6 one device */
}

#ifdef M_COMMAND_NOT_ABOVE
#define TURNABLE(n) ((n) != floor)
#else
#ifdef ONE_TURN
#define TURNABLE(n) ((n) > floor && !turned)
#else
#define TURNABLE(n) ((n) > floor)
#endif
#endif
inline turn(act, n) {
    on = act;
#ifdef M_FLOOR_NOT_RAISED
    if :: act -> floor = (n) :: else fi;
#else
    floor = (n);
#endif
    inst = 0; dev = 0; spent = 0;
    if :: taken < (n) -> taken = (n) :: else fi;
#ifdef ONE_TURN
    turned = (n);
#endif
    if :: act -> done_on = done_on | BIT(n) :: else -> done_off = done_off | BIT(n) fi
}

/* the bolt moves for the grant `bolt` */
inline move() {
    CLAIM(2, NUMBER(bolt) >= taken);                                /* 2 overwrite */
    CLAIM(8, (done_off >> (NUMBER(bolt) - 1)) == 0);                /* 8 deactivation */
    CLAIM(14, !HAS(opened, bolt));                                   /* 14 uses */
    opened = opened | BIT(bolt);
#ifdef M_USE_COUNTED_AFTER
    if :: inst == bolt -> spent = 1 :: skip fi;                   /* or the power is cut */
#endif
    bolt = 0
}

/* ===================================================================================== what must hold */

inline honest() {
    /* 13: a key that can open is shown by the record, and by a view as of the version that it names */
    CLAIM(13, !inst || HAS(live[R], inst));                                      /* 13 honest record */
#ifdef VIEW
    CLAIM(13, !inst || !HAS(known, inst) || HAS(live[P], inst));                 /* 13 honest view */
#endif
    /* who heard of the lock's floor knows whether the slot is active */
    CLAIM(32, !floor || heard[R] != floor || (state[R] != Inactive) == on);  /* SLO-32, SLO-45 to SLO-47 */
    CLAIM(32, !floor || heard[P] != floor || (state[P] != Inactive) == on);  /* SLO-32, SLO-45 to SLO-47 */
    CLAIM(31, last[R] <= proven[R] && proven[R] <= highest[R])                /* SLO-31, SLO-7 */
}

/* ===================================================================== everybody, while it is disturbed */

inline pick_number() { n = 1; do :: n < NUM -> n = n + 1 :: break od }
inline pick_grant() { g = 1; do :: g < 2 * NUM -> g = g + 1 :: break od }

#ifdef VIEW
#define SIGNED(g) (PHONE(g) == 1 || HAS(granted, g))
#else
#define SIGNED(g) true
#endif

#define GUEST_READY (SHARING(R) && (state[R] == Sharing || share_dev[R] == 1) && on && \
    (NUMBER(share[R]) > floor || (inst == share[R] && dev == 1)))
#define HOLDER_READY (inst && dev == 1 && !spent)

active proctype Disturbed() {
    byte g; byte n; byte k; byte outcome;
end:
    do
    :: atomic { peace == 0 ->
        if
#ifdef VIEW
        /* phone 0 signs a grant */
        :: CAN_SIGN && highest[P] < NUM -> sign()
        /* or orders a turn: its number is taken whatever comes of it; it may be lost, refused, or cut
           before the write */
        :: highest[P] < NUM -> highest[P] = highest[P] + 1; n = highest[P];
            if
            :: FREE && TURNABLE(n) -> turn(1, n)
            :: FREE && TURNABLE(n) -> turn(0, n)
            :: skip
            fi
#endif
        /* phone 1 does what it likes */
        :: pick_number(); if :: FREE && TURNABLE(n) -> turn(1, n) :: else fi
        :: pick_number(); if :: FREE && TURNABLE(n) -> turn(0, n) :: else fi
        :: pick_grant(); withdraw(g);
#if defined(VIEW) && !defined(CALM)
            if :: hear_withdrawn(g, outcome) :: skip fi
#endif

        /* the network brings the record something, new or old */
        :: pick_grant(); if :: SIGNED(g) -> publish(g) :: else fi
        :: pick_number(); if :: HAS(done_on, n) -> hear_turn(R, 1, n) :: else fi
        :: pick_number(); if :: HAS(done_off, n) -> hear_turn(R, 0, n) :: else fi
        :: pick_grant();
            if
            :: HAS(installed1 | installed2, g) ->
#ifdef REPORT_LAST
                if :: NUMBER(g) > proven[R] -> report_receipt = g :: else fi;
#endif
                hear_installed(R, g, DEV(g))
            :: else
            fi
#ifdef VIEW
        /* or phone 0 */
        :: pick_number(); if :: HAS(done_on, n) -> hear_turn(P, 1, n) :: else fi
        :: pick_number(); if :: HAS(done_off, n) -> hear_turn(P, 0, n) :: else fi
        :: pick_grant(); if :: HAS(installed1 | installed2, g) -> hear_installed(P, g, DEV(g)) :: else fi
#ifndef CALM
        :: pick_grant(); if :: HAS(says_never, g) -> hear_withdrawn(g, 1) :: else fi
        :: pick_grant(); if :: HAS(says_released, g) -> hear_withdrawn(g, 2) :: else fi
        :: pick_grant(); if :: SIGNED(g) -> hear_grant(g) :: else fi
#endif
        :: report()
#endif

        /* a guest asks with the own device or another, over the nonce of a new session */
        :: SHARING(R) && RELEASABLE(1) -> release(1)
#ifndef VIEW
        :: SHARING(R) && RELEASABLE(2) -> release(2)
#endif
        :: want && FREE && INSTALLABLE(want, want_dev) -> install()
#ifndef VIEW
        /* and opens: the use is stored before the bolt moves */
        :: inst && !spent && FREE ->
            bolt = inst;
#ifndef M_USE_COUNTED_AFTER
            spent = 1
#endif
        :: bolt -> move()
        :: bolt -> bolt = 0                            /* the power is cut after the write */
#endif
#if defined(LIVE) && defined(VIEW)
        :: peace = 3
#elif defined(LIVE)
        :: GUEST_READY -> peace = 1
        :: HOLDER_READY -> peace = 2
#endif
        fi;
        g = 0; n = 0; k = 0; outcome = 0;
        honest()
       }
    od
}

#ifdef LIVE
/* ====================================================================================== peace, for good */

active proctype Peace() {
    byte n; byte k; byte outcome; byte mine;

    /* the firmware takes what waits */
    atomic { peace -> if :: bolt -> move() :: else fi };

    if
#ifndef VIEW
    /* an honest guest whose claim can be released, while the slot is active and the grant good */
    :: peace == 1 ->
        mine = share[R];
        atomic { SHARING(R) && RELEASABLE(1) -> release(1) };
        atomic { FREE && INSTALLABLE(want, want_dev) -> install() };
        goal = (inst == mine && dev == 1)

    /* a guest with a key, at the first attempt */
    :: peace == 2 ->
        mine = inst;
        atomic { FREE && inst && !spent -> bolt = inst; spent = 1 };
        atomic { bolt -> move() };
        goal = HAS(opened, mine)
#else
    /* the owner, with phone 0 at the lock and then online, brings the slot back to sharing */
    :: peace == 3 ->
        do
        :: goal -> break
        :: !goal ->
            atomic {                                   /* inspects */
                if
                :: inst -> hear_installed(P, inst, dev)
                :: else -> hear_turn(P, on, floor)
                fi
            };
            atomic {                                   /* activates */
                highest[P] = highest[P] + 1; n = highest[P];
                assert(n <= TOP);
                if :: TURNABLE(n) -> turn(1, n); hear_turn(P, 1, n); hear_turn(R, 1, n) :: else fi;
                n = 0
            };
            atomic { report(); k = 0 };
            atomic {                                   /* takes back what is shared */
                if :: SHARING(R) && HAS(live[P], share[R]) -> mine = share[R]; withdraw(mine); hear_withdrawn(mine, outcome) :: else fi;
                if :: SHARING(P) -> mine = share[P]; withdraw(mine); hear_withdrawn(mine, outcome) :: else fi;
                mine = 0; outcome = 0
            };
            atomic {                                   /* and shares */
                if
                :: CAN_SIGN -> sign(); publish(share[P]);
                    if
                    :: state[R] == Sharing && share[R] == share[P] && on && NUMBER(share[R]) > floor -> goal = true
                    :: else -> mine = share[P]; withdraw(mine); hear_withdrawn(mine, outcome)
                    fi;
                    mine = 0; outcome = 0
                :: else
                fi
            }
        od
#endif
    fi
}

ltl progress { [] (peace != 0 -> <> goal) }
#endif
