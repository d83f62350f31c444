import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { headingsOf } from './markdown';

const ROOT = process.cwd();
const FOLDER = 'docs/protocols';
const CITATION = /docs\/protocols\/([\w-]+\.md)((?:(?:, | and | to | )\d+(?:\.\d+)*)*)/g;

const sources = ['lib', 'nodes', 'credentials', 'test', 'bench'].flatMap((folder) =>
	(fs.readdirSync(path.join(ROOT, folder), { recursive: true }) as string[])
		.filter((file) => file.endsWith('.ts'))
		.map((file) => path.join(folder, file)),
);

/** `3.6` of "### 3.6 Order: chatflow and workflow" */
const sectionsOf = (page: string) =>
	headingsOf(fs.readFileSync(path.join(ROOT, FOLDER, page), 'utf8')).map(
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

describe('docs/protocols', () => {
	it('has every section that comments and test names cite', () => {
		const known = fs
			.readdirSync(path.join(ROOT, FOLDER))
			.flatMap((page) => [page, ...sectionsOf(page).map((number) => `${page} ${number}`)]);
		const cited = sources.flatMap((file) =>
			citationsIn(fs.readFileSync(path.join(ROOT, file), 'utf8')).map((citation) => ({
				file,
				citation,
			})),
		);
		expect(cited.filter(({ citation }) => !known.includes(citation))).toEqual([]);
	});

	it('is the only source they cite, not notes outside the repository', () => {
		const elsewhere = sources.filter((file) =>
			/\bcontract,? (?:(?:dify|llama-server|n8n-platform|model|breadth|section)[\w-]*,? ?)?\d/i.test(
				fs.readFileSync(path.join(ROOT, file), 'utf8'),
			),
		);
		expect(elsewhere).toEqual([]);
	});
});
