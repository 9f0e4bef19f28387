<?php
// Generation 2: up to ten pending commands, which are sent from then on for ever.

require __DIR__ . '/../database.php';
header('Content-Type: application/json');

function answer(bool $success, string $message, array $more = []): never
{
    echo json_encode(['success' => $success, 'message' => $message] + $more);
    exit;
}

$database = database();
$printer = rows($database, 'SELECT id FROM printers WHERE token = ?', [$_GET['token'] ?? '']);
if ($printer === []) {
    answer(false, 'Token inválido');
}
$commands = rows(
    $database,
    "SELECT id, command_type AS type, command, priority FROM commands WHERE printer_id = ? AND status = 'pending' "
    . 'ORDER BY priority ASC, created_at ASC, id ASC LIMIT 10',
    [$printer[0]['id']],
);
if (!file_exists(__DIR__ . '/../replay')) {
    foreach ($commands as $command) {
        $database->prepare("UPDATE commands SET status = 'sent', sent_at = ? WHERE id = ?")->execute([time(), $command['id']]);
    }
}
answer(true, 'OK', ['commands' => $commands]);
