/** Two settings of one thing: which one counts, and that two that contradict each other are an error. */
import { CHAT, LLAMA_SERVER, text } from './support/responses';
import { run } from './support/node-runner';
import { json, useServers } from '../support/servers/scripted-server';

const start = useServers();

async function serve(
	vector: readonly number[] = [1, 0, 0, 0],
	documentScores: readonly number[] = [],
) {
	return await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: text('{"a":"x","b":"x"}'),
		'POST /v1/embeddings': json({ data: [{ index: 0, embedding: vector }] }),
		'POST /v1/rerank': json({
			results: documentScores.map((score, index) => ({ index, relevance_score: score })),
		}),
	});
}

/** The beginning of the first request's prompt, or the error. */
async function promptOf(
	operation: 'text:classify' | 'text:extract' | 'text:chat',
	parameters: object,
) {
	const server = await serve();
	const error = await run(server.url, operation, { parameters: { ...parameters } }).then(
		() => '',
		({ message }: Error) => message,
	);
	const [request] = server.sent(CHAT);
	return request === undefined ? error : JSON.stringify(request.messages);
}

const LABELS = { label: [{ name: 'fromField' }, { name: 'other' }] };
const FIELDS = { field: [{ name: 'fromField', type: 'text' }] };
const SCHEMA = '{"type":"object","properties":{"fromSchema":{"type":"string"}}}';

test.each<{
	operation: 'text:classify' | 'text:extract' | 'text:chat';
	both: string;
	parameters: object;
	has: string;
	hasNot: string;
}>([
	{
		operation: 'text:classify',
		both: 'Labels and Label List',
		parameters: { text: 'T', labels: LABELS, options: { labelList: 'fromList, more' } },
		has: 'fromList',
		hasNot: 'fromField',
	},
	{
		operation: 'text:extract',
		both: 'Fields and Field List',
		parameters: { text: 'T', fields: FIELDS, options: { fieldList: 'fromList' } },
		has: 'fromList',
		hasNot: 'fromField',
	},
	{
		operation: 'text:extract',
		both: 'Fields and JSON Schema',
		parameters: { text: 'T', fields: FIELDS, options: { jsonSchema: SCHEMA } },
		has: 'fromSchema',
		hasNot: 'fromField',
	},
	{
		operation: 'text:extract',
		both: 'Field List and JSON Schema',
		parameters: { text: 'T', options: { fieldList: 'fromList', jsonSchema: SCHEMA } },
		has: 'cannot be combined',
		hasNot: 'fromList',
	},
	{
		operation: 'text:chat',
		both: 'Messages and Messages (JSON)',
		parameters: {
			prompt: 'P',
			options: {
				messages: { message: [{ role: 'user', content: 'fromRows' }] },
				messagesJson: '[{"role":"user","content":"fromJson"}]',
			},
		},
		has: 'cannot be combined',
		hasNot: 'fromRows',
	},
])(
	'$operation prefers one of two settings: $both',
	async ({ operation, parameters, has, hasNot }) => {
		const prompt = await promptOf(operation, parameters);
		expect(prompt).toContain(has);
		expect(prompt).not.toContain(hasNot);
	},
);

/** Of a server with four dimensions: the length of the vector, or the option that it contradicts. */
test.each<{ dimensions?: number; expectedDimensions?: number; outcome: number | string }>([
	{ outcome: 4 },
	{ dimensions: 2, outcome: 2 },
	{ dimensions: 8, outcome: 'Dimensions' },
	{ expectedDimensions: 4, outcome: 4 },
	{ expectedDimensions: 2, outcome: 'Expected Dimensions' },
	{ dimensions: 2, expectedDimensions: 2, outcome: 2 },
	{ dimensions: 2, expectedDimensions: 4, outcome: 'Expected Dimensions' },
	{ dimensions: 8, expectedDimensions: 4, outcome: 4 },
])(
	'Embed: Dimensions $dimensions, Expected Dimensions $expectedDimensions',
	async ({ outcome, ...options }) => {
		const server = await serve();
		const result = await run(server.url, 'vector:embed', {
			parameters: { text: 't', options },
		}).then(
			([item]) => (item!.json.output as number[]).length,
			({ message, description }: Error & { description?: string }) =>
				/as set in ((?:Expected )?Dimensions)/.exec(`${message} ${description}`)?.[1],
		);
		expect(result).toBe(outcome);
	},
);

describe('Rerank: Top N, Minimum Score and Scores', () => {
	const RAW = [-2, 3, 0, 1];
	const sigmoid = (score: number) => 1 / (1 + Math.exp(-score));
	const cases = [0, 1, 2, 9].flatMap((topN) =>
		[undefined, -1, 0, 0.5, 1].flatMap((minimumScore) =>
			(['received', 'sigmoid'] as const).flatMap((scores) =>
				[false, true].map((hasBlank) => ({ topN, minimumScore, scores, hasBlank })),
			),
		),
	);

	test.each(cases)(
		'Top N $topN, Minimum Score $minimumScore, Scores $scores, a blank document: $hasBlank',
		async ({ topN, minimumScore, scores, hasBlank }) => {
			const server = await serve([], RAW);
			const documents = [...RAW.map((_score, at) => `document ${at}`), ...(hasBlank ? [' '] : [])];
			const items = await run(server.url, 'vector:rerank', {
				items: documents.map(() => ({ json: {} })),
				perItem: documents.map((document) => ({ document })),
				parameters: {
					query: 'q',
					topN,
					options: { scores, ...(minimumScore === undefined ? {} : { minimumScore }) },
				},
			});
			// The sigmoid first, then the minimum, then the best ones; blank documents have no score to compare.
			const expected = RAW.map((score, at) => ({
				at,
				score: scores === 'sigmoid' ? sigmoid(score) : score,
			}))
				.filter(({ score }) => minimumScore === undefined || score >= minimumScore)
				.sort((one, other) => other.score - one.score)
				.map(({ at }) => at);
			const blank = hasBlank && minimumScore === undefined ? [RAW.length] : [];
			const all = [...expected, ...blank];
			expect(items.map(({ pairedItem }) => (pairedItem as { item: number }).item)).toEqual(
				topN > 0 ? all.slice(0, topN) : all,
			);
		},
	);
});
