import { CustomDirectoryLoader, PackageDirectoryLoader } from 'n8n-core';

import { OLDEST_N8N } from '../../lib/supported-n8n';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const ROOT = process.cwd();
const DIST = path.join(ROOT, 'dist');

interface PackageJson {
	name: string;
	n8n: { nodes: string[]; credentials: string[] };
	dependencies?: object;
	peerDependencies: Record<string, string>;
	peerDependenciesMeta: Record<string, { optional: boolean }>;
	files: string[];
}
const packageJson = JSON.parse(
	fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
) as PackageJson;

beforeAll(() => {
	if (!fs.existsSync(DIST)) throw new Error('There is no build. Run: npm run build');
});

it('keeps the names of classes, which stack traces show', () => {
	const code = fs.readFileSync(path.join(DIST, 'index.js'), 'utf8');
	const sources = fs
		.readdirSync('lib', { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.ts') && name !== 'vendor.ts')
		.map((name) => fs.readFileSync(path.join('lib', name), 'utf8'));
	const classes = sources.flatMap((source) =>
		[...source.matchAll(/^(?:export )?(?:abstract )?class (\w+)/gm)].map(([, name]) => name!),
	);
	expect(classes).toContain('ServerError');
	const missing = classes.filter((name) => !new RegExp(`\\b${name}\\d*=class\\b`).test(code));
	expect(missing).toEqual([]);
});

describe("n8n's own loader", () => {
	it('loads every node and credential of the package as n8n does for an installed package', async () => {
		const loader = new PackageDirectoryLoader(ROOT);
		await loader.loadAll();
		expect(loader.packageName).toBe('n8n-nodes-local-llama');
		expect(Object.keys(loader.nodeTypes).sort()).toEqual(packageJson.n8n.nodes.map(nameOf).sort());
		expect(Object.keys(loader.credentialTypes).sort()).toEqual(
			packageJson.n8n.credentials.map(nameOf).sort(),
		);
	});

	it('loads them from a custom folder, with the category in which users search for a chat model', async () => {
		const loader = new CustomDirectoryLoader(DIST);
		await loader.loadAll();
		const { nodes } = loader.types;
		const chatModel = nodes.find(({ name }) => name.endsWith('localChatModel'));
		// n8n adds the second one to all nodes of a custom folder.
		expect(chatModel?.codex?.categories).toEqual(['AI', 'Custom Nodes']);
		expect(chatModel?.codex?.subcategories).toEqual({
			AI: ['Language Models', 'Root Nodes'],
			'Language Models': ['Chat Models (Recommended)'],
		});
		for (const { name, codex } of nodes)
			expect({ name, categories: codex?.categories?.length }).toEqual({ name, categories: 2 });
	});

	it("puts every node of the category AI into a subcategory: n8n's search ignores those without", async () => {
		const loader = new CustomDirectoryLoader(DIST);
		await loader.loadAll();
		for (const { name, codex } of loader.types.nodes.filter(({ codex: one }) =>
			one?.categories?.includes('AI'),
		)) {
			expect({ name, places: codex?.subcategories?.AI }).toEqual({
				name,
				places: expect.arrayContaining([expect.any(String)]) as string[],
			});
		}
	});

	it('finds a light and a dark icon for every node and credential', async () => {
		const loader = new CustomDirectoryLoader(DIST);
		await loader.loadAll();
		const { nodes, credentials } = loader.types;
		for (const { name, iconUrl } of [...nodes, ...credentials]) {
			expect({ name, iconUrl }).toEqual({
				name,
				iconUrl: {
					light: expect.stringMatching(/\.svg$/) as string,
					dark: expect.stringMatching(/\.dark\.svg$/) as string,
				},
			});
		}
	});

	it('the codex file of each node names that node and its page', () => {
		for (const node of packageJson.n8n.nodes) {
			const name = nameOf(node);
			const beside = JSON.parse(
				fs.readFileSync(path.join(ROOT, node.replace(/\.js$/, '.json')), 'utf8'),
			) as object;
			const page = `/docs/nodes/${name.replace(/[A-Z]/g, '-$&').toLowerCase()}.md`;
			expect(beside).toMatchObject({
				node: `${packageJson.name}.${name}`,
				codexVersion: '1.0',
				resources: { primaryDocumentation: [{ url: expect.stringContaining(page) as string }] },
			});
		}
	});
});

describe('package.json', () => {
	it('brings no runtime dependency and keeps both peers optional', () => {
		expect(packageJson.dependencies).toBeUndefined();
		expect(Object.keys(packageJson.peerDependencies).sort()).toEqual([
			'@n8n/ai-node-sdk',
			'n8n-workflow',
		]);
		for (const peer of Object.keys(packageJson.peerDependencies))
			expect(packageJson.peerDependenciesMeta[peer]).toEqual({ optional: true });
	});

	it('has the name at the beginning of the README', () => {
		expect(fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8')).toMatch(
			new RegExp(`^# ${packageJson.name}\n`),
		);
	});

	it('states the same oldest supported n8n everywhere', () => {
		for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/compatibility.md']) {
			expect({
				file,
				named: fs.readFileSync(path.join(ROOT, file), 'utf8').includes(OLDEST_N8N),
			}).toEqual({
				file,
				named: true,
			});
		}
	});

	it('lists every node and credential that is built', () => {
		const built = fs
			.readdirSync(DIST, { recursive: true, encoding: 'utf8' })
			.filter((file) => /\.(node|credentials)\.js$/.test(file))
			.map((file) => `dist/${file}`);
		expect(built.sort()).toEqual([...packageJson.n8n.nodes, ...packageJson.n8n.credentials].sort());
	});
});

/** `dist/nodes/LocalChatModel/LocalChatModel.node.js` → `localChatModel` */
function nameOf(file: string): string {
	const base = path.basename(file).replace(/\.(node|credentials)\.js$/, '');
	return base[0]!.toLowerCase() + base.slice(1);
}
