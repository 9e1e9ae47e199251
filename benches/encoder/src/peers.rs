//! The codecs that are compared.

use block_deflate::{Encoder, Mode};

/// Compresses a block and returns the length.
type Compress = dyn FnMut(&[u8], &mut [u8]) -> usize;

/// A way to compress one block.
pub(crate) struct Codec {
    pub(crate) name: &'static str,
    /// Whether its output is raw deflate.
    pub(crate) deflate: bool,
    pub(crate) compress: Box<Compress>,
}

impl Codec {
    fn new(
        name: &'static str,
        deflate: bool,
        compress: impl FnMut(&[u8], &mut [u8]) -> usize + 'static,
    ) -> Self {
        Self { name, deflate, compress: Box::new(compress) }
    }
}

/// Returns our codecs and their peers, at level 1.
pub(crate) fn all() -> Vec<Codec> {
    let level = libdeflater::CompressionLvl::new(1).expect("a valid level");
    let mut libdeflate = libdeflater::Compressor::new(level);
    let mut zstd = zstd::bulk::Compressor::new(1).expect("a zstd context");
    let mut default = Encoder::new(Mode::Default);
    let mut fast = Encoder::new(Mode::Fast);
    let mut segment = Encoder::new(Mode::Default);
    vec![
        Codec::new("libdeflate", true, move |src, dst| {
            libdeflate.deflate_compress(src, dst).expect("enough space")
        }),
        Codec::new("default", true, move |src, dst| {
            default.compress(src, dst).expect("enough space")
        }),
        Codec::new("zstd", false, move |src, dst| {
            zstd.compress_to_buffer(src, dst).expect("enough space")
        }),
        Codec::new("fast", true, move |src, dst| fast.compress(src, dst).expect("enough space")),
        #[cfg(isal)]
        Codec::new("isal", true, isal::compress),
        Codec::new("segment", false, move |src, dst| {
            segment.compress_segment(src, dst).expect("enough space")
        }),
    ]
}

/// Returns the versions of the peers, and the processor features of the build.
pub(crate) fn versions() -> String {
    let features = [
        ("sse2", cfg!(target_feature = "sse2")),
        ("bmi1", cfg!(target_feature = "bmi1")),
        ("bmi2", cfg!(target_feature = "bmi2")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("neon", cfg!(target_feature = "neon")),
    ];
    let features: Vec<&str> =
        features.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    format!(
        "build for {} with {}; libdeflate (libdeflater {}), zstd {}, ISA-L {}",
        std::env::consts::ARCH,
        features.join(", "),
        env!("LIBDEFLATER_VERSION"),
        zstd::zstd_safe::version_string(),
        option_env!("ISAL_VERSION")
            .unwrap_or("not found, so its bounds are missed (install libisal-dev or isa-l-devel)"),
    )
}

#[cfg(isal)]
mod isal {
    #[allow(unsafe_code)]
    unsafe extern "C" {
        fn block_deflate_bench_isal(
            src: *const u8,
            len: usize,
            dst: *mut u8,
            capacity: usize,
            level: i32,
        ) -> usize;
    }

    #[allow(unsafe_code)]
    pub(super) fn compress(src: &[u8], dst: &mut [u8]) -> usize {
        // SAFETY: pointers and lengths are those of slices; only one thread calls it.
        unsafe { block_deflate_bench_isal(src.as_ptr(), src.len(), dst.as_mut_ptr(), dst.len(), 1) }
    }
}
