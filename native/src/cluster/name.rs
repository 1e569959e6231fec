//! The name of a node whose configuration has none.

/// Made of the host's name and the process's id.
pub(super) fn of_this_process() -> String {
    format!("{}-{}", host_name().unwrap_or_else(|| "host".to_owned()), std::process::id())
}

fn host_name() -> Option<String> {
    let of_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let of_environment = ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let name = of_kernel.or(of_environment)?.trim().to_owned();
    (!name.is_empty()).then_some(name)
}
