<?php
// The web page's commands. The look at G-code sees the beginning of each line and nothing else.

require __DIR__ . '/web.php';

$database = database();
logged_in($database);
$input = body();
$printer = $input['printer_id'] ?? null;
if (rows($database, 'SELECT id FROM printers WHERE id = ?', [$printer]) === []) {
    answer(false, 'Impresora no encontrada', [], 404);
}

$send = function (string $type, string $command, int $priority, string $message) use ($database, $printer): never {
    $database->prepare('INSERT INTO commands (printer_id, command_type, command, priority, created_at) VALUES (?, ?, ?, ?, ?)')
        ->execute([$printer, $type, $command, $priority, time()]);
    answer(true, $message, ['command_id' => $database->lastInsertId()]);
};

switch ($_GET['action'] ?? '') {
    case 'pause':
        $send('basic', 'PAUSE', 1, 'Impresión pausada');
    case 'resume':
        $send('basic', 'RESUME', 1, 'Impresión reanudada');
    case 'cancel':
        $send('basic', 'CANCEL', 1, 'Impresión cancelada');
    case 'emergency_stop':
        $send('basic', 'EMERGENCY_STOP', 0, 'Parada de emergencia');
    case 'home':
        $axes = $input['axes'] ?? 'XYZ';
        $send('gcode', "G28 $axes", 2, "Home $axes enviado");
    case 'heat':
        $lines = [];
        if (isset($input['hotend'])) {
            $lines[] = 'M104 S' . (int) $input['hotend'];
        }
        if (isset($input['bed'])) {
            $lines[] = 'M140 S' . (int) $input['bed'];
        }
        if ($lines === []) {
            answer(false, 'Temperaturas requeridas', [], 400);
        }
        $send('gcode', implode("\n", $lines), 3, 'Temperaturas configuradas');
    case 'set_speed':
        $speed = (int) ($input['speed'] ?? 0);
        if ($speed < 10 || $speed > 200) {
            answer(false, 'Velocidad inválida', [], 400);
        }
        $send('gcode', "M220 S$speed", 4, 'Velocidad configurada');
    case 'custom_gcode':
        $gcode = (string) ($input['gcode'] ?? '');
        if (preg_match('/^(M112|M999|M502)/m', $gcode)) {
            answer(false, 'Gcode contiene comandos peligrosos', [], 400);
        }
        $send('gcode', $gcode, 5, 'Gcode enviado');
    case 'send':
        $send((string) $input['type'], (string) $input['command'], (int) ($input['priority'] ?? 5), 'Comando enviado exitosamente');
    default:
        answer(false, 'Acción no válida', [], 400);
}
