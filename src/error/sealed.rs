use super::ProviderFailed;

errors! { {$} "Sealed"
    /// Why a sealed value could not be made or opened.
    #[non_exhaustive]
    SealedError {
        /// It is under another key, of another type, for another place, or altered.
        Refused:  "not what was sealed under this key, for this place",               Caller, OtherInput;
        /// By another version of the library, most likely.
        Content:  "what was sealed is of another form",                               Caller, Update;
        /// The crypto provider could not do its work now.
        Provider(#[from] ProviderFailed): _,                                          Caller, Later;
    }
}
