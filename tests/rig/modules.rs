//! Kernel modules and what they depend on, straight from an unpacked kernel
//! package: nobody ran depmod on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::packages::Packages;

/// The modules of one kernel.
pub struct Modules<'a> {
    files: BTreeMap<String, PathBuf>,
    builtin: Vec<String>,
    packages: &'a Packages,
}

impl<'a> Modules<'a> {
    /// Finds the modules of the unpacked kernel.
    pub fn of(packages: &'a Packages) -> Result<Self> {
        let root = packages.root();
        let mut modules = Self {
            files: BTreeMap::new(),
            builtin: Vec::new(),
            packages,
        };
        for folder in ["lib/modules", "usr/lib/modules"] {
            modules.scan(&root.join(folder))?;
        }
        ensure!(
            !modules.files.is_empty(),
            "no modules in {}",
            root.display()
        );
        Ok(modules)
    }

    fn scan(&mut self, folder: &Path) -> Result<()> {
        if !folder.is_dir() {
            return Ok(());
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                self.scan(&path)?;
            } else if name == "modules.builtin" {
                let list = fs::read_to_string(&path)?;
                self.builtin.extend(list.lines().filter_map(module_name));
            } else if let Some(name) = module_name(&name) {
                self.files.insert(name, path);
            }
        }
        Ok(())
    }

    /// The named modules and all that they need, each after what it needs.
    pub fn in_load_order(&self, names: &[&str]) -> Result<Vec<(String, Vec<u8>)>> {
        let mut order = Vec::new();
        for name in names {
            self.need(&name.replace('-', "_"), &mut order)?;
        }
        Ok(order)
    }

    fn need(&self, name: &str, order: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
        let known = order.iter().any(|(loaded, _)| loaded == name);
        if known || self.builtin.iter().any(|builtin| builtin == name) {
            return Ok(());
        }
        let path = self
            .files
            .get(name)
            .with_context(|| format!("the kernel has no module {name}"))?;
        let module = self.read(path)?;
        for dependency in dependencies(&module) {
            self.need(&dependency, order)?;
        }
        order.push((name.to_owned(), module));
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        if path.extension().is_some_and(|extension| extension == "xz") {
            return self.packages.xz(path);
        }
        fs::read(path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// The name by which the kernel knows the module in a file.
fn module_name(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let file = file.strip_suffix(".xz").unwrap_or(file);
    Some(file.strip_suffix(".ko")?.replace('-', "_"))
}

/// What a module says that it needs: `depends=a,b` among its NUL-ended strings.
fn dependencies(module: &[u8]) -> Vec<String> {
    module
        .split(|byte| *byte == 0)
        .find_map(|text| text.strip_prefix(b"depends="))
        .map(|list| {
            String::from_utf8_lossy(list)
                .split(',')
                .filter(|name| !name.is_empty())
                .map(|name| name.replace('-', "_"))
                .collect()
        })
        .unwrap_or_default()
}
