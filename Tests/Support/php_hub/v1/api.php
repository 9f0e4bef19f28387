<?php
// Generation 1: the printer's updates and command queue, and the web page's actions. Nobody is authenticated.

require __DIR__ . '/storage.php';
header('Content-Type: application/json');

$method = $_SERVER['REQUEST_METHOD'];
if ($method === 'GET') {
    get($_GET['action'] ?? '');
} elseif ($method === 'POST') {
    $input = json_decode((string) file_get_contents('php://input'), true);
    $input = is_array($input) ? $input : [];
    post($input['action'] ?? '', $input);
}

function get(mixed $action): void
{
    switch ($action) {
        case 'get_printers':
            answer(true, 'OK', ['printers' => array_map('shown', load(PRINTERS))]);
        case 'get_printer_by_token':
            foreach (load(PRINTERS) as $printer) {
                if ($printer['token'] === ($_GET['token'] ?? '')) {
                    answer(true, 'OK', ['printer' => shown($printer)]);
                }
            }
            answer(false, 'Impresora no encontrada');
        case 'get_commands':
            $token = $_GET['token'] ?? '';
            if ($token === '') {
                answer(false, 'Token requerido');
            }
            $mine = $others = [];
            foreach (load(COMMANDS) as $command) {
                if (is_array($command) && ($command['token'] ?? null) === $token) {
                    $mine[] = $command;
                } else {
                    $others[] = $command;
                }
            }
            if ($mine !== [] && !file_exists(__DIR__ . '/replay')) {
                store(COMMANDS, $others); // fetched is deleted
            }
            answer(true, 'OK', ['commands' => $mine]);
        default:
            answer(false, 'Acción no válida');
    }
}

function shown(array $printer): array
{
    if (time() - $printer['last_seen'] > OFFLINE_AFTER) {
        $printer['status'] = 'offline';
    }
    return $printer;
}

function post(mixed $action, array $input): void
{
    if ($action === 'update_printer') {
        update($input);
    }
    $actions = [
        'home', 'heat', 'pause', 'resume', 'emergency_stop', 'reboot', 'toggle_fan', 'set_speed', 'print',
        'print_local', 'save_notes', 'update_bed_status', 'add_tag', 'remove_tag',
    ];
    if (!in_array($action, $actions, true)) {
        answer(false, 'Acción no válida');
    }
    $printers = load(PRINTERS);
    foreach ($printers as $index => $printer) {
        if ($printer['id'] === ($input['printer_id'] ?? null)) {
            order($action, $input, $printers, $index);
        }
    }
    answer(false, 'Impresora no encontrada');
}

function order(string $action, array $input, array $printers, int $index): never
{
    $printer = $printers[$index];
    switch ($action) {
        case 'save_notes':
            $printers[$index]['notes'] = $input['notes'] ?? '';
            break;
        case 'update_bed_status':
            $printers[$index]['bed_status'] = $input['bed_status'] ?? '';
            break;
        case 'add_tag':
            $printers[$index]['tags'][] = $input['tag'] ?? '';
            break;
        case 'remove_tag':
            $printers[$index]['tags'] = array_values(array_diff($printer['tags'], [$input['tag'] ?? '']));
            break;
        case 'set_speed':
            enqueue($printer['token'], $action, ['speed' => $input['speed'] ?? 100]);
            answer(true, 'Velocidad actualizada');
        case 'print': // the address of a download is not passed on
        case 'print_local':
            enqueue($printer['token'], $action, ['file' => $input['file'] ?? '']);
            answer(true, $action === 'print' ? 'Impresión iniciada (descargando archivo)' : 'Impresión iniciada (archivo local)');
        default: // temperatures are not passed on
            enqueue($printer['token'], $action, []);
            answer(true, 'Comando enviado');
    }
    store(PRINTERS, $printers);
    answer(true, 'Guardado');
}

function enqueue(string $token, string $action, array $parameters): void
{
    $commands = load(COMMANDS);
    $commands[] = ['id' => uniqid('cmd_'), 'token' => $token, 'action' => $action] + $parameters + ['timestamp' => time()];
    store(COMMANDS, $commands);
}

function update(array $input): never
{
    $token = $input['token'] ?? '';
    if ($token === '') {
        answer(false, 'Token requerido');
    }
    $printers = load(PRINTERS);
    $place = count($printers);
    foreach ($printers as $index => $printer) {
        if ($printer['token'] === $token) {
            $place = $index;
        }
    }
    $old = $printers[$place] ?? ['id' => uniqid('printer_'), 'image' => '', 'tags' => [], 'notes' => ''];
    $tags = $input['tags'] ?? [];
    $printers[$place] = [
        'id' => $old['id'],
        'token' => $token,
        'name' => $input['name'] ?? 'Impresora Sin Nombre',
        'status' => $input['status'] ?? 'idle',
        'progress' => $input['progress'] ?? 0,
        'current_file' => $input['current_file'] ?? '',
        'temp_hotend' => $input['temp_hotend'] ?? 0,
        'temp_bed' => $input['temp_bed'] ?? 0,
        'image' => $input['image'] ?? $old['image'],
        'time_remaining' => $input['time_remaining'] ?? null,
        'print_speed' => $input['print_speed'] ?? 100,
        'last_completed' => $input['last_completed'] ?? null,
        'uptime' => $input['uptime'] ?? null,
        'bed_status' => $input['bed_status'] ?? null,
        'filament' => $input['filament'] ?? null,
        'files' => $input['files'] ?? [],
        'last_seen' => time(),
        'tags' => $tags ?: $old['tags'],
        'notes' => $old['notes'],
    ];
    store(PRINTERS, $printers);
    answer(true, 'Impresora actualizada', ['printer_id' => $old['id']]);
}
