import * as fs from 'node:fs';
import path from 'node:path';
import { read, SOURCES } from './sources';

const [, layout = ''] =
	/\n## Layout\n([^]*?)\n## /.exec(fs.readFileSync('CONTRIBUTING.md', 'utf8')) ?? [];
const rows = layout.split('\n').filter((line) => line.startsWith('| `'));
const documentedNames = new Set(
	rows.flatMap((row) => [...row.split(' | ')[0]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)),
);

const isFolder = (name: string) => fs.statSync(name).isDirectory();
const below = (folder: string): string[] =>
	fs
		.readdirSync(folder)
		.map((name) => path.join(folder, name))
		.filter(isFolder)
		.flatMap((name) => [`${name}/`, ...below(name)]);

test('every folder of lib, nodes/shared, bench and scripts has a line in the layout', () => {
	const folders = ['lib', 'nodes/shared', 'bench', 'scripts'].flatMap(below);
	expect(folders).not.toEqual([]);
	expect(folders.filter((folder) => !documentedNames.has(folder))).toEqual([]);
});

test('every folder and file of the layout exists', () => {
	expect(
		[...documentedNames].filter((name) => !name.includes('<') && !fs.existsSync(name)),
	).toEqual([]);
});

test('every room of lib has a README that says what comes in and goes out, what it remembers, and where to begin', () => {
	const heads = ['Comes in', 'Goes out', 'Remembers', 'Begin at'].map((head) => `- **${head}:** `);
	const rooms = fs.readdirSync('lib').filter((name) => isFolder(path.join('lib', name)));
	const incomplete = rooms.filter((room) => {
		const page = path.join('lib', room, 'README.md');
		const text = fs.existsSync(page) ? fs.readFileSync(page, 'utf8') : '';
		return !heads.every((head) => text.includes(head));
	});
	expect(rooms).not.toEqual([]);
	expect(incomplete).toEqual([]);
});

test('every folder and file that a README of tests or of a room names exists', () => {
	const pages = ['lib', 'test'].flatMap((folder) =>
		fs
			.readdirSync(folder, { recursive: true, encoding: 'utf8' })
			.filter((name) => path.basename(name) === 'README.md')
			.map((name) => path.join(folder, name)),
	);
	const missing = pages.flatMap((page) => {
		const text = fs.readFileSync(page, 'utf8');
		const names = [...text.matchAll(/`((?:[\w.-]+\/)+|[\w./-]+\.(?:ts|mjs|json|jinja|gguf|md))`/g)];
		const places = [path.dirname(page), '.', 'test/recordings/support'];
		return names
			.map(([, name]) => name!)
			.filter((name) => !places.some((place) => fs.existsSync(path.join(place, name))))
			.map((name) => `${page}: ${name}`);
	});
	expect(pages).not.toEqual([]);
	expect(missing).toEqual([]);
});

test('the head of a file stands at its beginning; any other comment is about what follows it', () => {
	const imports = /import\b[^;]*;|\/\*[^]*?\*\/|\/\/.*|\s/g;
	const floating = SOURCES.flatMap((file) => {
		const text = read(file);
		return [...text.matchAll(/\n\n\/\*\*(?:[^*]|\*(?!\/))*\*\/\n\n/g)]
			.filter(({ index }) => text.slice(0, index).replace(imports, '') !== '')
			.map(([comment]) => `${file}: ${comment.trim()}`);
	});
	expect(floating).toEqual([]);
});

/** Files of tests that start a server themselves, with the reason. All others use the scripted server. */
const SERVERS: Readonly<Record<string, string>> = {
	'test/simulators/dify.ts': 'reads bodies piece by piece',
	'test/simulators/http-server.ts': 'decides about connections',
	'test/simulators/proxy-server.ts': 'CONNECT',
	'test/simulators/silent.ts': 'accepts no connection',
	'test/support/servers/listen.ts': 'TCP',
	'test/support/servers/scripted-server.ts': 'the scripted server',
	'test/support/servers/traffic.test.ts': 'reads nothing at first',
};

test('tests use the scripted server', () => {
	const files = fs
		.readdirSync('test', { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.ts'))
		.map((name) => path.join('test', name).replaceAll('\\', '/'))
		.filter((name) => /\.createServer\(/.test(fs.readFileSync(name, 'utf8')));
	expect(files.toSorted()).toEqual(Object.keys(SERVERS));
});
