//! Why blocks went to software.

macro_rules! fallbacks {
    ($($(#[$doc:meta])* $variant:ident => $field:ident,)*) => {
        /// Blocks that the software engine processed, by the reason for not using the accelerator.
        ///
        /// ```
        /// use uadk_compress::{BlockCompressor, Compressor, Offload};
        ///
        /// let compressor = Compressor::builder().build()?;
        /// compressor.set_offload(Offload::Off)?;
        /// compressor.compress(&[7; 4096], &mut [0; 8192])?;
        /// let fallbacks = compressor.stats().fallbacks;
        /// for (reason, blocks) in fallbacks.by_reason().filter(|(_, blocks)| *blocks > 0) {
        ///     println!("{reason}: {blocks}");
        /// }
        /// assert_eq!((fallbacks.total(), fallbacks.faults()), (1, 0));
        /// # Ok::<(), uadk_compress::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Fallbacks {
            $($(#[$doc])* pub $field: u64,)*
        }

        /// Why a block went to software; one variant per field of [`Fallbacks`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fallback {
            $($variant),*
        }

        impl Fallback {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];
            pub(crate) const COUNT: usize = Self::ALL.len();
        }

        impl Fallbacks {
            /// Returns each reason's name and count, in the order of the fields.
            pub fn by_reason(&self) -> impl ExactSizeIterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($field), self.$field)),*].into_iter()
            }

            pub(crate) const fn count_mut(&mut self, fallback: Fallback) -> &mut u64 {
                match fallback {
                    $(Fallback::$variant => &mut self.$field),*
                }
            }
        }
    };
}

fallbacks! {
    /// There is no accelerator.
    NoAccelerator => no_accelerator,
    /// Offload is switched off.
    SwitchedOff => switched_off,
    /// Smaller than [`Policy::min_block`](crate::Policy::min_block).
    TooSmall => too_small,
    /// Larger than [`Policy::max_block`](crate::Policy::max_block).
    TooLarge => too_large,
    /// The queue was full, the session limit was reached, or the call ran out of time to submit.
    Busy => busy,
    /// The accelerator was being initialised.
    Starting => starting,
    /// The accelerator was slower than [`Policy::max_delay`](crate::Policy::max_delay).
    Delayed => delayed,
    /// The breaker was open after a fault.
    HeldOff => held_off,
    /// The accelerator reported a fault, or an impossible completion.
    DeviceError => device_error,
    /// The accelerator did not complete the block within its deadline.
    TimedOut => timed_out,
    /// The accelerator reported that it is unusable.
    Unavailable => unavailable,
    /// The accelerator's output did not decompress to the input, or claimed an impossible length.
    WrongOutput => wrong_output,
    /// The engine panicked.
    Panicked => panicked,
    /// The accelerator does not support the block.
    Unsupported => unsupported,
    /// The accelerator refused the block: it would not decompress it, returned less than the
    /// destination holds, or could not compress it into a destination of the maximum size. Software
    /// had the final say.
    Refused => refused,
}

impl Fallbacks {
    /// Returns the number of all blocks that software processed.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_reason().map(|(_, n)| n).sum()
    }

    /// Returns the number of blocks that the accelerator failed on.
    #[must_use]
    pub const fn faults(&self) -> u64 {
        self.device_error + self.timed_out + self.unavailable + self.wrong_output + self.panicked
    }
}
