<?php
// What the web API's pages share: answers with a status and a time, and who is logged in.

require __DIR__ . '/../database.php';
header('Content-Type: application/json');

function answer(bool $success, string $message, array $more = [], int $status = 200): never
{
    http_response_code($status);
    echo json_encode(['success' => $success, 'message' => $message, 'timestamp' => time()] + $more);
    exit;
}

function logged_in(PDO $database): void
{
    $token = $_SERVER['HTTP_X_SESSION_TOKEN'] ?? '';
    if (rows($database, 'SELECT user_id FROM sessions WHERE token = ?', [$token]) === []) {
        answer(false, 'No autenticado', [], 401);
    }
}
