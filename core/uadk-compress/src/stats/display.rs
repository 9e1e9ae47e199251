//! [`Stats`] for people.

use std::fmt::{Display, Formatter, Result};

use super::{BreakerState, OpStats, Stats};

impl Display for Stats {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.unavailable {
            Some(reason) => writeln!(f, "offload {}, but no accelerator: {reason}", self.offload)?,
            None => writeln!(
                f,
                "offload {}, breaker {} (opened {} times, hold-off {:?}), delay {:?} to compress, \
                 {:?} to decompress",
                self.offload,
                self.breaker.state,
                self.breaker.opened,
                self.breaker.hold_off,
                self.delay.compress,
                self.delay.decompress,
            )?,
        }
        if let Some(cause) = &self.breaker.cause {
            writeln!(f, "the breaker last opened because: {cause}")?;
        }
        if let Some(uadk) = &self.uadk {
            writeln!(f, "{uadk}")?;
        }
        for (name, engine) in [("accelerator", &self.accelerator), ("software", &self.software)] {
            writeln!(f, "{name:<12}compress    {}", engine.compress)?;
            writeln!(f, "{name:<12}decompress  {}", engine.decompress)?;
        }
        if let Some(encoder) = self.software_engine {
            writeln!(f, "software encoder: {encoder}")?;
        }
        f.write_str("fallbacks:")?;
        let mut any = false;
        for (reason, count) in self.fallbacks.by_reason().filter(|(_, count)| *count > 0) {
            any = true;
            write!(f, "  {reason}: {count}")?;
        }
        if any { Ok(()) } else { f.write_str("  none") }
    }
}

impl Display for OpStats {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "{} blocks, {} -> {} bytes, {:.3} s, {} did not fit, {} errors",
            self.blocks,
            self.bytes_in,
            self.bytes_out,
            self.time.as_secs_f64(),
            self.output_full,
            self.errors,
        )
    }
}

impl Display for BreakerState {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Trial => "on trial",
        })
    }
}
