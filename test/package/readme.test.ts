import { DIFY_FINDINGS } from '../../lib/health/dify';
import { FINDINGS } from '../../lib/health/findings';
import { SPEED_FINDINGS } from '../../lib/health/speed';
import { TOOL_FINDINGS } from '../../lib/health/tool-test';
import { fs, path, process } from '../support/node-builtins';
import { loadScript } from '../support/scripts';
import { anchorsOf, codeOf, headingsOf, linksOf } from './markdown';

const ROOT = process.cwd();
const CHINESE = '.zh-CN.md';
const read = (file: string) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const exists = (file: string) => fs.existsSync(path.join(ROOT, file));

let documents: string[];

beforeAll(async () => {
	documents = (await loadScript<{ documents(): string[] }>('pictures')).documents();
});

/** The problem of a document's link, if any. */
function problemOf(document: string, link: string): string | undefined {
	const [target, anchor] = link.split('#') as [string, string | undefined];
	const file =
		target === ''
			? document
			: path.posix.normalize(path.posix.join(path.posix.dirname(document), target));
	if (!exists(file)) return `${document}: ${link}: no such file`;
	if (anchor !== undefined && !anchorsOf(read(file)).includes(decodeURIComponent(anchor)))
		return `${document}: ${link}: no such heading`;
	return undefined;
}

describe('links', () => {
	it('of every document lead to files and headings that exist', () => {
		expect(documents).toEqual(
			expect.arrayContaining(['README.md', 'docs/servers.md', 'workflows/README.md']),
		);
		const problems = documents.flatMap((document) =>
			linksOf(read(document))
				.filter((link) => !/^https?:\/\//.test(link))
				.map((link) => problemOf(document, link)),
		);
		expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
	});

	it('from the nodes, credentials and servers lead to documents that exist', () => {
		const { homepage } = JSON.parse(read('package.json')) as { homepage: string };
		const [repository] = homepage.split('#') as [string];
		const sources = ['credentials', 'nodes', 'lib/servers'].flatMap((folder) =>
			(fs.readdirSync(path.join(ROOT, folder), { recursive: true }) as string[])
				.filter((file) => /\.(ts|json)$/.test(file))
				.map((file) => path.join(folder, file)),
		);
		const links = sources.flatMap((file) =>
			[...read(file).matchAll(/https:\/\/github\.com\/[^'"\s]+/g)].map(([link]) => link),
		);
		expect(links.length).toBeGreaterThan(10);
		const problems = links.map((link) =>
			link.startsWith(`${repository}/blob/main/`)
				? problemOf('README.md', link.slice(`${repository}/blob/main/`.length))
				: `${link}: not a document of this repository`,
		);
		expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
	});

	it('are detected if they are broken', () => {
		expect(problemOf('README.md', 'docs/nowhere.md')).toContain('no such file');
		expect(problemOf('README.md', 'docs/servers.md#nowhere')).toContain('no such heading');
		expect(problemOf('README.md', 'docs/servers.md#n8n-in-docker')).toBeUndefined();
	});
});

describe('documents in two languages', () => {
	const chinese = ['README', 'docs/servers', 'docs/dify', 'docs/troubleshooting'].map(
		(name) => `${name}${CHINESE}`,
	);

	it('exist for the pages of the first steps', () => {
		expect(chinese.filter((file) => !documents.includes(file))).toEqual([]);
	});

	it('have the same headings, commands, names in tables, and links', () => {
		for (const file of documents.filter((name) => name.endsWith(CHINESE))) {
			const english = file.replace(CHINESE, '.md');
			expect({ file: english, ...shapeOf(read(file)) }).toEqual({
				file: english,
				...shapeOf(read(english)),
			});
		}
	});

	it('link to the page in the reader’s language', () => {
		for (const file of documents.filter((name) => name.endsWith(CHINESE))) {
			const foreign = linksOf(read(file))
				.filter((link) => !/^https?:|^#/.test(link) && !link.includes(CHINESE))
				.map((link) => link.split('#')[0]!)
				.filter((link) => link !== path.basename(file).replace(CHINESE, '.md'))
				.filter((link) => documents.includes(inRepository(file, link).replace(/\.md$/, CHINESE)));
			expect({ file, foreign }).toEqual({ file, foreign: [] });
		}
	});

	it('are written in Chinese', () => {
		const han = (text: string) => text.match(/\p{Script=Han}/gu)?.length ?? 0;
		// Names of nodes and link targets are not translated.
		const withoutLinks = (text: string) => text.replace(/\[[^\]]*\]\([^)]*\)/g, '');
		for (const file of documents.filter((name) => name.endsWith(CHINESE))) {
			const foreign = headingsOf(read(file)).filter(
				({ text }) => withoutLinks(text).length > 200 && han(text) < 20,
			);
			expect({ file, foreign: foreign.map(({ title }) => title) }).toEqual({ file, foreign: [] });
		}
	});

	/** Preferred terms, and synonyms that pages must not use. */
	const GLOSSARY: ReadonlyArray<[word: string, others: RegExp]> = [
		['凭证', /凭据/],
		['智能体', /(?<!AI )(?<![A-Za-z-])(?:agents?|Agent)(?![A-Za-z-])|代理人/],
		['槽位', /插槽|(?<![A-Za-z-])slots?(?![A-Za-z-])/],
		['提供方', /提供商|提供者|供应商/],
		['数据项', /(?<![A-Za-z.-])items?(?![A-Za-z-])/],
		['重排', /重排序/],
		['你', /您/],
	];
	/** Text that is not checked: code, addresses, labels of the editor, quoted messages with translation, Dify's menu. */
	const QUOTED =
		/```.*?```|`[^`\n]*`|\]\([^)\n]*\)|(?<!\*)\*(?!\*)[^*\n]+\*(?!\*)|“[^”\n]*”(?=（)|（设置 → 模型供应商）/gs;

	it('use one Chinese term per concept', () => {
		for (const file of documents.filter((name) => name.endsWith(CHINESE))) {
			const prose = read(file).replace(QUOTED, ' ');
			const wrong = GLOSSARY.flatMap(([word, others]) => {
				const found = others.exec(prose);
				return found === null
					? []
					: [`${word}: ${prose.slice(Math.max(0, found.index - 12), found.index + 20)}`];
			});
			expect({ file, wrong }).toEqual({ file, wrong: [] });
		}
		expect(read('docs/servers.zh-CN.md')).toContain('凭证');
	});

	const inRepository = (document: string, link: string) =>
		path.posix.normalize(path.posix.join(path.posix.dirname(document), link));

	/** Parts that a translation keeps. Its links lead to the same pages, in the reader's language. */
	const shapeOf = (markdown: string) => ({
		headings: headingsOf(markdown).map(({ level }) => level),
		commands: codeOf(markdown),
		names: headingsOf(markdown).map(({ text }) =>
			text
				.split('\n')
				.filter((line) => line.startsWith('|'))
				.map((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, name]) => name!).sort()),
		),
		links: headingsOf(markdown).map(({ level, text }) =>
			linksOf(text)
				.filter((link) => level > 1 || !/^[\w-]+(\.zh-CN)?\.md$/.test(link))
				.map((link) => link.replace(CHINESE, '.md').replace(/#.*$/, '#'))
				.sort(),
		),
	});
});

describe('README.md', () => {
	const readme = read('README.md');

	it('begins with the two commands that work from a clone, and is short', () => {
		for (const file of ['README.md', `README${CHINESE}`]) {
			const page = read(file);
			expect(codeOf(page)[0]).toBe('npm start\nnpm test');
			expect(page.split('\n').indexOf('npm test')).toBeLessThan(20);
			expect(page.split('\n').length).toBeLessThanOrEqual(100);
		}
	});

	it('has at most ten rows with further links', () => {
		const [links] = headingsOf(readme).filter(({ title }) => title === 'Next steps');
		const rows = links!.text.split('\n').filter((line) => line.startsWith('| '));
		expect(rows.length).toBeLessThanOrEqual(11);
	});

	it('links to a page with every example workflow, and to one with every node', () => {
		const files = fs
			.readdirSync(path.join(ROOT, 'workflows'))
			.filter((name) => name.endsWith('.json'));
		for (const file of files) expect(read('workflows/README.md')).toContain(`](${file})`);
		const pages = fs
			.readdirSync(path.join(ROOT, 'docs/nodes'))
			.filter((name) => /^[a-z-]+\.md$/.test(name));
		for (const page of pages) expect(readme).toContain(`](docs/nodes/${page})`);
		for (const page of ['workflows/README.md', 'docs/install.md'])
			expect(linksOf(readme)).toContain(page);
	});

	it('states that the package is not verified, and which settings that requires', () => {
		expect(readme).toContain('not verified');
		for (const file of ['docs/install.md', 'docs/security.md']) {
			expect(read(file)).toMatch(/not (\*\*)?verified/);
			for (const variable of ['N8N_COMMUNITY_PACKAGES_ENABLED', 'N8N_UNVERIFIED_PACKAGES_ENABLED'])
				expect(read(file)).toContain(variable);
		}
	});
});

describe('documents for developers', () => {
	it.each(['CONTRIBUTING.md', 'docs/decisions.md', 'docs/compatibility.md'])(
		'%s names files that exist',
		(document) => {
			const namedPaths = [
				...read(document).matchAll(
					/`((?:lib|nodes|test|scripts|docs|bench|playground)\/[\w./-]+)`/g,
				),
			].map(([, file]) => file!);
			expect(namedPaths.length).toBeGreaterThan(0);
			expect(namedPaths.filter((file) => !exists(file))).toEqual([]);
		},
	);
});

describe('docs/troubleshooting.md', () => {
	it('has every finding that only Server Health reports', () => {
		const page = read('docs/troubleshooting.md');
		const rows = [...FINDINGS, ...DIFY_FINDINGS, ...SPEED_FINDINGS, ...TOOL_FINDINGS];
		const missing = rows.filter(({ id }) => !page.includes(`\`${id}\``));
		expect(missing.map(({ id }) => id)).toEqual([]);
	});
});
