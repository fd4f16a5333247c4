//! What a piece of Rust source says about an interface to C: functions,
//! records, constants, with every type in one notation.
//!
//! The sources are bindgen's output and the sources of the official crates. They
//! name one type in many ways (`Flow`, `Flow_`, `&Flow`; `c_int`, `i32`), so a
//! type is spelled out: aliases resolved, the last segment of paths, no
//! parameter names. That text is Rust again, and two types that it spells the
//! same have the same layout and are passed the same way.

use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use syn::{Item, Type};

/// A `struct` or `union` with its fields in order, each with its spelled type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// `struct` or `union`.
    pub(crate) kind: &'static str,
    /// The name in the source, which may be a tag like `Flow_`.
    pub(crate) tag: String,
    /// The name and the type of each field.
    pub(crate) fields: Vec<(String, String)>,
}

/// One interface to C.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interface {
    /// Where it comes from, for messages.
    pub(crate) name: String,
    /// The function type of each function.
    pub(crate) functions: BTreeMap<String, String>,
    /// The records that are not opaque.
    pub(crate) records: BTreeMap<String, Record>,
    /// Named integers, those of enumerations among them.
    pub(crate) constants: BTreeMap<String, i64>,
    /// What each alias stands for.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Rust that has the records as public types, for the compiler to lay out.
    pub(crate) source: String,
}

impl Interface {
    /// Reads `sources`; a type that several of them define is the first one's.
    pub(crate) fn parse<S: AsRef<str>>(name: &str, sources: &[S]) -> Result<Self, String> {
        let (mut items, mut text) = (Vec::new(), String::new());
        for source in sources {
            let file = syn::parse_file(source.as_ref())
                .map_err(|error| format!("{name} is not Rust: {error}"))?;
            items.extend(file.items);
            text.push_str(source.as_ref());
        }
        let types = Types::new(&items);
        let mut interface = Self { name: name.to_owned(), source: text, ..Self::default() };
        for item in &items {
            interface.add(item, &types);
        }
        Ok(interface)
    }

    fn add(&mut self, item: &Item, types: &Types) {
        match item {
            Item::Struct(item) if is_c(&item.attrs) => {
                self.add_record("struct", &item.ident, &item.fields, types);
            }
            Item::Union(item) if is_c(&item.attrs) => {
                let fields = syn::Fields::Named(item.fields.clone());
                self.add_record("union", &item.ident, &fields, types);
            }
            Item::Type(item) => {
                let meaning = types.spell(&item.ty);
                self.aliases.entry(item.ident.to_string()).or_insert(meaning);
            }
            Item::Enum(item) => self.add_variants(item),
            Item::Const(item) => {
                if let Some(value) = integer(&item.expr) {
                    self.constants.insert(item.ident.to_string(), value);
                }
            }
            Item::ForeignMod(block) => block.items.iter().for_each(|item| {
                if let syn::ForeignItem::Fn(function) = item {
                    let spelled = types.spell_function(&function.sig);
                    self.functions.insert(function.sig.ident.to_string(), spelled);
                }
            }),
            _ => {}
        }
    }

    fn add_record(
        &mut self,
        kind: &'static str,
        name: &syn::Ident,
        fields: &syn::Fields,
        types: &Types,
    ) {
        let fields: Vec<_> = fields
            .iter()
            .filter_map(|field| Some((field.ident.as_ref()?.to_string(), types.spell(&field.ty))))
            .collect();
        // bindgen's form of a type of which only the name is known.
        const OPAQUE: [&str; 3] = ["_unused", "_address", "_bindgen_opaque_blob"];
        let opaque = matches!(&fields[..], [(name, _)] if OPAQUE.contains(&name.as_str()));
        if !fields.is_empty() && !opaque {
            let tag = name.to_string();
            let canonical = types.canonical(&tag);
            self.records.entry(canonical).or_insert(Record { kind, tag, fields });
        }
    }

    /// Replaces the source with one that has only the records, their fields all
    /// public and of spelled types: for a source with private fields.
    pub(crate) fn rewrite_source(&mut self) {
        let mut source = String::from("use core::ffi::*;\n");
        let mut named = BTreeSet::new();
        for (name, record) in &mut self.records {
            record.tag = name.clone();
            source.push_str(&format!("#[repr(C)] pub {} {name} {{\n", record.kind));
            for (field, spelled) in &record.fields {
                source.push_str(&format!("pub {field}: {spelled},\n"));
                named.extend(names(spelled).filter(|name| !is_known(name)));
            }
            source.push_str("}\n");
        }
        for name in named.iter().filter(|name| !self.records.contains_key(*name)) {
            source.push_str(&format!("pub enum {name} {{}}\n"));
        }
        self.source = source;
    }

    fn add_variants(&mut self, item: &syn::ItemEnum) {
        let mut next = 0;
        for variant in &item.variants {
            if let Some((_, expression)) = &variant.discriminant {
                next = integer(expression).unwrap_or(next);
            }
            self.constants.insert(variant.ident.to_string(), next);
            next += 1;
        }
    }
}

/// The value of an integer as constants are written: `-1`, `0x800`, `1 << 4`, `BIT_U8!(1)`.
fn integer(expression: &syn::Expr) -> Option<i64> {
    match expression {
        syn::Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Int(value) => value.base10_parse().ok(),
            _ => None,
        },
        syn::Expr::Unary(negated) => match negated.op {
            syn::UnOp::Neg(_) => Some(-integer(&negated.expr)?),
            _ => None,
        },
        syn::Expr::Binary(shift) => match shift.op {
            syn::BinOp::Shl(_) => Some(integer(&shift.left)? << integer(&shift.right)?),
            _ => None,
        },
        syn::Expr::Macro(call) if call.mac.path.get_ident()?.to_string().starts_with("BIT_U") => {
            Some(1 << call.mac.tokens.to_string().parse::<u32>().ok()?)
        }
        _ => None,
    }
}

/// What names of types mean in one interface.
struct Types {
    aliases: BTreeMap<String, Type>,
    records: BTreeSet<String>,
    enums: BTreeMap<String, &'static str>,
}

impl Types {
    fn new(items: &[Item]) -> Self {
        let mut types =
            Self { aliases: BTreeMap::new(), records: BTreeSet::new(), enums: BTreeMap::new() };
        for item in items {
            match item {
                Item::Type(item) => {
                    types.aliases.entry(item.ident.to_string()).or_insert((*item.ty).clone());
                }
                Item::Struct(item) => {
                    types.records.insert(item.ident.to_string());
                }
                Item::Union(item) => {
                    types.records.insert(item.ident.to_string());
                }
                Item::Enum(item) => {
                    if let Some(integer) = representation(item) {
                        types.enums.insert(item.ident.to_string(), integer);
                    }
                }
                _ => {}
            }
        }
        types
    }

    /// The one name of a record: C's tag `Flow_` and its alias `Flow` are the same.
    fn canonical(&self, name: &str) -> String {
        match name {
            // The crate's name for what app-layer-register.h has.
            "RustParser" => "AppLayerParser".to_owned(),
            _ => name.strip_suffix('_').unwrap_or(name).to_owned(),
        }
    }

    fn spell(&self, of: &Type) -> String {
        match of {
            Type::Ptr(pointer) => {
                let kind = if pointer.mutability.is_some() { "mut" } else { "const" };
                format!("*{kind} {}", self.spell(&pointer.elem))
            }
            Type::Reference(reference) => {
                let kind = if reference.mutability.is_some() { "mut" } else { "const" };
                format!("*{kind} {}", self.spell(&reference.elem))
            }
            Type::Array(array) => {
                format!("[{}; {}]", self.spell(&array.elem), array.len.to_token_stream())
            }
            Type::BareFn(function) => {
                self.spell_call(function.inputs.iter().map(|input| &input.ty), &function.output)
            }
            Type::Paren(inner) => self.spell(&inner.elem),
            Type::Path(path) => self.spell_path(&path.path),
            other => other.to_token_stream().to_string(),
        }
    }

    fn spell_function(&self, signature: &syn::Signature) -> String {
        let inputs = signature.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Typed(input) => Some(&*input.ty),
            syn::FnArg::Receiver(_) => None,
        });
        self.spell_call(inputs, &signature.output)
    }

    /// A function pointer is an `Option`, as a C one is: that is the same to a caller.
    fn spell_call<'t>(
        &self,
        inputs: impl Iterator<Item = &'t Type>,
        output: &syn::ReturnType,
    ) -> String {
        let inputs: Vec<_> = inputs.map(|input| self.spell(input)).collect();
        let output = match output {
            syn::ReturnType::Default => String::new(),
            syn::ReturnType::Type(_, output) => format!(" -> {}", self.spell(output)),
        };
        format!("Option<unsafe extern \"C\" fn({}){output}>", inputs.join(", "))
    }

    fn spell_path(&self, path: &syn::Path) -> String {
        let Some(last) = path.segments.last() else { return String::new() };
        let name = last.ident.to_string();
        match (name.as_str(), &last.arguments) {
            ("Option", syn::PathArguments::AngleBracketed(arguments)) => {
                match arguments.args.first() {
                    Some(syn::GenericArgument::Type(inner)) => self.spell(inner),
                    _ => name,
                }
            }
            ("c_int", _) => "i32".to_owned(),
            ("c_uint", _) => "u32".to_owned(),
            // constified_enum's `SCLogLevel::Type`.
            _ => self.spell_name(&name),
        }
    }

    fn spell_name(&self, name: &str) -> String {
        if let Some(integer) = self.enums.get(name) {
            return (*integer).to_owned();
        }
        let is_record = self.records.contains(name) || self.records.contains(&format!("{name}_"));
        match self.aliases.get(name) {
            Some(meaning) if !is_record => self.spell(meaning),
            _ => self.canonical(name),
        }
    }
}

/// The names in a spelled type.
fn names(spelled: &str) -> impl Iterator<Item = String> + '_ {
    spelled
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|name| name.starts_with(char::is_alphabetic))
        .map(str::to_owned)
}

/// Whether a name in a spelled type is the language's.
fn is_known(name: &str) -> bool {
    let language = ["Option", "unsafe", "extern", "C", "fn", "mut", "const", "bool", "usize"];
    let is_integer =
        name.starts_with(['u', 'i']) && name[1..].chars().all(|it| it.is_ascii_digit());
    language.contains(&name) || name.starts_with("c_") || is_integer
}

/// Whether the attributes give a type C's layout.
fn is_c(attributes: &[syn::Attribute]) -> bool {
    let mut representations = attributes.iter().filter(|it| it.path().is_ident("repr"));
    representations.any(|it| it.parse_args::<syn::Ident>().is_ok_and(|it| it == "C"))
}

/// The integer that an enumeration is to C; nothing for Rust's own.
fn representation(item: &syn::ItemEnum) -> Option<&'static str> {
    let attribute = item.attrs.iter().find(|attribute| attribute.path().is_ident("repr"))?;
    match attribute.parse_args::<syn::Ident>().ok()?.to_string().as_str() {
        "i32" => Some("i32"),
        // C's enumerations without a negative value.
        "C" | "u32" => Some("u32"),
        "u8" => Some("u8"),
        _ => None,
    }
}

/// The same type with what a call does not depend on left out: whether a pointer
/// is to something constant.
pub(crate) fn loosely(spelled: &str) -> String {
    spelled.replace("*const ", "*").replace("*mut ", "*")
}
