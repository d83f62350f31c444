import { ServerError } from '../../../lib/errors/server-error';
import { addFailedTokenTotals, storeTokenTotals } from '../../../lib/n8n/token-totals';
import type { GenerationUsage } from '../../../lib/n8n/token-totals';

/** n8n's custom data: ten keys, values of 512 characters, and in manual runs an error for values that it does not accept. */
function customData({ taken = 0, throws = false } = {}) {
	const values = new Map<string, string>();
	for (let at = 0; at < taken; at++) values.set(`taken_${at}`, 'x');
	return {
		values,
		context: {
			customData: {
				get: (key: string) => values.get(key),
				set: (key: string, value: string | number) => {
					if (throws || !/^\w{1,50}$/.test(key)) throw new Error('Invalid key');
					if (values.has(key) || values.size < 10) values.set(key, String(value).slice(0, 512));
				},
			},
		},
	};
}

const generation = (more: Partial<GenerationUsage> = {}): GenerationUsage => ({
	usage: { promptTokens: 100, completionTokens: 20, totalTokens: 120, cachedTokens: 60 },
	model: 'qwen3',
	totalMs: 2000,
	...more,
});

const totalsIn = (values: ReadonlyMap<string, string>) => ({
	in: values.get('llm_tokens_in'),
	out: values.get('llm_tokens_out'),
	usage: JSON.parse(values.get('llm_usage') ?? 'null') as Record<string, unknown> | null,
});

test.each([
	[[[20, 2]], 10],
	[
		[
			[20, 2],
			[20, 2],
		],
		10,
	],
	[
		[
			[20, 2],
			[80, 2],
		],
		25,
	],
	[
		[
			[10, 10],
			[100, 1],
		],
		10,
	],
	[
		[
			[100, 1],
			[10, 10],
			[90, 9],
		],
		10,
	],
])(
	'the speed of generations with [tokens, seconds] %j is %d: all tokens in all seconds',
	(list, speed) => {
		const { values, context } = customData();
		for (const [completionTokens = 0, seconds = 0] of list) {
			const usage = { promptTokens: 1, completionTokens, totalTokens: completionTokens + 1 };
			storeTokenTotals(context, generation({ usage, totalMs: seconds * 1000 }));
		}
		expect(totalsIn(values).usage).toMatchObject({ tokensPerSecond: speed });
	},
);

test('a generation without usage or time does not count for the speed', () => {
	const { values, context } = customData();
	storeTokenTotals(context, generation());
	storeTokenTotals(context, generation({ usage: undefined, model: 'other' }));
	storeTokenTotals(context, generation({ totalMs: undefined }));
	expect(totalsIn(values)).toMatchObject({
		in: '200',
		out: '40',
		usage: {
			models: ['qwen3', 'other'],
			generations: 3,
			uncounted: 1,
			seconds: 2,
			tokensPerSecond: 10,
		},
	});
});

test('if n8n accepts no more keys, or throws, nothing happens', () => {
	const full = customData({ taken: 10 });
	storeTokenTotals(full.context, generation());
	expect(totalsIn(full.values)).toEqual({ in: undefined, out: undefined, usage: null });
	expect(() => storeTokenTotals(customData({ throws: true }).context, generation())).not.toThrow();
});

test('with any number of models and any usage, n8n neither truncates the value nor logs a warning', () => {
	const { values, context } = customData();
	for (let at = 0; at < 50; at++) {
		const usage = {
			promptTokens: 1e15,
			completionTokens: 1e15,
			totalTokens: 2e15,
			cachedTokens: 1e15,
		};
		storeTokenTotals(
			context,
			generation({ model: `${'long-'.repeat(at)}${at}`, usage, totalMs: 1e9 / 7 }),
		);
		expect(values.get('llm_usage')!.length).toBeLessThanOrEqual(255);
	}
	expect(totalsIn(values).usage).toMatchObject({ generations: 50 });
	// The first ones stay, since a later name may be too long on its own.
	expect((totalsIn(values).usage!.models as string[]).slice(0, 2)).toEqual(['0', 'long-1']);
});

test('a host without custom data', () => {
	expect(() => storeTokenTotals({}, generation())).not.toThrow();
});

test('the usage of a failed generation counts; a server error does not', () => {
	const { values, context } = customData();
	const error = (facts: Record<string, unknown>) =>
		new ServerError({
			type: 'toolCallTruncated',
			inputWords: { title: 'cut', suggestion: 'More tokens.' },
			facts,
		});
	addFailedTokenTotals(
		context,
		error({ usage: { promptTokens: 10, completionTokens: 5, totalTokens: 15 } }),
	);
	for (const other of [error({}), error({ usage: 'many' }), new Error('x'), undefined])
		addFailedTokenTotals(context, other);
	expect(totalsIn(values)).toMatchObject({
		in: '10',
		out: '5',
		usage: { generations: 1, uncounted: 0 },
	});
});
