<?php
// The one SQLite database of the printers' API and of the web API. It lies where a web server may serve it.

const DATABASE = __DIR__ . '/data/printerhub.db';
const UPLOADS = __DIR__ . '/uploads/';

function database(): PDO
{
    $database = new PDO('sqlite:' . DATABASE);
    $database->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
    $database->setAttribute(PDO::ATTR_DEFAULT_FETCH_MODE, PDO::FETCH_ASSOC);
    return $database;
}

function rows(PDO $database, string $query, array $values = []): array
{
    $statement = $database->prepare($query);
    $statement->execute($values);
    return $statement->fetchAll();
}

function human(int $bytes): string
{
    $units = ['B', 'KB', 'MB', 'GB'];
    $step = $bytes > 0 ? min(3, (int) floor(log($bytes, 1024))) : 0;
    return round($bytes / 1024 ** $step, 2) . ' ' . $units[$step];
}

function body(): array
{
    $input = json_decode((string) file_get_contents('php://input'), true);
    return is_array($input) ? $input : [];
}
