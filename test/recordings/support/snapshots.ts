/** The stored results: one file of JSON for each group of recordings, with one line per value. */
import * as fs from 'node:fs';
import { isRecord } from '../../../lib/values/records';

type Results = Record<string, unknown>;

/** @param isShort whether the JSON of a value, at an indent, is written in one line */
export function createSnapshots(
	folder: string,
	isShort: (json: string, indent: string) => boolean,
) {
	const pathOf = (file: string) => `test/recordings/${folder}/${file}`;
	const print = (value: unknown, indent = ''): string => {
		const json = JSON.stringify(value);
		const isList = Array.isArray(value);
		if ((indent !== '' && isShort(json, indent)) || !(isList || isRecord(value))) return json;
		const inner = `${indent}\t`;
		const lines = isList
			? value.map((one) => print(one, inner))
			: Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${print(one, inner)}`);
		const [open, close] = isList ? '[]' : '{}';
		return `${open}\n${lines.map((line) => inner + line).join(',\n')}\n${indent}${close}`;
	};
	return {
		/** Names of all files with results. */
		list: () => fs.readdirSync(pathOf('')).filter((name) => name.endsWith('.json')),
		read: (file: string): Results =>
			fs.existsSync(pathOf(file))
				? (JSON.parse(fs.readFileSync(pathOf(file), 'utf8')) as Results)
				: {},
		/** A file without results is removed. */
		write: (file: string, results: Results) => {
			if (Object.keys(results).length === 0) return fs.rmSync(pathOf(file), { force: true });
			fs.writeFileSync(pathOf(file), `${print(results)}\n`);
		},
	};
}
