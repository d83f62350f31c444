/** The results that are written down, one file for a set and a node. */
import { fs, path, process } from '../../support/node-builtins';
import type { DifyResult } from './dify-results';

const FOLDER = path.join(process.cwd(), 'test', 'recordings', 'dify');

/** Objects and lists that fit into a line of this length stand in one. */
const LINE = 110;

/** Whether the results are written anew. @throws {Error} in CI, where they are only compared */
export function writesPinned(): boolean {
	if (process.env.CONTRACT_WRITE !== '1') return false;
	if (process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false')
		throw new Error('CONTRACT_WRITE=1 is for a person who reads the changes, not for CI');
	return true;
}

/** Names of all files with results. */
export function pinnedFiles(): string[] {
	return fs.readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
}

export function readPinned(file: string): Record<string, DifyResult> {
	const name = path.join(FOLDER, file);
	if (!fs.existsSync(name)) return {};
	return JSON.parse(fs.readFileSync(name, 'utf8')) as Record<string, DifyResult>;
}

export function writePinned(file: string, results: Record<string, DifyResult>): void {
	fs.mkdirSync(FOLDER, { recursive: true });
	fs.writeFileSync(path.join(FOLDER, file), `${printed(results)}\n`);
}

/** JSON with one entry a line, for readable differences. */
function printed(value: unknown, indent = ''): string {
	const inOneLine = JSON.stringify(value);
	const isTop = indent === '';
	if (typeof value !== 'object' || value === null) return inOneLine;
	if (!isTop && inOneLine.length + indent.length <= LINE) return inOneLine;
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
