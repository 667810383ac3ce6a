errors! { {$} "Slot"
    /// Why a slot's state machine refuses a step.
    #[non_exhaustive]
    SlotError {
        /// Nothing can be shared in it.
        NotActive:            "the slot is not active",                           Owner, Activate;
        /// Another grant is shared in the slot.
        AlreadyShared:        "the slot is already shared",                       Owner, Withdraw;
        /// This very grant is the one that is shared in the slot.
        AlreadyPublished:     "this grant is already published",                  Owner, Already;
        /// The number is not above the highest that the slot has seen: another phone of the owner took it, or this
        /// one before it was restored.
        StaleNumber:          "the number is taken",                              Owner, Withdraw;
        /// [`MAX_LIVE`](crate::slot::MAX_LIVE) keys of the slot may still open. An Inspect at the lock proves dead
        /// what is below the installed key; an Activate proves all dead, and wipes the installed key. In an owner's
        /// view, taking in the answer to a withdrawal of what was never released makes room too.
        LiveFull:             "too many keys of the slot may still open: what is not installed ends by an Activate",         Owner, Inspect;
        NotPublished:         "the grant is not shared in the slot",              Guest, FetchGrant;
        /// A grant goes to one device only. The owner may share anew.
        ClaimedByOtherDevice: "the grant was released to another device",         Guest, AskOwner;
        /// A transfer, also to oneself, begins another.
        Exhausted:            "the slot's number line is at its end",             Owner, TakeOver;
    }
}

errors! { {$} "StoredSlot"
    /// Why stored data are not a slot's state: they contradict themselves.
    #[non_exhaustive]
    StoredSlotError {
        LastToldAboveFloor: "the last told is above the proven floor",                            Caller, OtherInput;
        FloorAboveHighest:  "the proven floor is above the highest number seen",              Caller, OtherInput;
        /// They are not in strictly rising order.
        LiveUnsorted:       "the live keys are not sorted or not unique",                     Caller, OtherInput;
        /// More than [`MAX_LIVE`](crate::slot::MAX_LIVE) and one confirmed.
        LiveTooMany:        "too many live keys",                                             Caller, OtherInput;
        /// It is below the proven floor, or above the highest seen.
        LiveOutOfRange:     "a live key's number is out of range",                            Caller, OtherInput;
        /// One is confirmed without being the floor, or is the floor unconfirmed.
        LiveConfirmation:   "a live key is the proven floor exactly if it is confirmed",      Caller, OtherInput;
        /// It was proved dead, or is above the highest seen.
        ShareOutOfRange:    "the share's number is out of range",                             Caller, OtherInput;
        /// It is missing among them, or is there without having been released.
        ShareNotLive:       "the share and the live keys contradict each other",              Caller, OtherInput;
        ShareDevice:        "the share's device is not the confirmed one",                    Caller, OtherInput;
    }
}
