<?php
// One image per printer, named by its token; two tokens may collide.

require __DIR__ . '/storage.php';
header('Content-Type: application/json');

if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    answer(false, 'Método no permitido');
}
$token = $_POST['token'] ?? '';
if ($token === '') {
    answer(false, 'Token requerido');
}
$image = $_FILES['image'] ?? null;
if ($image === null || $image['error'] !== UPLOAD_ERR_OK) {
    answer(false, 'No se recibió imagen');
}
$path = 'printer_images/' . preg_replace('/[^A-Za-z0-9_-]/', '', $token) . '.jpg';
if (!is_dir(__DIR__ . '/printer_images')) {
    mkdir(__DIR__ . '/printer_images');
}
move_uploaded_file($image['tmp_name'], __DIR__ . '/' . $path);
answer(true, 'Imagen guardada', ['image_url' => $path . '?t=' . time()]);
