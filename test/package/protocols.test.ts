import * as fs from 'node:fs';
import path from 'node:path';
import { headingsOf } from './markdown';
import { filesIn, read } from './sources';

const FOLDER = 'docs/protocols';
const CITATION = /docs\/protocols\/([\w-]+\.md)((?:(?:, | and | to | )\d+(?:\.\d+)*)*)/g;

const sources = filesIn(['lib', 'nodes', 'credentials', 'test', 'bench'], /\.ts$/);

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

	it('is the only source they cite, not notes outside the repository', () => {
		const elsewhere = sources.filter((file) =>
			/\bcontract,? (?:(?:dify|llama-server|n8n-platform|model|breadth|section)[\w-]*,? ?)?\d/i.test(
				read(file),
			),
		);
		expect(elsewhere).toEqual([]);
	});
});
