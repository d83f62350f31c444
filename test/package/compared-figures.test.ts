/** Figures of docs/comparison.md are those of the linked results, and libraries of docs/security.md those that are bundled. */
import { read } from './sources';

const comparison = read('docs/comparison.md');

/** Rows of the table of measurements: what was measured, compared with, and the result. */
const getResult = (what: string): string => {
	const row = comparison.split('\n').find((line) => line.startsWith(`| ${what}`));
	return row!.split(' | ').at(-1)!;
};

/** The cells of a table's row. */
const getCells = (page: string, name: string): string[] => {
	const row = read(`bench/results/${page}.md`)
		.split('\n')
		.find((line) => line.startsWith(`| ${name} |`));
	return row!
		.split('|')
		.slice(1, -1)
		.map((cell) => cell.trim());
};

const getMedian = (values: readonly number[]): number =>
	values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;

/** The middle of the ratios of all speeds and streams. */
const getStreamRatio = (): number =>
	getMedian(
		[...read('bench/results/chat.md').matchAll(/^\| \d+ \| \d+ \| [^|]+ \| ([\d.]+)×/gm)].map(
			([, ratio]) => Number(ratio),
		),
	);

it.each([
	{ what: 'CPU per token', figure: () => `${getStreamRatio()}×` },
	{ what: 'Prompt tokens processed', figure: () => getCells('chat', 'Local Chat Model').at(-1)! },
	{
		what: '3,000 chunks',
		figure: () => `${getCells('embeddings', 'Local Embeddings')[4]} the CPU`,
	},
	{
		what: '3,000 chunks',
		figure: () => `${getCells('embeddings', 'Local Embeddings')[6]} the stored data`,
	},
	{
		what: 'First token of a chat',
		figure: () => {
			const [, alone, beside] = getCells('shared', 'This build');
			return `${beside} ms instead of ${alone}`;
		},
	},
	{
		what: '500 short items',
		figure: () => {
			const ratio = getCells('items', 'Basic LLM Chain with the OpenAI Chat Model').at(-1)!;
			return `${(1 / Number.parseFloat(ratio)).toFixed(2)}×`;
		},
	},
])('$what: the comparison has the figure of its results', ({ what, figure }) => {
	expect(getResult(what)).toContain(figure());
});

it('the comparison links each page of results that is checked above, and no other', () => {
	const results = [
		...comparison.matchAll(/^\| [^|]*\(\[\w+\]\(\.\.\/bench\/results\/\w+\.md\)\)[^|]*\|/gm),
	];
	expect(results.map(([row]) => /results\/(\w+)\.md/.exec(row)![1])).toEqual([
		'chat',
		'embeddings',
		'shared',
		'items',
	]);
});

it('the libraries that security.md lists are those that are bundled, and the reverse', () => {
	const sentence = /`dependencies` is empty\. ([^]*?) are\s+bundled/.exec(
		read('docs/security.md'),
	)![1]!;
	const listed = sentence
		.replace(/\(.*?\)/g, '')
		.split(/,|\band\b/)
		.map((name) => name.trim());
	const imported = [...read('lib/vendor.ts').matchAll(/from '([^']+)'/g)]
		.map(([, path]) => path!)
		.filter((path) => !path.startsWith('node:'))
		.map((path) => /^(?:@[^/]+\/)?[^/]+/.exec(path)![0]);
	expect(new Set(listed)).toEqual(new Set(imported));
});
