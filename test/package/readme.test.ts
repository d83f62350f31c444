import { DIFY_BLOCKING_RULES, DIFY_FINDING_RULES } from '../../lib/health/dify-findings';
import { BLOCKING_RULES, FINDING_RULES } from '../../lib/health/findings';
import { SPEED_RULES } from '../../lib/health/speed';
import { TOOL_RULES } from '../../lib/health/tool-test';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { anchorsOf, codeOf, linksOf } from './markdown';

const ROOT = process.cwd();
const CHINESE = '.zh-CN.md';
const read = (file: string) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const exists = (file: string) => fs.existsSync(path.join(ROOT, file));

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

it('links: from the nodes, credentials and servers lead to documents that exist', () => {
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
	expect(links).not.toEqual([]);
	const problems = links.map((link) =>
		link.startsWith(`${repository}/blob/main/`)
			? problemOf('README.md', link.slice(`${repository}/blob/main/`.length))
			: `${link}: not a document of this repository`,
	);
	expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
});

describe('README.md', () => {
	const readme = read('README.md');

	it('begins with the commands that work without a clone, and names the one for all checks', () => {
		for (const file of ['README.md', `README${CHINESE}`]) {
			const page = read(file);
			expect(codeOf(page)[0]).toMatch(/^git clone \S+\ncd \S+\nnpm start$/);
			expect(page.split('\n').indexOf('npm start')).toBeLessThan(25);
			expect(page).toContain('`npm test`');
		}
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

it.each(['CONTRIBUTING.md', 'docs/decisions.md', 'docs/compatibility.md'])(
	'documents for developers: %s names files that exist',
	(document) => {
		const namedPaths = [
			...read(document).matchAll(/`((?:lib|nodes|test|scripts|docs|bench)\/[\w./-]+)`/g),
		].map(([, file]) => file!);
		expect(namedPaths).not.toEqual([]);
		expect(namedPaths.filter((file) => !exists(file))).toEqual([]);
	},
);

it('docs/troubleshooting.md: has every finding that only Server Health reports', () => {
	const page = read('docs/troubleshooting.md');
	const rules = {
		...BLOCKING_RULES,
		...FINDING_RULES,
		...DIFY_BLOCKING_RULES,
		...DIFY_FINDING_RULES,
		...SPEED_RULES,
		...TOOL_RULES,
	};
	expect(Object.keys(rules).filter((id) => !page.includes(`\`${id}\``))).toEqual([]);
});
