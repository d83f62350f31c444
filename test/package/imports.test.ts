import { fs, path, process } from '../support/node-builtins';

/** Folders that a folder of `lib` may import, besides itself and the single files of `lib`, which import no folder. */
const ALLOWED_IMPORTS: Readonly<Record<string, readonly string[]>> = {
	errors: [],
	files: ['errors'],
	text: [],
	http: ['errors'],
	servers: ['http', 'errors'],
	tracing: ['servers', 'http', 'errors'],
	exchange: ['servers', 'http', 'errors'],
	chat: ['exchange', 'tracing', 'files', 'servers', 'http', 'errors', 'text'],
	langchain: ['chat', 'dify', 'servers', 'http', 'errors'],
	dify: ['tracing', 'servers', 'http', 'errors', 'text'],
	tasks: ['chat', 'exchange', 'tracing', 'files', 'servers', 'http', 'errors', 'text'],
	health: ['chat', 'exchange', 'dify', 'servers', 'http', 'errors'],
};

const LIB = path.join(process.cwd(), 'lib');

/**
 * Every import in `lib` across folders, as `from → to`; both are top-level folders or files of `lib`.
 */
const libImports = fs
	.readdirSync(LIB, { recursive: true, encoding: 'utf8' })
	.filter((name) => name.endsWith('.ts'))
	.flatMap((name) => {
		const file = path.join(LIB, name);
		const imports = fs.readFileSync(file, 'utf8').matchAll(/\bfrom '(\.[^']*)'/g);
		const topOf = (target: string) =>
			path.relative(LIB, target).split(path.sep)[0]!.replace(/\.ts$/, '');
		return [...imports].map(([, target]) => ({
			file: name,
			from: topOf(file),
			to: topOf(path.resolve(path.dirname(file), target!)),
		}));
	})
	.filter(({ from, to }) => from !== to);

/** The files of the package, each with its imports, including type imports. */
const imports = new Map(
	['lib', 'nodes', 'credentials']
		.flatMap((folder) =>
			fs
				.readdirSync(folder, { recursive: true, encoding: 'utf8' })
				.map((name) => path.join(folder, name)),
		)
		.filter((name) => name.endsWith('.ts'))
		.map((file) => [file, importedBy(file)]),
);

function importedBy(file: string): string[] {
	const targets = fs.readFileSync(file, 'utf8').matchAll(/\bfrom '(\.[^']*)'/g);
	const candidates = (target: string) => {
		const base = path.join(path.dirname(file), target);
		return [`${base}.ts`, path.join(base, 'index.ts')];
	};
	return [...targets].flatMap(([, target]) =>
		candidates(target!).filter((name) => fs.existsSync(name)),
	);
}

/** Import cycles, each as a list of files. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
	const [done, way, cycles] = [new Set<string>(), new Array<string>(), new Array<string>()];
	const follow = (file: string) => {
		if (way.includes(file)) cycles.push([...way.slice(way.indexOf(file)), file].join(' → '));
		if (way.includes(file) || done.has(file)) return;
		way.push(file);
		for (const next of graph.get(file) ?? []) follow(next);
		way.pop();
		done.add(file);
	};
	for (const file of graph.keys()) follow(file);
	return cycles;
}

test('there are no import cycles, not even for types', () => {
	expect(imports.size).toBeGreaterThan(200);
	expect(findCycles(imports)).toEqual([]);
});

test('a cycle is found and named by its files', () => {
	const graph = { a: ['b', 'd'], b: ['c', 'd'], c: ['b'], d: [], e: ['e'] };
	expect(findCycles(new Map(Object.entries(graph)))).toEqual(['b → c → b', 'e → e']);
});

test('the imports of lib were found', () => {
	expect(libImports.length).toBeGreaterThan(100);
	expect(new Set(libImports.map(({ from }) => from))).toContain('http');
});

test('lib imports in one direction, and nothing of the nodes', () => {
	const isSingleFile = (name: string) => fs.existsSync(path.join(LIB, `${name}.ts`));
	const isAllowed = (from: string, to: string) =>
		isSingleFile(to)
			? from in ALLOWED_IMPORTS || isSingleFile(from)
			: ALLOWED_IMPORTS[from]?.includes(to) === true;
	const wrong = libImports.filter(({ from, to }) => !isAllowed(from, to));
	expect(wrong.map(({ file, to }) => `${file} imports ${to}`)).toEqual([]);
});
