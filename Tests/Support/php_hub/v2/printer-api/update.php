<?php
// Generation 2: the printer's updates. What an update leaves out is overwritten by its default.

require __DIR__ . '/../database.php';
header('Content-Type: application/json');

function answer(bool $success, string $message, array $more = []): never
{
    echo json_encode(['success' => $success, 'message' => $message] + $more);
    exit;
}

if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    answer(false, 'Método no permitido');
}
$input = body();
if ($input === []) {
    answer(false, 'Datos inválidos');
}
$token = $input['token'] ?? '';
if ($token === '') {
    answer(false, 'Token requerido');
}
$database = database();
try {
    $known = rows($database, 'SELECT id FROM printers WHERE token = ?', [$token]);
    if ($known === []) {
        $database->prepare('INSERT INTO printers (token) VALUES (?)')->execute([$token]);
        $id = $database->lastInsertId(); // a string; later an integer
    } else {
        $id = $known[0]['id'];
    }
    $columns = [
        'name' => $input['name'] ?? '',
        'status' => $input['status'] ?? 'unknown',
        'uptime' => $input['uptime'] ?? '',
        'temp_hotend' => $input['temp_hotend'] ?? 0,
        'temp_bed' => $input['temp_bed'] ?? 0,
        'temp_hotend_target' => $input['temp_hotend_target'] ?? 0,
        'temp_bed_target' => $input['temp_bed_target'] ?? 0,
        'print_speed' => $input['print_speed'] ?? 100,
        'fan_speed' => $input['fan_speed'] ?? 0,
        'progress' => $input['progress'] ?? 0,
        'current_file' => $input['current_file'] ?? '',
        'time_remaining' => $input['time_remaining'] ?? null,
        'last_completed' => $input['last_completed'] ?? null,
        'files' => json_encode($input['files'] ?? []),
        'tags' => json_encode($input['tags'] ?? []),
        'filament' => json_encode($input['filament'] ?? null),
        'bed_status' => $input['bed_status'] ?? '',
        'image' => $input['image'] ?? null,
        'raw_data' => json_encode($input),
        'last_update' => time(),
    ];
    $assignments = implode(', ', array_map(fn ($name) => "$name = ?", array_keys($columns)));
    $database->prepare("UPDATE printers SET $assignments WHERE id = ?")->execute([...array_values($columns), $id]);
} catch (PDOException $error) {
    answer(false, 'Error actualizando estado: ' . $error->getMessage());
}
answer(true, 'Estado actualizado', ['printer_id' => $id, 'timestamp' => time()]);
