<?php
// Makes the tables and the administrator, whose password is the well-known one.

require __DIR__ . '/database.php';
@mkdir(__DIR__ . '/data');
@mkdir(UPLOADS);
$database = database();
$database->exec('PRAGMA journal_mode=WAL');
$database->exec((string) file_get_contents(__DIR__ . '/schema.sql'));
$statement = $database->prepare('INSERT OR IGNORE INTO users (username, password_hash) VALUES (?, ?)');
$statement->execute(['admin', password_hash('password', PASSWORD_BCRYPT, ['cost' => 4])]);
