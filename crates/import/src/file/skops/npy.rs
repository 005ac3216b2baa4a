//! The header of numpy's format for one array.

use crate::file::array::{Dtype, MAX_DIMENSIONS};

/// An array in numpy's format.
pub(super) struct Npy<'f> {
    pub(super) dtype: Dtype,
    pub(super) is_fortran: bool,
    pub(super) shape: Vec<usize>,
    pub(super) content: &'f [u8],
}

/// Reads the header; the content has any length.
pub(super) fn parse(file: &[u8]) -> Result<Npy<'_>, String> {
    let (header, content) = header(file).ok_or("it is not a file of numpy")?;
    let value = |key: &str| {
        let start = header.find(key)? + key.len();
        Some(header.get(start..)?.trim_start_matches([':', ' ']))
    };
    let descr = value("'descr'").ok_or("its header has no type")?;
    let code =
        descr.strip_prefix('\'').and_then(|rest| Some(rest.split_once('\'')?.0)).ok_or("it is a structured array")?;
    let dtype = Dtype::parse(code).ok_or_else(|| format!("its elements have the type {code:?}"))?;
    let is_fortran = value("'fortran_order'").ok_or("its header has no order")?.starts_with("True");
    let shape = value("'shape'").and_then(|rest| Some(rest.strip_prefix('(')?.split_once(')')?.0));
    let shape = shape.ok_or("its header has no shape")?;
    let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
    let shape: Vec<usize> =
        lengths.map(str::parse).collect::<Result<_, _>>().map_err(|_| "its shape is not one".to_owned())?;
    if shape.len() > MAX_DIMENSIONS {
        return Err(format!("it has {} dimensions", shape.len()));
    }
    Ok(Npy { dtype, is_fortran, shape, content })
}

/// The text of the header, and the bytes after it.
fn header(file: &[u8]) -> Option<(&str, &[u8])> {
    let [version, _, rest @ ..] = file.strip_prefix(b"\x93NUMPY")? else { return None };
    let (length, rest) = if *version == 1 {
        let (length, rest) = rest.split_at_checked(2)?;
        (usize::from(u16::from_le_bytes(length.try_into().ok()?)), rest)
    } else {
        let (length, rest) = rest.split_at_checked(4)?;
        (usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?, rest)
    };
    let (header, content) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, content))
}
