//! The counters as seen by a metrics exporter.

use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use uadk_compress::{BlockCompressor, Compressor};

#[test]
fn each_compressor_is_published_under_its_own_name() {
    let compressors = ["first", "second"]
        .map(|name| (name, Compressor::builder().build().expect("software is always there")));
    for (blocks, (_, compressor)) in (1..).zip(&compressors) {
        for _ in 0..blocks {
            compressor.compress(&[7; 4096], &mut [0; 8192]).expect("it fits");
        }
    }
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        for (name, compressor) in &compressors {
            compressor.stats().publish(name);
        }
    });
    let published = snapshotter.snapshot().into_vec();
    let value = |compressor: &str| {
        published.iter().find_map(|(key, _, _, value)| {
            let labels: Vec<_> = key.key().labels().map(|l| (l.key(), l.value())).collect();
            let wanted =
                [("compressor", compressor), ("engine", "software"), ("direction", "compress")];
            (key.kind() == MetricKind::Counter
                && key.key().name() == "uadk_compress_blocks_total"
                && wanted.iter().all(|label| labels.contains(label)))
            .then_some(value)
        })
    };
    assert_eq!(value("first"), Some(&DebugValue::Counter(1)));
    assert_eq!(value("second"), Some(&DebugValue::Counter(2)));
}
