import * as fs from 'node:fs';
import path from 'node:path';
import { recordedExchanges } from '../support/files/recorded-exchanges';
import { headingsOf } from './markdown';
import { filesIn, read } from './sources';

const FOLDER = 'docs/protocols';
const CITATION = /docs\/protocols\/([\w-]+\.md)((?:(?:, | and | to | )\d+(?:\.\d+)*)*)/g;

const sources = filesIn(
	['lib', 'nodes', 'credentials', 'test', 'bench', 'scripts'],
	/\.(?:ts|mjs|md)$/,
);

/** `3.6` of "### 3.6 Order: chatflow and workflow" */
const sectionsOf = (page: string) =>
	headingsOf(read(path.join(FOLDER, page))).map(
		({ title }) => /^(\d+(?:\.\d+)*)\.? /.exec(title)?.[1],
	);

/**
 * Sections that comments and test names cite, as `dify.md 3.6`. A citation may continue on the next line of a comment.
 */
function citationsIn(text: string): string[] {
	return [...text.replace(/\s*\n\s*\* /g, ' ').matchAll(CITATION)].flatMap(([, page, numbers]) => {
		const cited = (numbers ?? '').match(/\d+(?:\.\d+)*/g) ?? [];
		return cited.length === 0 ? [page!] : cited.map((number) => `${page!} ${number}`);
	});
}

/** The last cell of each row of a table: what proves the row. */
const tableCells = (text: string) =>
	[...text.matchAll(/^\|.*\| ?(.*?) ?\|$/gm)].map(([, cell]) => cell!);

/** Whether a page refers to a recording that it defines. */
const isUsed = (name: string, text: string) =>
	text.replaceAll(`[${name}]:`, '').includes(`[${name}]`);

/** Whether a file is a recording, or has an exchange, of that name. */
function isRecording(name: string, file: string) {
	if (!fs.existsSync(file)) return false;
	if (!file.endsWith('.json')) return path.basename(file) === `${name}.http`;
	const [, topic = ''] = /models\/(.*)\.json$/.exec(file) ?? [];
	return recordedExchanges(topic).some((exchange) => exchange.name === name);
}

/** The recordings that a page defines as references, by their names: `[chat]: ../../test/fixtures/…/chat.http`. */
function recordingsOf(text: string) {
	const references = [...text.matchAll(/^\[([\w.-]+)\]: (\S+)$/gm)];
	return new Map(
		references
			.map(([, name = '', target = '']) => [name, path.join(FOLDER, target)] as const)
			.filter(([name, file]) => isRecording(name, file)),
	);
}

describe('docs/protocols', () => {
	it('has every section that comments and test names cite', () => {
		const known = fs
			.readdirSync(FOLDER)
			.flatMap((page) => [page, ...sectionsOf(page).map((number) => `${page} ${number}`)]);
		const cited = sources.flatMap((file) =>
			citationsIn(read(file)).map((citation) => ({ file, citation })),
		);
		expect(cited.filter(({ citation }) => !known.includes(citation))).toEqual([]);
	});

	it('names only recordings that exist, and lists only those that it names', () => {
		const pages = fs
			.readdirSync(FOLDER)
			.map((page) => ({ page, text: read(path.join(FOLDER, page)) }))
			.filter(({ text }) => /^\| Fact \| Recording \|$/m.test(text));
		const missing = pages.flatMap(({ page, text }) => {
			const known = recordingsOf(text);
			const named = tableCells(text).flatMap((cell) =>
				[...cell.matchAll(/\[([\w-][\w.-]*)\](?!\()/g)].map(([, name]) => name!),
			);
			const unused = [...known.keys()].filter((name) => !isUsed(name, text));
			return [...named.filter((name) => !known.has(name)), ...unused].map(
				(name) => `${page}: ${name}`,
			);
		});
		const referenced = pages.flatMap(({ text }) => [...recordingsOf(text).keys()]);
		expect(referenced.length).toBeGreaterThan(100);
		expect(missing).toEqual([]);
	});

	it('is about the versions of Dify that are recorded, as docs/compatibility.md', () => {
		const recorded = fs
			.readdirSync('test/fixtures')
			.flatMap((folder) => /^dify-(\d[\d.]*)$/.exec(folder)?.[1] ?? []);
		const [, row = ''] = /^\| Dify \| ([^|]*) \|/m.exec(read('docs/compatibility.md')) ?? [];
		expect(row.match(/\d+(?:\.\d+){2}/g)).toEqual(recorded);
	});

	it('is the only source they cite, not notes outside the repository', () => {
		const elsewhere = sources.filter((file) =>
			/\bcontract,? (?:(?:dify|llama-server|n8n-platform|model|breadth|section)[\w-]*,? ?)?\d/i.test(
				read(file),
			),
		);
		expect(elsewhere).toEqual([]);
	});
});
