//! Enums on the wire.

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

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $( Self::$variant $( { $($field),* } )? => {
                        const TAG: u8 = $tag;
                        (TAG, ( $( $($field,)* )? )).serialize(serializer)
                    } )*
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Tagged;

                impl<'de> serde::de::Visitor<'de> for Tagged {
                    type Value = $name;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str(concat!("a tag byte of ", stringify!($name), " and its fields"))
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        use serde::de::Error;
                        let tag: u8 = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                        match tag {
                            $( $tag => {
                                #[allow(clippy::let_unit_value, reason = "a variant without fields")]
                                let ( $( $($field,)* )? ): ( $( $($ty,)* )? ) =
                                    seq.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                                Ok($name::$variant $( { $($field),* } )?)
                            } )*
                            //= spec/protocol.md#encoding
                            //# MSG-6. A decoder MUST refuse a tag byte, an enumeration byte or a flag bit that version 1 does not define.
                            other => {
                                let found = serde::de::Unexpected::Unsigned(u64::from(other));
                                Err(A::Error::invalid_value(found, &self))
                            }
                        }
                    }
                }

                deserializer.deserialize_tuple(2, Tagged)
            }
        }
    };
}
pub(crate) use tagged;
