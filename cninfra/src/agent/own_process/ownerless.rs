//! Counts tasks without an owner: plugins or their libraries have spawned them with `tokio::spawn`, and they go on when
//! everything is closed.

use crate::Logger;
use std::time::Duration;
use tokio::{runtime::Handle, time::sleep};

/// Tasks that were just told to end, or whose channel was just closed, have this long to end. It is split into `CHECKS`
/// checks.
const GRACE: Duration = Duration::from_millis(100);
const CHECKS: u32 = 100;

/// Reports the number of such tasks. All tasks of the agent have ended except the one that calls this, and the runtime
/// runs nothing else. The runtime only counts its tasks, and does not know who has spawned them.
pub(super) async fn warn(log: &Logger) {
    let metrics = Handle::current().metrics();
    let many = || metrics.num_alive_tasks().saturating_sub(1);
    for _ in 0..CHECKS {
        if many() == 0 {
            return;
        }
        sleep(GRACE / CHECKS).await;
    }
    let what = match many() {
        0 => return,
        1 => "1 task that no plugin owns still runs",
        many => &format!("{many} tasks that no plugin owns still run"),
    };
    log.warn(format_args!(
        "{what} when all are closed: the end of the process cuts off what they do\n  help: spawn a plugin's tasks by \
         `cx.spawn` or `cx.spawn_until_close`, not by `tokio::spawn`: its stop waits for them, and names them"
    ));
}
