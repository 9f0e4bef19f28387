<?php
require __DIR__ . '/web.php';

$input = body();
$database = database();
$user = rows($database, 'SELECT * FROM users WHERE username = ?', [$input['username'] ?? '']);
if ($user === [] || !password_verify((string) ($input['password'] ?? ''), $user[0]['password_hash'])) {
    answer(false, 'Credenciales inválidas', [], 401);
}
$token = bin2hex(random_bytes(32));
$database->prepare('INSERT INTO sessions (token, user_id) VALUES (?, ?)')->execute([$token, $user[0]['id']]);
answer(true, 'Sesión iniciada', ['session' => ['token' => $token]]);
