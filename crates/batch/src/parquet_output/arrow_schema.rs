//! The schema of Arrow in the metadata of a Parquet file, with types that Parquet does not have: time zones,
//! dictionaries, durations, large text. Readers expect it to have all columns of the file.
//!
//! It is a message of Arrow's interprocess format in Base64: a `FlatBuffer` whose tables `Message.fbs` and `Schema.fbs`
//! of Arrow describe. Columns are added without decoding the others: a new message and a new schema are written in
//! front of the old ones, with references to the old columns.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::columns::OutputColumn;
use ordinate_model::signature::FeatureType;

/// The key of the schema in the metadata.
pub(super) const KEY: &str = "ARROW:schema";

/// The first bytes of a message since version 0.15 of Arrow.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// A schema with further columns; `None` if it is damaged.
pub(super) fn with_columns(schema: &str, added: &[OutputColumn]) -> Option<String> {
    let bytes = STANDARD.decode(schema).ok()?;
    let message = bytes.strip_prefix(&CONTINUATION).unwrap_or(&bytes).get(4..)?;
    let message = extended(message, added)?;
    let length = u32::try_from(message.len()).ok()?.to_le_bytes();
    Some(STANDARD.encode([&CONTINUATION[..], &length, &message].concat()))
}

/// The value of a slot of a table.
#[derive(Debug, Clone, Copy)]
enum Slot {
    Absent,
    Byte(u8),
    Number(i16),
    /// A reference to a place that is written later.
    Reference,
}

/// The message with a schema.
const SCHEMA: Slot = Slot::Byte(1);

fn extended(old: &[u8], added: &[OutputColumn]) -> Option<Vec<u8>> {
    let message = Table::at(old, reference(old, 0)?)?;
    let schema = Table::at(old, message.reference(2)?)?;
    let columns = schema.reference(1)?;
    let count = usize::try_from(number(old, columns)?).ok().filter(|count| *count <= old.len() / 4)?;
    let mut new = Writer::default();
    // The places in the new bytes that refer to old ones.
    let mut to_old = Vec::new();

    let root = new.places(1);
    let header = new.table(root, &[Slot::Number(message.short(0)), SCHEMA, Slot::Reference])?;
    let (metadata, features) = (schema.reference(2), schema.reference(3));
    let slot = |kept: Option<usize>| kept.map_or(Slot::Absent, |_| Slot::Reference);
    let order = Slot::Number(schema.short(0));
    let places = new.table(*header.first()?, &[order, Slot::Reference, slot(metadata), slot(features)])?;
    let (vector, others) = places.split_first()?;
    to_old.extend(others.iter().copied().zip(metadata.into_iter().chain(features)));

    let first = new.vector(*vector, count + added.len())?;
    for column in 0..count {
        to_old.push((first + 4 * column, reference(old, columns + 4 + 4 * column)?));
    }
    for (position, column) in added.iter().enumerate() {
        new.column(first + 4 * (count + position), column)?;
    }
    new.align(8);
    let length = new.0.len();
    for (place, old) in to_old {
        new.refer(place, length + old)?;
    }
    new.0.extend_from_slice(old);
    new.align(8);
    Some(new.0)
}

fn bytes<const N: usize>(buffer: &[u8], at: usize) -> Option<[u8; N]> {
    buffer.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn number(buffer: &[u8], at: usize) -> Option<u32> {
    bytes(buffer, at).map(u32::from_le_bytes)
}

/// The place to which the reference at a place leads.
fn reference(buffer: &[u8], at: usize) -> Option<usize> {
    at.checked_add(usize::try_from(number(buffer, at)?).ok()?).filter(|to| *to < buffer.len())
}

/// A table. The distances of its slots from its beginning are elsewhere.
struct Table<'b> {
    buffer: &'b [u8],
    at: usize,
    slots: usize,
}

impl<'b> Table<'b> {
    fn at(buffer: &'b [u8], at: usize) -> Option<Self> {
        let distance = i64::from(bytes(buffer, at).map(i32::from_le_bytes)?);
        let slots = usize::try_from(i64::try_from(at).ok()? - distance).ok()?;
        Some(Self { buffer, at, slots })
    }

    /// The place of a slot, if the table has it.
    fn slot(&self, slot: usize) -> Option<usize> {
        let size = u16::from_le_bytes(bytes(self.buffer, self.slots)?);
        let at = 4 + 2 * slot;
        let distance = u16::from_le_bytes(bytes(self.buffer, self.slots + at)?);
        (at < usize::from(size) && distance > 0).then_some(self.at + usize::from(distance))
    }

    /// A number, which is 0 if it is absent.
    fn short(&self, slot: usize) -> i16 {
        self.slot(slot).and_then(|at| bytes(self.buffer, at)).map_or(0, i16::from_le_bytes)
    }

    fn reference(&self, slot: usize) -> Option<usize> {
        reference(self.buffer, self.slot(slot)?)
    }
}

/// The bytes so far.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    /// Places of references, and returns the first.
    fn places(&mut self, count: usize) -> usize {
        self.align(4);
        let first = self.0.len();
        self.0.resize(first + 4 * count, 0);
        first
    }

    /// Lets a place refer to another.
    fn refer(&mut self, place: usize, to: usize) -> Option<()> {
        let distance = u32::try_from(to.checked_sub(place)?).ok()?;
        self.0.get_mut(place..place + 4)?.copy_from_slice(&distance.to_le_bytes());
        Some(())
    }

    /// A table to which a place refers. Returns the places of its references.
    fn table(&mut self, place: usize, slots: &[Slot]) -> Option<Vec<usize>> {
        let size = |count: usize| u16::try_from(count).map(u16::to_le_bytes).ok();
        self.align(4);
        let distances = self.0.len();
        self.0.extend(size(4 + 2 * slots.len())?);
        self.0.extend(size(4 + 4 * slots.len())?);
        for (position, slot) in slots.iter().enumerate() {
            let distance = if matches!(slot, Slot::Absent) { 0 } else { 4 + 4 * position };
            self.0.extend(size(distance)?);
        }
        self.align(4);
        let table = self.0.len();
        self.refer(place, table)?;
        self.0.extend(i32::try_from(table - distances).ok()?.to_le_bytes());
        let mut references = Vec::new();
        for slot in slots {
            match slot {
                Slot::Absent => self.0.extend([0; 4]),
                Slot::Byte(value) => self.0.extend([*value, 0, 0, 0]),
                Slot::Number(value) => self.0.extend(i32::from(*value).to_le_bytes()),
                Slot::Reference => references.push(self.places(1)),
            }
        }
        Some(references)
    }

    /// A list of references to which a place refers. Returns the place of the first.
    fn vector(&mut self, place: usize, count: usize) -> Option<usize> {
        self.align(4);
        self.refer(place, self.0.len())?;
        self.0.extend(u32::try_from(count).ok()?.to_le_bytes());
        Some(self.places(count))
    }

    /// A column that may have no value.
    fn column(&mut self, place: usize, column: &OutputColumn) -> Option<()> {
        // The number of the type, and the slots of its table.
        let (kind, slots): (u8, &[Slot]) = match column.kind {
            FeatureType::Long => (2, &[Slot::Number(64), Slot::Byte(1)]),
            FeatureType::Double => (3, &[Slot::Number(2)]),
            FeatureType::String | FeatureType::Date => (5, &[]),
            FeatureType::Boolean => (6, &[]),
        };
        let nullable = Slot::Byte(1);
        let slots_of_column =
            [Slot::Reference, nullable, Slot::Byte(kind), Slot::Reference, Slot::Absent, Slot::Reference];
        let references = self.table(place, &slots_of_column)?;
        let [name, kind, children] = references.as_slice() else { return None };
        self.table(*kind, slots)?;
        self.vector(*children, 0)?;
        self.align(4);
        self.refer(*name, self.0.len())?;
        self.0.extend(u32::try_from(column.name.len()).ok()?.to_le_bytes());
        self.0.extend(column.name.as_bytes());
        self.0.push(0);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of pyarrow 26: doubles `x`, times with a zone `z`, a dictionary `d`, large text `l`, durations `u`, large lists
    /// `li`, groups `st`; with metadata.
    const PYARROW: &str = include_str!("pyarrow_schema.txt");

    fn added() -> Vec<OutputColumn> {
        let column = |(name, kind): (&str, _)| OutputColumn { name: name.to_owned(), kind };
        let columns = [
            ("prediction", FeatureType::Double),
            ("n\u{e9}", FeatureType::Long),
            ("sure", FeatureType::Boolean),
            ("warnings", FeatureType::String),
        ];
        columns.map(column).into()
    }

    /// The names and types of the columns of a schema, with the bytes that describe each type.
    fn columns(schema: &str) -> Option<Vec<(String, u8)>> {
        let bytes = STANDARD.decode(schema).ok()?;
        let (length, message) = bytes.strip_prefix(&CONTINUATION)?.split_at(4);
        assert_eq!(number(length, 0)? as usize, message.len());
        let root = Table::at(message, reference(message, 0)?)?;
        let schema = Table::at(message, root.reference(2)?)?;
        assert_eq!(schema.reference(2).and_then(|at| number(message, at)), Some(1), "the metadata are there");
        let first = schema.reference(1)?;
        let column = |position| {
            let column = Table::at(message, reference(message, first + 4 + 4 * position)?)?;
            let name = column.reference(0)?;
            let end = name + 4 + number(message, name)? as usize;
            Some((String::from_utf8(message.get(name + 4..end)?.to_vec()).ok()?, *message.get(column.slot(2)?)?))
        };
        (0..number(message, first)? as usize).map(column).collect()
    }

    #[test]
    fn columns_are_added_to_the_schema_of_pyarrow() {
        let before = columns(PYARROW.trim()).unwrap();
        let names: Vec<&str> = before.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x", "z", "d", "l", "u", "li", "st"]);
        let extended = with_columns(PYARROW.trim(), &added()).unwrap();
        let more = [("prediction", 3), ("n\u{e9}", 2), ("sure", 6), ("warnings", 5)];
        let expected: Vec<_> = before.into_iter().chain(more.map(|(name, kind)| (name.to_owned(), kind))).collect();
        assert_eq!(columns(&extended).unwrap(), expected);
        // An output may be an input.
        assert_eq!(columns(&with_columns(&extended, &added()[..1]).unwrap()).unwrap().len(), 12);
    }

    #[test]
    fn a_damaged_schema_is_none() {
        for schema in ["", "?", "AAAA", "/////w=="] {
            assert_eq!(with_columns(schema, &added()), None, "{schema}");
        }
        let bytes = STANDARD.decode(PYARROW.trim()).unwrap();
        for length in 0..bytes.len() {
            let _ = with_columns(&STANDARD.encode(&bytes[..length]), &added());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0_usize..800, byte: u8) {
            let mut bytes = STANDARD.decode(PYARROW.trim()).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = with_columns(&STANDARD.encode(&bytes), &added());
        }
    }
}
