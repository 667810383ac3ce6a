//! Compiled, a code would be compared as text, and the time taken tell how many symbols are right.

use sharekey::code::CodeText;

fn code_text_compared(issued: &CodeText, typed: &CodeText) -> bool {
    PartialEq::<CodeText>::eq(issued, typed) //~ E0277 issued
}

fn main() {}
