CREATE TABLE IF NOT EXISTS printers (
  id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT UNIQUE, name TEXT, status TEXT, uptime TEXT,
  temp_hotend REAL, temp_bed REAL, temp_hotend_target REAL, temp_bed_target REAL, print_speed INTEGER,
  fan_speed INTEGER, progress INTEGER, current_file TEXT, time_remaining INTEGER, last_completed TEXT,
  files TEXT, tags TEXT, filament TEXT, bed_status TEXT, image TEXT, raw_data TEXT, last_update INTEGER
);
CREATE TABLE IF NOT EXISTS commands (
  id INTEGER PRIMARY KEY AUTOINCREMENT, printer_id INTEGER, command_type TEXT, command TEXT, priority INTEGER,
  status TEXT DEFAULT 'pending', created_at INTEGER, sent_at INTEGER, completed_at INTEGER, result TEXT
);
CREATE TABLE IF NOT EXISTS files (
  id INTEGER PRIMARY KEY AUTOINCREMENT, printer_id INTEGER, filename TEXT, original_name TEXT, size_bytes INTEGER,
  md5 TEXT, is_private INTEGER DEFAULT 0, downloaded INTEGER DEFAULT 0, uploaded TEXT
);
CREATE TABLE IF NOT EXISTS print_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, printer_id INTEGER, file_id INTEGER, created_at INTEGER
);
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE, password_hash TEXT);
CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, user_id INTEGER);
