//! One row an error: its variant, what it says, whose fault it is, and what to do.

/// Declares an enum of errors, and of each the code, the words, the fault and the way out.
///
/// ```text
/// Variant: "what was wrong", Fault, Retry;             /// with more to say above it, where there is more
/// Variant(Cause): "of what", Fault, Retry;             an error of the library inside, said behind a colon
/// Variant(#[from] Cause): _, _, {how};                 as the cause has it; and what `how` makes of the cause
/// ```
///
/// The dollar is handed in, for the macro of each enum's name that this one declares: that gives the codes of the
/// enum's errors behind a path, in which an enum with causes asks those of its causes.
macro_rules! errors {
    (
        {$d:tt} $part:literal
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$doc:meta])* $variant:ident
               $( ( $(#[$from:ident])? $inner:ident ) )?
               $( { $( $(#[$fdoc:meta])* $field:ident: $type:ty = $example:expr ),* } )?
               : $text:tt, $fault:tt, $retry:tt; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name {
            $( $(#[$doc])* #[doc = ""] #[doc = told!($text)]
               $variant $( ($inner) )? $( { $( $(#[$fdoc])* $field: $type ),* } )?, )*
        }

        macro_rules! $name {
            ($d error:expr, $d($d path:tt)*) => {
                match $d error {
                    $( $crate::error::$name::$variant $( (bind!(cause $inner)) )? $( { $( $field: _ ),* } )? =>
                        code!([$d($d path)*, ".", stringify!($variant)] $( cause $inner )?), )*
                }
            };
        }

        #[allow(unused_variables, reason = "a cause that the row says more of")]
        impl $name {
            /// The error's code, as [`Blame::name`](super::Blame::name).
            #[must_use]
            pub const fn name(self) -> &'static str {
                $name!(self, $part)
            }

            /// Whose fault it is.
            #[must_use]
            pub const fn fault(self) -> $crate::error::Fault {
                match self {
                    $( Self::$variant $( (bind!(cause $inner)) )? $( { $( $field: _ ),* } )? =>
                        said!(Fault fault $fault $( cause $inner )?), )*
                }
            }

            /// What to do.
            #[must_use]
            pub const fn retry(self) -> $crate::error::Retry {
                match self {
                    $( Self::$variant $( (bind!(cause $inner)) )? $( { $( $field: _ ),* } )? =>
                        said!(Retry retry $retry $( cause $inner )?), )*
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match *self {
                    $( Self::$variant $( (bind!(cause $inner)) )? $( { $($field),* } )? =>
                        show!(f $text $( cause $inner )? $( { $($field),* } )?), )*
                }
            }
        }

        blame!($name {
            let all = core::iter::empty();
            $( let all = all.chain(each!($variant $( ($inner) )? $( { $( $field: $example ),* } )?)); )*
            all
        });

        $( $( $( converts!($from $name $variant $inner); )? )? )*
    };
    // An error that is one thing.
    ({$d:tt} $code:literal $(#[$meta:meta])* $name:ident: $text:literal, $fault:ident, $retry:ident;) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub struct $name;

        #[allow(unused_macros, reason = "not every one is a cause")]
        macro_rules! $name {
            ($d error:expr, $d($d path:tt)*) => {{
                let _ = $d error;
                concat!($d($d path)*)
            }};
        }

        impl $name {
            /// The error's code, as [`Blame::name`](super::Blame::name).
            #[must_use]
            pub const fn name(self) -> &'static str {
                $code
            }

            /// Whose fault it is.
            #[must_use]
            pub const fn fault(self) -> $crate::error::Fault {
                $crate::error::Fault::$fault
            }

            /// What to do.
            #[must_use]
            pub const fn retry(self) -> $crate::error::Retry {
                $crate::error::Retry::$retry
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str($text)
            }
        }

        blame!($name { core::iter::once(Self) });
    };
}

/// What every error of the library can be asked.
macro_rules! blame {
    ($name:ident $all:block) => {
        impl core::error::Error for $name {}

        impl $crate::error::Blame for $name {
            fn name(&self) -> &'static str {
                Self::name(*self)
            }

            fn fault(&self) -> $crate::error::Fault {
                Self::fault(*self)
            }

            fn retry(&self) -> $crate::error::Retry {
                Self::retry(*self)
            }
        }

        impl $name {
            /// Every error of this type, with every cause: for an app to see that it has words for each code. Where
            /// an error holds a number, it is an example.
            pub fn all() -> impl Iterator<Item = Self> $all
        }
    };
}

/// The name of the cause in a row that has one.
macro_rules! bind {
    ($cause:ident $inner:ident) => {
        $cause
    };
}

/// The code behind a path, with that of the cause behind it.
macro_rules! code {
    ([$($path:tt)*]) => { concat!($($path)*) };
    ([$($path:tt)*] $cause:ident $inner:ident) => { $inner!($cause, $($path)*) };
}

/// What a cell of a row says of the fault or of what to do: itself, or as the cause or the told reason has it.
macro_rules! said {
    ($of:ident $ask:ident _ $cause:ident $inner:ident) => { $cause.$ask() };
    ($of:ident $ask:ident {_ $told:ident}) => { $crate::error::RefuseReason::$told.$ask() };
    ($of:ident $ask:ident {$cell:tt $told:ident} $($cause:tt)*) => { said!($of $ask $cell $($cause)*) };
    ($of:ident $ask:ident {$how:ident} $cause:ident $inner:ident) => { $how($cause) };
    ($of:ident $ask:ident $value:ident $($cause:tt)*) => { $crate::error::$of::$value };
}

/// Writes what a cell of a row says was wrong.
macro_rules! show {
    ($f:ident _ $cause:ident $inner:ident) => { core::fmt::Display::fmt(&$cause, $f) };
    ($f:ident {_ $told:ident}) => { core::fmt::Display::fmt(&$crate::error::RefuseReason::$told, $f) };
    ($f:ident {$cell:tt $told:ident} $($cause:tt)*) => { show!($f $cell $($cause)*) };
    ($f:ident $text:literal) => { $f.write_str($text) };
    ($f:ident $text:literal { $($field:ident),* }) => { write!($f, $text, $($field = $field),*) };
    ($f:ident $text:literal $cause:ident $inner:ident) => { write!($f, concat!($text, ": {}"), $cause) };
}

/// The same in the documentation.
macro_rules! told {
    (_) => {
        ""
    };
    ({_ $told:ident}) => {
        concat!("As [`RefuseReason::", stringify!($told), "`](super::RefuseReason::", stringify!($told), ").")
    };
    ({$cell:tt $told:ident}) => {
        told!($cell)
    };
    ($text:literal) => {
        concat!("“", $text, "”")
    };
}

/// The errors of a row: one, or one a cause.
macro_rules! each {
    ($variant:ident) => { [Self::$variant] };
    ($variant:ident ($inner:ident)) => { $inner::all().map(Self::$variant) };
    ($variant:ident { $($field:ident: $example:expr),* }) => { [Self::$variant { $($field: $example),* }] };
}

/// A cause becomes the error around it.
macro_rules! converts {
    (from $name:ident $variant:ident $inner:ident) => {
        impl From<$inner> for $name {
            fn from(cause: $inner) -> Self {
                Self::$variant(cause)
            }
        }
    };
}
