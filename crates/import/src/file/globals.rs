//! The closed list of classes and functions that the import knows. A name that is not in it ends the reading where it is
//! called or used.
//!
//! `globals.txt` has a module and its names in each line. The names are never looked up: they select one of the
//! [`Role`]s below, each of which makes plain data of plain data.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A class or a function in the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) module: &'static str,
    pub(super) name: &'static str,
    pub(super) role: Role,
}

/// The value that a call of a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An object with attributes, whatever its arguments are.
    Class,
    /// A function that makes an object of the class that is its first argument: `__pyx_unpickle_…`.
    Unpickler,
    /// Nothing: a function that is only named.
    Function,
    /// A function of numpy for each element, which is only named.
    Ufunc,
    /// `copyreg._reconstructor`: an object of the class that is its first argument.
    Reconstructor,
    /// `numpy.ndarray`, a class that is only named.
    Ndarray,
    /// `numpy._core.multiarray._reconstruct`: an array without elements.
    EmptyArray,
    /// `numpy._core.numeric._frombuffer`: an array with elements.
    FromBuffer,
    /// `numpy.dtype`: a type of elements.
    Dtype,
    /// `numpy._core.multiarray.scalar`: a number.
    Scalar,
    /// `_codecs.encode`: bytes from Latin-1 text.
    Encode,
    /// `builtins.bytes`: no bytes, in protocols up to 2.
    NoBytes,
    /// `collections.OrderedDict` and others: a dictionary without entries.
    Dict,
    /// `builtins.set` and `frozenset`.
    Set,
    /// `joblib.numpy_pickle.NumpyArrayWrapper`: an array whose bytes follow.
    ArrayWrapper,
}

const LIST: &str = include_str!("globals.txt");

/// The names of each module in the list.
fn known() -> &'static HashMap<&'static str, HashMap<&'static str, Known>> {
    static KNOWN: OnceLock<HashMap<&str, HashMap<&str, Known>>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut known: HashMap<&str, HashMap<&str, Known>> = HashMap::new();
        for line in LIST.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let module = words.next().unwrap_or_default();
            let names = words.map(|name| (name, Known { module, name, role: role(module, name) }));
            known.entry(module).or_default().extend(names);
        }
        known
    })
}

/// Whether a module has had another name since scikit-learn 0.22: `sklearn.preprocessing.data`, for example.
pub(super) fn is_former(module: &str) -> bool {
    if matches!(module.split('.').nth(1), Some("externals" | "grid_search" | "cross_validation")) {
        return module.starts_with("sklearn.");
    }
    let Some((package, name)) = module.rsplit_once('.').filter(|(package, _)| package.starts_with("sklearn.")) else {
        return false;
    };
    name == "imputation" || known().contains_key(format!("{package}._{name}").as_str())
}

/// The class or function of this name, if it is in the list.
pub(super) fn find(module: &str, name: &str) -> Option<&'static Known> {
    let known = known();
    let names = match module {
        // The names in Python 2, which protocols up to 2 use.
        "__builtin__" => known.get("builtins"),
        "copy_reg" => known.get("copyreg"),
        // numpy 2 renamed numpy.core.
        _ => match module.strip_prefix("numpy.core.") {
            Some(rest) => known.get(format!("numpy._core.{rest}").as_str()),
            None => known.get(module),
        },
    };
    names?.get(name)
}

fn role(module: &str, name: &str) -> Role {
    match (module, name) {
        ("numpy", "ndarray") => Role::Ndarray,
        ("numpy", "dtype") => Role::Dtype,
        ("numpy._core.multiarray", "_reconstruct") => Role::EmptyArray,
        ("numpy._core.multiarray", "scalar") => Role::Scalar,
        ("numpy._core.numeric", "_frombuffer") => Role::FromBuffer,
        ("numpy._core._multiarray_umath", _)
        | ("numpy", "exp" | "expm1" | "log" | "log10" | "log1p" | "log2" | "sqrt" | "square") => Role::Ufunc,
        ("_codecs", "encode") => Role::Encode,
        ("copyreg", "_reconstructor") => Role::Reconstructor,
        ("collections", _) | ("sklearn.utils._bunch" | "sklearn.utils", "Bunch") | ("builtins", "dict") => Role::Dict,
        ("builtins", "bytes") => Role::NoBytes,
        ("builtins", "set" | "frozenset") => Role::Set,
        ("builtins", "slice") | (_, "make_column_selector") => Role::Class,
        (module, _) if module.starts_with("scipy.sparse.") => Role::Class,
        ("builtins" | "numpy", _) => Role::Function,
        ("joblib.numpy_pickle", "NumpyArrayWrapper") => Role::ArrayWrapper,
        ("numpy.ma.core", "_mareconstruct") => Role::Unpickler,
        (_, name) if name.starts_with("__pyx_unpickle_") || name.ends_with("_ctor") => Role::Unpickler,
        (_, name) if name.trim_start_matches('_').starts_with(|first: char| first.is_ascii_uppercase()) => Role::Class,
        _ => Role::Function,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_no_function_that_does_something() {
        for (module, name) in [
            ("os", "system"),
            ("posix", "system"),
            ("builtins", "eval"),
            ("builtins", "getattr"),
            ("builtins", "__import__"),
            ("numpy", "load"),
            ("joblib", "load"),
            ("sklearn.linear_model", "os"),
            ("sklearn.utils._joblib", "joblib"),
            ("copyreg", "__newobj__"),
            ("operator", "attrgetter"),
        ] {
            assert_eq!(find(module, name), None);
        }
        assert_eq!(find("numpy.core.multiarray", "scalar").unwrap().role, Role::Scalar);
        assert_eq!(find("__builtin__", "slice").unwrap().role, Role::Class);
    }

    #[test]
    fn the_list_is_sorted() {
        let lines: Vec<&str> = LIST.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.iter().all(|line| line.contains(' ') && line.len() <= 120));
        assert!(lines.is_sorted_by_key(|line| line.split(' ').next()), "{lines:?}");
    }
}
