//! The modules that an interpreter may load, and what their specifiers mean.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Module};

use super::globals;
use super::module::PACKAGE;
use super::thrown::without_version;

/// The modules that may be loaded, by name, and what they import.
#[derive(Default)]
struct Known {
    modules: HashMap<String, String>,
    imports: HashMap<(String, String), String>,
}

/// The modules that an interpreter may load.
#[derive(Clone, Default)]
pub(super) struct Library(Rc<RefCell<Known>>);

impl Library {
    /// Adds modules, and what they import.
    pub(super) fn add(&self, modules: HashMap<String, String>, imports: HashMap<(String, String), String>) {
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
        let code = match globals::modules().get(name) {
            Some(code) => code.clone(),
            None => self
                .0
                .borrow()
                .modules
                .get(name)
                .cloned()
                .ok_or_else(|| rquickjs::Error::new_loading(name))?,
        };
        Module::declare(ctx.clone(), name, code)
    }
}
