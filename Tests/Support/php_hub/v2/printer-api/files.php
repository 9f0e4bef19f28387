<?php
// Generation 2: a printer's files and everybody's.

require __DIR__ . '/../database.php';
header('Content-Type: application/json');

function answer(bool $success, string $message, array $more = []): never
{
    echo json_encode(['success' => $success, 'message' => $message] + $more);
    exit;
}

$input = body();
$action = $_GET['action'] ?? $input['action'] ?? '';
$token = $_GET['printer_token'] ?? $input['printer_token'] ?? '';
$database = database();
$printer = rows($database, 'SELECT id FROM printers WHERE token = ?', [$token]);
if ($printer === []) {
    answer(false, 'Token inválido');
}
$mine = 'SELECT * FROM files WHERE (printer_id = ? OR (printer_id IS NULL AND is_private = 0))';

if ($action === 'list_files') {
    $files = array_map(fn ($file) => [
        'name' => $file['filename'],
        'original_name' => $file['original_name'],
        'size' => human($file['size_bytes']),
        'size_bytes' => $file['size_bytes'],
        'md5' => $file['md5'],
        'uploaded' => $file['uploaded'],
        'downloaded' => (bool) $file['downloaded'],
        'exists' => file_exists(UPLOADS . $file['filename']),
    ], rows($database, "$mine ORDER BY id DESC", [$printer[0]['id']]));
    answer(true, 'OK', ['files' => $files]);
}
$name = $_GET['file'] ?? $input['file'] ?? '';
$found = rows($database, "$mine AND filename = ?", [$printer[0]['id'], $name]);
if ($found === [] || !file_exists(UPLOADS . $found[0]['filename'])) {
    answer(false, 'Archivo no encontrado');
}
switch ($action) {
    case 'download_file':
        header('Content-Type: application/octet-stream');
        header('Content-Disposition: attachment; filename="' . $found[0]['original_name'] . '"');
        header('Content-Length: ' . filesize(UPLOADS . $found[0]['filename']));
        readfile(UPLOADS . $found[0]['filename']);
        exit;
    case 'mark_downloaded':
        $database->prepare('UPDATE files SET downloaded = 1 WHERE id = ?')->execute([$found[0]['id']]);
        answer(true, 'Archivo marcado como descargado');
    default:
        answer(false, 'Acción no válida');
}
