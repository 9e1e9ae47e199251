<?php
// PHP's standard extensions.

// Most of these functions report damage as a warning.
set_error_handler(function (int $level, string $message): void {
    throw new RuntimeException($message);
});

[, $method, $file] = $argv;
$output = fopen('php://stdout', 'wb');

switch ($method) {
    case 'gzdecode':
        fwrite($output, gzdecode(file_get_contents($file)));
        break;
    case 'gzopen':
        $input = gzopen($file, 'rb');
        while (!gzeof($input)) {
            fwrite($output, gzread($input, 65536));
        }
        break;
    case 'compress.zlib':
        stream_copy_to_stream(fopen("compress.zlib://$file", 'rb'), $output);
        break;
    case 'zlib.inflate':
        $input = fopen($file, 'rb');
        stream_filter_append($input, 'zlib.inflate', STREAM_FILTER_READ, ['window' => 31]);
        stream_copy_to_stream($input, $output);
        break;
    case 'PharData':
        (new PharData($file))->extractTo('.');
        break;
    default:
        throw new RuntimeException("unknown method: $method");
}
