<?php
require __DIR__ . '/web.php';

$database = database();
logged_in($database);

switch ($_GET['action'] ?? '') {
    case 'upload':
        $upload = $_FILES['file'] ?? null;
        if ($upload === null || $upload['error'] !== UPLOAD_ERR_OK) {
            answer(false, 'No se recibió archivo', [], 400);
        }
        $filename = time() . '_' . bin2hex(random_bytes(4)) . '.gcode';
        move_uploaded_file($upload['tmp_name'], UPLOADS . $filename);
        $printer = ($_POST['printer_id'] ?? '') === '' ? null : (int) $_POST['printer_id'];
        $private = (int) ($_POST['is_private'] ?? 0);
        $database->prepare('INSERT INTO files (printer_id, filename, original_name, size_bytes, md5, is_private, uploaded) VALUES (?, ?, ?, ?, ?, ?, ?)')
            ->execute([$printer, $filename, $upload['name'], $upload['size'], md5_file(UPLOADS . $filename), $private, date('Y-m-d H:i:s')]);
        answer(true, 'Archivo subido exitosamente', ['file' => [
            'id' => $database->lastInsertId(),
            'filename' => $filename,
            'original_name' => $upload['name'],
            'size' => human($upload['size']),
            'size_bytes' => $upload['size'],
            'is_private' => $private,
        ]], 201);
    case 'send_to_printer':
        $input = body();
        $file = rows($database, 'SELECT * FROM files WHERE id = ?', [$input['file_id'] ?? null]);
        if ($file === []) {
            answer(false, 'Archivo no encontrado', [], 404);
        }
        $database->prepare('INSERT INTO print_jobs (printer_id, file_id, created_at) VALUES (?, ?, ?)')
            ->execute([$input['printer_id'], $file[0]['id'], time()]);
        $job = $database->lastInsertId();
        $database->prepare('INSERT INTO commands (printer_id, command_type, command, priority, created_at) VALUES (?, ?, ?, ?, ?)')
            ->execute([$input['printer_id'], 'basic', 'PRINT_FILE:' . $file[0]['filename'], 1, time()]);
        answer(true, 'Archivo enviado a la impresora', ['job_id' => $job, 'command_id' => $database->lastInsertId()]);
    default:
        answer(false, 'Acción no válida', [], 400);
}
