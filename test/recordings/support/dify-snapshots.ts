/** The stored results, one file per set and node. */
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { DifyResult } from './dify-results';

const FOLDER = path.join(process.cwd(), 'test', 'recordings', 'dify');

/** Objects and lists up to this length are written on one line. */
const MAX_LINE_LENGTH = 110;

/** Whether the results are updated. @throws {Error} in CI, which only compares them */
export function updatesSnapshots(): boolean {
	if (process.env.CONTRACT_WRITE !== '1') return false;
	if (process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false')
		throw new Error('CONTRACT_WRITE=1 is not allowed in CI: someone must review the changes');
	return true;
}

/** Names of all files with results. */
export function listSnapshotFiles(): string[] {
	return fs.readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
}

export function readSnapshots(file: string): Record<string, DifyResult> {
	const name = path.join(FOLDER, file);
	if (!fs.existsSync(name)) return {};
	return JSON.parse(fs.readFileSync(name, 'utf8')) as Record<string, DifyResult>;
}

export function writeSnapshots(file: string, results: Record<string, DifyResult>): void {
	fs.mkdirSync(FOLDER, { recursive: true });
	fs.writeFileSync(path.join(FOLDER, file), `${printed(results)}\n`);
}

/** JSON with one entry a line, for readable differences. */
function printed(value: unknown, indent = ''): string {
	const inOneLine = JSON.stringify(value);
	const isTop = indent === '';
	if (typeof value !== 'object' || value === null) return inOneLine;
	if (!isTop && inOneLine.length + indent.length <= MAX_LINE_LENGTH) return inOneLine;
	const inner = `${indent}\t`;
	if (Array.isArray(value)) {
		const entries = value.map((entry) => `${inner}${printed(entry, inner)}`);
		return `[\n${entries.join(',\n')}\n${indent}]`;
	}
	const entries = Object.entries(value).map(
		([key, entry]) => `${inner}${JSON.stringify(key)}: ${printed(entry, inner)}`,
	);
	return `{\n${entries.join(',\n')}\n${indent}}`;
}
