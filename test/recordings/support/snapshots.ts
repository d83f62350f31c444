import * as fs from 'node:fs';
import process from 'node:process';
import { isJson, type Json, objectIn } from './exchange';

const FOLDER = 'test/recordings/models';

/** Whether the results are stored instead of compared. */
export const isWriting = process.env.CONTRACT_WRITE === '1';
if (isWriting && Boolean(process.env.CI))
	throw new Error('CONTRACT_WRITE is not allowed in CI: update the snapshots on your machine.');

const pathOf = (file: string) => `${FOLDER}/${file}.json`;

export function readExpected(file: string): Json {
	return fs.existsSync(pathOf(file)) ? objectIn(fs.readFileSync(pathOf(file), 'utf8')) : {};
}

/** Writes the results with sorted keys, one line per value. Empty ones are omitted. */
export function writeExpected(file: string, results: Json): void {
	const nonEmpty = Object.entries(results).filter(
		([, result]) => !isJson(result) || Object.keys(result).length > 0,
	);
	fs.mkdirSync(FOLDER, { recursive: true });
	if (nonEmpty.length === 0) return fs.rmSync(pathOf(file), { force: true });
	const entries = nonEmpty.sort(([one], [other]) => (one < other ? -1 : 1));
	fs.writeFileSync(pathOf(file), `${formatJson(Object.fromEntries(entries))}\n`);
}

const MAX_LINE = 200;

/** JSON with one line per value; short objects and lists in one line. */
function formatJson(value: unknown, indent = ''): string {
	const json = JSON.stringify(value);
	if (indent !== '' && json.length <= MAX_LINE) return json;
	const inner = `${indent}\t`;
	const lines = linesOf(value, inner);
	if (lines === undefined) return json;
	const [open, close] = Array.isArray(value) ? '[]' : '{}';
	return `${open}\n${lines.map((line) => inner + line).join(',\n')}\n${indent}${close}`;
}

function linesOf(value: unknown, indent: string): string[] | undefined {
	if (Array.isArray(value)) return value.map((one) => formatJson(one, indent));
	if (!isJson(value)) return undefined;
	return Object.entries(value).map(
		([key, one]) => `${JSON.stringify(key)}: ${formatJson(one, indent)}`,
	);
}
