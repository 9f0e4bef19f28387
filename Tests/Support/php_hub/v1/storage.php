<?php
// JSON files as storage, read and written whole and without locks: a half-read file counts as empty.

const PRINTERS = __DIR__ . '/printers.json';
const COMMANDS = __DIR__ . '/commands.json';
const FILES = __DIR__ . '/uploads/files.json';
const OFFLINE_AFTER = 60;

function load(string $path): array
{
    if (!file_exists($path)) {
        return [];
    }
    $data = json_decode((string) file_get_contents($path), true);
    return is_array($data) ? $data : [];
}

function store(string $path, array $data): void
{
    file_put_contents($path, json_encode(array_values($data), JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE));
}

function answer(bool $success, string $message, array $more = []): never
{
    echo json_encode(['success' => $success, 'message' => $message] + $more);
    exit;
}

function human(int $bytes): string
{
    $units = ['B', 'KB', 'MB', 'GB'];
    $step = $bytes > 0 ? min(3, (int) floor(log($bytes, 1024))) : 0;
    return round($bytes / 1024 ** $step, 2) . ' ' . $units[$step];
}
