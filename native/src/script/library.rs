//! The modules that an interpreter may load, and what their specifiers mean.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Module};
use url::Url;

use super::globals;
use super::module::PACKAGE;
use super::thrown::without_version;

/// A module of the user's.
pub(super) struct Written {
    pub(super) code: String,
    /// Where it is, as an absolute path.
    pub(super) file: PathBuf,
}

/// The modules that may be loaded, by name, and what they import.
#[derive(Default)]
struct Known {
    modules: HashMap<String, Written>,
    imports: HashMap<(String, String), String>,
}

/// The modules that an interpreter may load.
#[derive(Clone, Default)]
pub(super) struct Library(Rc<RefCell<Known>>);

impl Library {
    /// Adds modules, and what they import.
    pub(super) fn add(&self, modules: HashMap<String, Written>, imports: HashMap<(String, String), String>) {
        let mut known = self.0.borrow_mut();
        known.modules.extend(modules);
        known.imports.extend(imports);
    }
}

impl Resolver for Library {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        if name == PACKAGE {
            return Ok(globals::PACKAGE.to_owned());
        }
        if base.starts_with(globals::OWN) || base.is_empty() {
            return Ok(globals::resolve(base, name));
        }
        let key = (base.to_owned(), name.to_owned());
        let known = self.0.borrow();
        known.imports.get(&key).cloned().ok_or_else(|| {
            let message = "only relative paths that are written as text can be imported";
            rquickjs::Error::new_resolving_message(without_version(base), name, message)
        })
    }
}

impl Loader for Library {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<Module<'js, Declared>> {
        if let Some(code) = globals::modules().get(name) {
            return Module::declare(ctx.clone(), name, code.clone());
        }
        let known = self.0.borrow();
        let Written { code, file } =
            known.modules.get(name).ok_or_else(|| rquickjs::Error::new_loading(name))?;
        let module = Module::declare(ctx.clone(), name, code.as_str())?;
        tell_place(&module, file)?;
        Ok(module)
    }
}

/// Gives a module what Node gives it in `import.meta`.
fn tell_place(module: &Module<'_, Declared>, file: &Path) -> rquickjs::Result<()> {
    let meta = module.meta()?;
    if let Ok(url) = Url::from_file_path(file) {
        meta.set("url", url.as_str())?;
    }
    meta.set("filename", &*file.to_string_lossy())?;
    meta.set("dirname", file.parent().map(|folder| folder.to_string_lossy().into_owned()))
}
