import { fs, path, process } from '../support/node';

/** What a folder of `lib` may import, beside itself and the single files there, which import nothing. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
	errors: [],
	http: ['errors'],
	servers: ['http', 'errors'],
	tracing: ['servers', 'http', 'errors'],
	chat: ['tracing', 'servers', 'http', 'errors'],
	langchain: ['chat', 'dify', 'servers', 'http', 'errors'],
	text: ['chat', 'tracing', 'servers', 'http', 'errors'],
	dify: ['tracing', 'servers', 'http', 'errors'],
	batches: ['tracing', 'servers', 'http', 'errors'],
	embeddings: ['batches', 'servers', 'http', 'errors'],
	rerank: ['batches', 'servers', 'http', 'errors'],
	media: ['servers', 'http', 'errors'],
	health: ['chat', 'dify', 'servers', 'http', 'errors'],
};

const LIB = path.join(process.cwd(), 'lib');

/**
 * Every import of a file of `lib` that leaves its folder, as `from → to`, where both are what stands directly in `lib`.
 */
const arrows = fs
	.readdirSync(LIB, { recursive: true, encoding: 'utf8' })
	.filter((name) => name.endsWith('.ts'))
	.flatMap((name) => {
		const file = path.join(LIB, name);
		const imports = fs.readFileSync(file, 'utf8').matchAll(/\bfrom '(\.[^']*)'/g);
		const topOf = (target: string) => path.relative(LIB, target).split(path.sep)[0]!.replace(/\.ts$/, '');
		return [...imports].map(([, target]) => ({
			file: name,
			from: topOf(file),
			to: topOf(path.resolve(path.dirname(file), target!)),
		}));
	})
	.filter(({ from, to }) => from !== to);

test('the imports of lib were found', () => {
	expect(arrows.length).toBeGreaterThan(100);
	expect(new Set(arrows.map(({ from }) => from))).toContain('http');
});

test('lib imports in one direction, and nothing of the nodes', () => {
	const isSingleFile = (name: string) => fs.existsSync(path.join(LIB, `${name}.ts`));
	const isAllowed = (from: string, to: string) => from in ARROWS && (ARROWS[from]!.includes(to) || isSingleFile(to));
	const wrong = arrows.filter(({ from, to }) => !isAllowed(from, to));
	expect(wrong.map(({ file, to }) => `${file} imports ${to}`)).toEqual([]);
});
