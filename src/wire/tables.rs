//! The tables that messages are written in: each says a layout once.

/// Declares a message: its struct, its layout, and what kind it is.
macro_rules! message {
    (
        $(#[$doc:meta])*
        pub struct $name:ident: $kind:ident, $auth:ty {
            $( $(#[$fdoc:meta])* pub $field:ident: $ty:ty, )*
        }
    ) => {
        $crate::wire::fields! {
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
            pub struct $name { $( $(#[$fdoc])* pub $field: $ty, )* }
        }

        impl $crate::wire::Message for $name {
            const KIND: $crate::wire::Kind = $crate::wire::Kind::$kind;
            type Auth = $auth;
        }
    };
}
pub(crate) use message;

/// Declares a struct whose fields stand one after the other.
macro_rules! fields {
    (
        $(#[$attr:meta])*
        $vis:vis struct $name:ident { $( $(#[$fattr:meta])* $fvis:vis $field:ident: $ty:ty, )* }
    ) => {
        $(#[$attr])*
        $vis struct $name { $( $(#[$fattr])* $fvis $field: $ty, )* }

        impl $crate::wire::Layout for $name {
            const SHORTEST: usize = 0 $(+ <$ty as $crate::wire::Layout>::SHORTEST)*;
            const LONGEST: usize = 0 $(+ <$ty as $crate::wire::Layout>::LONGEST)*;
            const SHAPE: $crate::wire::Shape = $crate::wire::Shape::Fields(&[
                $($crate::wire::Field { name: stringify!($field), shape: <$ty as $crate::wire::Layout>::SHAPE }),*
            ]);

            fn write(&self, to: &mut $crate::wire::Writer<'_>) {
                $($crate::wire::Layout::write(&self.$field, to);)*
            }

            fn read(from: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::error::WireError> {
                // In the order in which they are written here.
                Ok(Self { $($field: $crate::wire::Layout::read(from)?,)* })
            }
        }
    };
}
pub(crate) use fields;

/// Declares an enum whose variants stand on the wire as one checked byte, then their fields.
macro_rules! tagged {
    (
        $(#[$doc:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$vdoc:meta])* $tag:literal = $variant:ident
               $( { $( $(#[$fdoc:meta])* $field:ident : $ty:ty ),* $(,)? } )? ),* $(,)?
        }
    ) => {
        $(#[$doc])*
        $vis enum $name {
            $( $(#[$vdoc])* $variant $( { $( $(#[$fdoc])* $field: $ty ),* } )? ),*
        }

        impl $crate::wire::Layout for $name {
            const SHORTEST: usize =
                1 + $crate::wire::least(&[$(0 $($(+ <$ty as $crate::wire::Layout>::SHORTEST)*)?),*]);
            const LONGEST: usize =
                1 + $crate::wire::most(&[$(0 $($(+ <$ty as $crate::wire::Layout>::LONGEST)*)?),*]);
            const SHAPE: $crate::wire::Shape = $crate::wire::Shape::Tagged(&[$($crate::wire::Variant {
                tag: $tag,
                name: stringify!($variant),
                fields: &[$($($crate::wire::Field {
                    name: stringify!($field),
                    shape: <$ty as $crate::wire::Layout>::SHAPE,
                }),*)?],
            }),*]);

            fn write(&self, to: &mut $crate::wire::Writer<'_>) {
                match self {
                    $( Self::$variant $( { $($field),* } )? => {
                        to.put(&[$tag]);
                        $($( $crate::wire::Layout::write($field, to); )*)?
                    } )*
                }
            }

            fn read(from: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::error::WireError> {
                Ok(match from.byte()? {
                    $( $tag => Self::$variant $( { $($field: $crate::wire::Layout::read(from)?),* } )?, )*
                    //= spec/protocol.md#encoding
                    //# MSG-6. A decoder MUST refuse a tag byte, an enumeration byte or a flag bit that version 1 does not define.
                    _ => return Err($crate::error::WireError::Value),
                })
            }
        }
    };
}
pub(crate) use tagged;

/// The least of these.
pub(crate) const fn least(mut of: &[usize]) -> usize {
    let mut least = usize::MAX;
    while let [first, rest @ ..] = of {
        if *first < least {
            least = *first;
        }
        of = rest;
    }
    least
}

/// The most of these.
pub(crate) const fn most(mut of: &[usize]) -> usize {
    let mut most = 0;
    while let [first, rest @ ..] = of {
        if *first > most {
            most = *first;
        }
        of = rest;
    }
    most
}
