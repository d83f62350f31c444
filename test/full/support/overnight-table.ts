/** The data table of the example `overnight-batch`, read and filled in n8n's SQLite file, also while n8n is not running. */
import { path, process } from '../../support/node-builtins';

export interface NightRow {
	id: number;
	prompt: string;
	answer: string | null;
	state: string | null;
	tries: number | null;
}

export interface NightTable {
	/** Adds rows with a prompt only, as a user does. */
	add(prompts: readonly string[]): void;
	rows(): NightRow[];
	/** Number of rows with a response. */
	done(): number;
	/** Changes to the state "done" by row: one entry per change. */
	timesWritten(): number[];
	close(): void;
}

/** Opens the table and counts its writes from now on, by a trigger of the database. */
export function openNightTable(userFolder: string): NightTable {
	const { DatabaseSync: Database } = process.getBuiltinModule('node:sqlite');
	const database = new Database(path.join(userFolder, '.n8n', 'database.sqlite'), {
		timeout: 10_000,
	});
	const { id } = database.prepare(`SELECT id FROM data_table WHERE name = 'night_batch'`).get() as {
		id: string;
	};
	const table = `"data_table_user_${id}"`;
	database.exec(`
		CREATE TABLE night_writes (row INTEGER);
		CREATE TRIGGER count_night_writes AFTER UPDATE ON ${table} WHEN NEW.state = 'done'
		BEGIN INSERT INTO night_writes VALUES (NEW.id); END;
	`);
	const all = <T>(query: string) => database.prepare(query).all() as T[];
	return {
		add: (prompts) => {
			const insert = database.prepare(`INSERT INTO ${table} (prompt) VALUES (?)`);
			database.exec('BEGIN IMMEDIATE');
			for (const prompt of prompts) insert.run(prompt);
			database.exec('COMMIT');
		},
		rows: () => all<NightRow>(`SELECT id, prompt, answer, state, tries FROM ${table} ORDER BY id`),
		done: () => all(`SELECT id FROM ${table} WHERE state = 'done'`).length,
		timesWritten: () =>
			all<{ times: number }>(`SELECT count(*) AS times FROM night_writes GROUP BY row`).map(
				({ times }) => times,
			),
		close: () => database.close(),
	};
}
