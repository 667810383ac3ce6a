errors! { {$} "Staged.NotPending"
    /// A write was reported of a state that does not wait for it: it was read again since, or is another one.
    NotPending: "the state does not wait for this write", Caller, Refresh;
}
