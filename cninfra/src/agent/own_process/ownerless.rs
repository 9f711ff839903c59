//! Tasks that nobody owns: plugins, or their libraries, have spawned them by tokio alone, and they run on when all is closed.

use crate::Logger;
use std::time::Duration;
use tokio::{runtime::Handle, time::sleep};

/// What was told to end, or whose other end has just been dropped, has so long for it, looked at so often.
const GRACE: Duration = Duration::from_millis(100);
const LOOKS: u32 = 100;

/// Tells how many there are. All that was of the agent has ended, but for the task that asks: this runtime has no other work. Whose they are nobody knows: a
/// task is counted by the runtime, and not by who has spawned it.
pub(super) async fn tell(log: &Logger) {
    let metrics = Handle::current().metrics();
    let many = || metrics.num_alive_tasks().saturating_sub(1);
    for _ in 0..LOOKS {
        if many() == 0 {
            return;
        }
        sleep(GRACE / LOOKS).await;
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
