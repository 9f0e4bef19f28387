<?php
// Files of generation 1. Without a token anybody gets any file; a file that was fetched is deleted on request.

require __DIR__ . '/storage.php';
header('Content-Type: application/json');

const LARGEST = 100 * 1024 * 1024;
$action = $_REQUEST['action'] ?? '';

switch ($action) {
    case 'list_files':
        $token = $_GET['printer_token'] ?? null;
        $files = array_filter(load(FILES), fn ($file) => $token === null || $file['printer_token'] === $token);
        answer(true, 'OK', ['files' => array_values(array_map('listed', $files))]);
    case 'get_file_info':
        $file = found($_GET['file'] ?? '');
        answer(true, 'OK', ['file' => listed($file) + ['modified' => @filemtime(place($file))]]);
    case 'download_file':
        $file = found($_GET['file'] ?? '');
        $token = $_GET['printer_token'] ?? null;
        if ($token !== null && $file['printer_token'] !== $token) {
            answer(false, 'Archivo no autorizado');
        }
        if (!file_exists(place($file))) {
            answer(false, 'Archivo no encontrado');
        }
        header('Content-Type: application/octet-stream');
        header('Content-Disposition: attachment; filename="' . $file['name'] . '"');
        header('Content-Length: ' . filesize(place($file)));
        readfile(place($file));
        exit;
    case 'mark_downloaded':
        $input = json_decode((string) file_get_contents('php://input'), true) ?: [];
        $file = found($input['file'] ?? '');
        if ($file['printer_token'] !== ($input['printer_token'] ?? null)) {
            answer(false, 'Archivo no autorizado');
        }
        @unlink(place($file));
        store(FILES, array_filter(load(FILES), fn ($other) => $other['name'] !== $file['name']));
        answer(true, 'Archivo marcado como descargado');
    case 'upload_file':
        upload();
    default:
        answer(false, 'Acción no válida');
}

function place(array $file): string
{
    return __DIR__ . '/' . $file['path'];
}

function found(mixed $name): array
{
    foreach (load(FILES) as $file) {
        if ($file['name'] === $name) {
            return $file;
        }
    }
    answer(false, 'Archivo no encontrado');
}

function listed(array $file): array
{
    $exists = file_exists(place($file));
    return $file + ['exists' => $exists] + ($exists ? ['real_size' => filesize(place($file))] : []);
}

function upload(): never
{
    $upload = $_FILES['file'] ?? null;
    if ($upload === null || $upload['error'] !== UPLOAD_ERR_OK) {
        answer(false, 'Error al subir archivo');
    }
    $original = basename($upload['name']);
    if (strtolower(pathinfo($original, PATHINFO_EXTENSION)) !== 'gcode' || $upload['size'] > LARGEST) {
        answer(false, 'Archivo no permitido');
    }
    if (!is_dir(__DIR__ . '/uploads')) {
        mkdir(__DIR__ . '/uploads');
    }
    $name = $original;
    if (file_exists(__DIR__ . '/uploads/' . $name)) {
        $name = pathinfo($original, PATHINFO_FILENAME) . '_' . time() . '.gcode';
    }
    move_uploaded_file($upload['tmp_name'], __DIR__ . '/uploads/' . $name);
    $file = [
        'name' => $name,
        'original_name' => $original,
        'size' => human($upload['size']),
        'size_bytes' => $upload['size'],
        'path' => 'uploads/' . $name,
        'uploaded' => date('Y-m-d H:i:s'),
        'uploaded_by' => $_POST['uploaded_by'] ?? 'admin',
        'printer_token' => $_POST['printer_token'] ?? '',
        'md5' => md5_file(__DIR__ . '/uploads/' . $name),
        'downloaded' => false,
    ];
    $files = load(FILES);
    $files[] = $file;
    store(FILES, $files);
    answer(true, 'Archivo subido exitosamente', ['file' => $file]);
}
